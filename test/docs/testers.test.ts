import t from 'tap'
import { registered } from '../lifecycle/catalog.ts'
import { startConsul } from '../support/consul.ts'
import { blocksOf } from './blocks.ts'
import { commandsOf } from './commands.ts'
import { allTesters } from './testers.ts'

// What the tests of the documentation are made of, and that each of them finds the fault that it is for.

const page = `# Page

\`\`\`ts
one
\`\`\`

## Second

- In a list, \`two.mjs\`:

  ~~~js
  two
    indented
  ~~~

Text.

    indented

    still
Text.

- List.

    not code

\`\`\`\`
\`\`\`
\`\`\`\``

t.test('every code block of a page is found, with its line, its language and what stands around it', async t => {
  const [inList, file] = ['- In a list, `two.mjs`:', 'two\n  indented']
  t.same(blocksOf({ path: 'page.md', text: page }).map(Object.values), [
    ['page.md', 4, 'ts', 'Page', '# Page', 'one'],
    ['page.md', 12, 'js', 'Second', inList, file],
    ['page.md', 18, 'text', 'Second', 'Text.', 'indented\n\nstill'],
    ['page.md', 28, '', 'Second', '    not code', '```']
  ])
  t.throws(() => blocksOf({ path: 'page.md', text: 'a\n```ts\nb' }), { message: 'page.md:2: the block has no end' })
})

t.test('a shell block is read command by command', async t => {
  const text = 'A=1 B="2 3" node a.js # no\n\nnpm install x@1 \\\n  y && curl -X PUT "http://a/?b#c"'
  t.match(commandsOf(text), [
    { line: 1, variables: { A: '1', B: '2 3' }, program: 'node', args: ['a.js'] },
    { line: 4, variables: {}, program: 'npm', args: ['install', 'x@1', 'y'] },
    { line: 4, variables: {}, program: 'curl', args: ['-X', 'PUT', 'http://a/?b#c'] }
  ])
})

const [consul, secure] = await Promise.all([startConsul(t), startConsul(t, { acl: true })])
await consul.api('PUT', '/v1/agent/service/register', { Name: 'l02-runtime', Address: '127.0.0.1', Port: consul.port })
await registered(consul, 'l02-runtime')
const env = { CONSUL_URL: consul.url, CONSUL_DRAIN_DELAY: '0', REDIS_URL: 'redis://127.0.0.1:1' }
const world = { consul, env, ports: { 8500: String(consul.port) }, hasContainers: false, fileFor: () => '' }
const tester = allTesters(t, t.testdir(), { world, secure, sources: "app.get('/known', …)" })

const pod = `spec:
  containers:
    - command: [node, app.mjs]
      readinessProbe:
        httpGet: { path: /health/ready, port: 1 }
      livenessProbe:
        httpGet: { path: /health/live, port: 1 }`

