// Runs TypeScript in Node 20 (`node --import ./scripts/strip-types.js file.ts`): types become blanks, so that lines and
// columns stay what they are and coverage needs no source maps. What was stripped is kept in node_modules/.cache.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire, register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const require = createRequire(import.meta.url)
const { version } = require('@swc/wasm-typescript/package.json')
const cache = fileURLToPath(new URL('../node_modules/.cache/strip-types/', import.meta.url))

if (isMainThread) register(import.meta.url)

export async function load (url, context, nextLoad) {
  if (!/^file:.*\.ts$/.test(url)) return nextLoad(url, context)
  return { format: 'module', source: await stripped(fileURLToPath(url)), shortCircuit: true }
}

async function stripped (filename) {
  const text = await readFile(filename, 'utf8')
  const kept = `${cache}${createHash('sha256').update(version).update(text).digest('hex')}.js`
  return readFile(kept, 'utf8').catch(async () => {
    const { transformSync } = require('@swc/wasm-typescript')
    const { code } = transformSync(text, { filename, mode: 'strip-only', module: true })
    await keep(kept, code)
    return code
  })
}

/** Whole or not at all: others may be reading it. */
async function keep (file, code) {
  await mkdir(cache, { recursive: true })
  const half = `${file}.${process.pid}`
  await writeFile(half, code)
  await rename(half, file)
}
