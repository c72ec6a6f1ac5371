import { instance } from '../balancing/helpers.ts'
import { MemorySource, startCalls } from './helpers.ts'

// One call to the ports given, the first one first, and no close().
const instances = process.argv.slice(2).map((port, index) => instance({ id: String(index), port: Number(port) }))
const source = new MemorySource({ svc: instances })
const { request } = startCalls({ teardown () {} }, source, { strategy: 'first', deadline: 60_000 })
const { body } = await request('http://svc/')
process.stdout.write(await body.text())