/** A block that holds, the same with a fault, and what is said of that. */
const cases: ReadonlyArray<readonly [language: string, good: string, bad: string, message: RegExp]> = [
  ['ts', 'await app.discover("a")', 'await app.discover(1)', /^bad\/0:1: error TS2345/],
  ['ts', '1\napp.nothing // error TS2339', '1\napp.discover // error TS2339', /^bad\/1:2: no error TS2339/],
  ['js', 'app.consul.explain("a")', 'app.consul.explain()', /TS2554/],
  ['js', 'module.exports = {}', 'module.exports = {}\nnull.x', /TS18050|TS2531/],
  ['ts', 'await app.fetch("http://l02-runtime/")', 'await app.fetch("http://nowhere/")', /FST_CONSUL_NO_INSTANCE/],
  ['ts', "app.get('/x', async () => 1)", "app.get('/x', async () => { throw new Error('no') })", /GET \/x answers 500/],
  ['sh', 'cp a b', 'cp "a b', /unexpected EOF/],
  ['sh', 'npm run build', 'npm run nonsense', /no script nonsense/],
  ['sh', 'npm install undici@7', 'npm install undici@6', /undici is 7\.\S+ here/],
  ['sh', 'npx fastify-consul dev --port 8600', 'npx fastify-consul dev --prot 8600', /--prot/],
  ['sh', 'consul agent -dev', 'consul agent -deb', /no -deb/],
  ['sh', 'consul operator raft list-peers', 'consul operator rafft', /no command operator rafft/],
  ['sh', 'docker compose up consul', 'docker compose up consull', /no service consull/],
  ['sh', 'docker compose --profile ha up', 'docker compose --profile haha up', /no profile haha/],
  ['sh', 'curl $CONSUL_URL/v1/status/leader', 'curl $CONSUL_URL/v1/status/lead', /Consul answers 404/],
  ['sh', 'curl http://127.0.0.1:1/known', 'curl http://127.0.0.1:1/unknown', /no service here has a route/],
  ['sh', 'node examples/provider.ts', 'node examples/provide.ts', /no examples\/provide\.ts/],
  ['sh', 'SERVICE_NAME=a node a.js', 'SERVICE_NAM=a node a.js', /SERVICE_NAM is read nowhere/],
  ['sh', 'cp a b', 'frobnicate a', /nothing tests frobnicate/],
  ['hcl', 'node_prefix "" { policy = "read" }', 'node_prefix "" { policy = "reed" }', /Invalid/],
  ['hcl', 'task "a" {\n  env {\n  }\n}', 'task "a" {\n  env {\n}', /Failed to parse/],
  ['hcl', 'service "a" { policy = "read" }', 'servce "a" { policy = "read" }', /nothing tests this kind/],
  ['yaml', pod, pod.replace('ready,', 'reddy,'), /must ask \/health\/ready/],
  ['yaml', pod, pod.replace('/live', '/ready'), /must ask \/health\/live/],
  ['yaml', pod, `${pod}\n  terminationGracePeriodSeconds: 2`, /terminationGracePeriodSeconds .* more than 2000/],
  ['yaml', pod, pod.replace('[node, app.mjs]', 'node app.mjs'), /begins with node/],
  ['yaml', pod, pod.replace('port: 1', 'port: 2'), /the same port/],
  ['yaml', pod, pod.replace('1 }', '1'), /flow map/i],
  ['yaml', 'services: { a: { image: a, command: [node, a] } }', 'services: { a: { command: [node, a] } }', /image/],
  ['yaml', 'services: {}', 'service: {}', /nothing tests this kind/],
  ['ini', '[Service]\nExecStart=/usr/bin/node a', '[Service]\nExecStart=node a', /absolute/],
  ['ini', '[Service]\nExecStart=/a/node a', '[Service]\nExecStart=/a/npm start', /begins with node/],
  ['ini', '[Service]\nExecStart=/a/node a', '[Service]\nExecStart=/a/node a\nKillSignal=SIGKILL', /KillSignal/],
  ['ini', '[Service]\nExecStart=/a/node a', '[Service]\nExecStart=/a/node a\nTimeoutStopSec=2s', /more than 2000/],
  ['ini', '[Service]\nExecStart=/a/node a', '[Service]\nExecStart: /a/node a', /neither/],
  ['json', '{}', '{', /JSON/],
  ['text', 'anything', 'lib/\n  plug.ts', /no lib\/plug\.ts/],
  ['text', 'anything', 'lib/\n  plugin.ts', /lib\/calls\/ is missing/],
  ['text', 'anything', 'CONSUL_NONSENSE', /CONSUL_NONSENSE is read nowhere/]
]

t.test('each tester finds the fault that it is for, and none without', async t => {
  const all = cases.flatMap(([language, good, bad], index) => [good, bad].map((text, at) => {
    return { page: `${at === 0 ? 'good' : 'bad'}/${index}`, line: 1, language, heading: '', before: '', text }
  }))
  const problems = await tester(all)
  for (const [index, [language, good, bad, message]] of cases.entries()) {
    const of = (page: string): string[] => problems.filter(({ block }) => block.page === page).map(each => each.message)
    t.same(of(`good/${index}`), [], `${language}: ${good}`)
    t.match(of(`bad/${index}`).join('\n'), message, `${language}: ${bad}`)
  }
})

t.test('a block in another language, or in none, is a fault', async t => {
  const blocks = blocksOf({ path: 'page.md', text: '```\n```\n```cobol\n```' })
  const problems = await tester(blocks)
  t.same(problems.map(({ message }) => message), [
    'page.md:2: nothing tests blocks in no language',
    'page.md:4: nothing tests blocks in cobol'
  ])
})
