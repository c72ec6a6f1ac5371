import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { startChild } from './children.ts'
import { debianRelease, unpackWithDependencies } from './debian.ts'
import { firstFound } from './first-found.ts'
import { run } from './run.ts'
import type { Teardown } from './teardown.ts'

interface Nginx {
  command: string
  env: NodeJS.ProcessEnv
}

/**
 * A real nginx with `site` as the only file of its conf.d: the one on the PATH or, on Debian, the distribution's
 * package, unpacked into the cache. It ends with the test.
 */
export async function startNginx (t: Teardown, site: string): Promise<void> {
  const { command, env } = await findNginx()
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-nginx-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['conf.d', 'temp']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'nginx.conf'), mainConfiguration)
  await writeFile(join(folder, 'conf.d/site.conf'), site)
  // Its log is where its own messages go from the first on, and that is the output of the child.
  const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr']
  await run(command, [...args, '-t'], { env })
  const child = await startChild(command, args, { folder, env })
  t.teardown(() => child.kill('SIGTERM'))
}

/** What surrounds conf.d, with all that nginx writes in its own folder. */
const mainConfiguration = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path temp/body;
  proxy_temp_path temp/proxy;
  fastcgi_temp_path temp/fastcgi;
  uwsgi_temp_path temp/uwsgi;
  scgi_temp_path temp/scgi;
  include conf.d/*.conf;
}
`

async function findNginx (): Promise<Nginx> {
  return firstFound('nginx', 'install nginx', [
    { name: 'PATH', find: async () => runnable({ command: 'nginx', env: process.env }) },
    { name: 'Debian package', find: async () => runnable(await fromDebian()) }
  ])
}

async function runnable (nginx: Nginx): Promise<Nginx> {
  await run(nginx.command, ['-v'], { env: nginx.env })
  return nginx
}

async function fromDebian (): Promise<Nginx> {
  const release = await debianRelease()
  const folder = await cached('nginx-debian', folder => unpackWithDependencies(['nginx'], release, folder))
  const libraries = await readdir(join(folder, 'usr/lib')).catch(() => [])
  return {
    command: join(folder, 'usr/sbin/nginx'),
    env: { ...process.env, LD_LIBRARY_PATH: libraries.map(name => join(folder, 'usr/lib', name)).join(':') }
  }
}
