import t from 'tap'
import { isLoopback, publishedAddress, type AddressFacts } from '../../lib/lifecycle/address.ts'

type Expected = [address: string, checkHost: string, unreachable?: true]
const facts = (configured: string | undefined, bound: string | undefined, towardsAgent: string | undefined) =>
  ({ configured, bound, towardsAgent })

const table: Record<string, [facts: AddressFacts, expected: Expected]> = {
  'the option goes before all else': [facts('10.9.9.9', '10.0.0.1', '10.0.0.2'), ['10.9.9.9', '10.9.9.9']],
  'a host name is an option too': [facts('l02.example', '0.0.0.0', '127.0.0.1'), ['l02.example', 'l02.example']],
  'the bound address if it is a real one': [facts(undefined, '10.0.0.1', '10.0.0.2'), ['10.0.0.1', '10.0.0.1']],
  'bound to IPv6': [facts(undefined, 'fd00::1', 'fd00::2'), ['fd00::1', 'fd00::1']],
  '0.0.0.0 is never published: this end of the connection to the agent': [
    facts(undefined, '0.0.0.0', '10.0.0.2'), ['10.0.0.2', '10.0.0.2']],
  'nor is ::': [facts(undefined, '::', 'fd00::2'), ['fd00::2', 'fd00::2']],
  'a dual-stack socket shows IPv4 in disguise': [
    facts(undefined, '::', '::ffff:10.0.0.2'), ['10.0.0.2', '10.0.0.2']],
  'the agent on this machine: its own address, and the check over loopback': [
    facts(undefined, '0.0.0.0', '127.0.0.1'), ['', '127.0.0.1']],
  'the same over IPv6': [facts(undefined, '::', '::1'), ['', '::1']],
  'an IPv4 server is not checked over IPv6': [facts(undefined, '0.0.0.0', '::1'), ['', '127.0.0.1']],
  'nor found there': [facts(undefined, '0.0.0.0', 'fd00::2'), ['fd00::2', 'fd00::2', true]],
  'a unix socket to the agent is loopback': [facts(undefined, '0.0.0.0', undefined), ['', '127.0.0.1']],
  'nothing bound: this end of the connection to the agent': [
    facts(undefined, undefined, '10.0.0.2'), ['10.0.0.2', '10.0.0.2']],
  'bound to loopback beside the agent': [facts(undefined, '127.0.0.1', '127.0.0.1'), ['127.0.0.1', '127.0.0.1']],
  'bound to ::1 beside the agent': [facts(undefined, '::1', '127.0.0.1'), ['::1', '::1']],
  'bound to loopback with the agent elsewhere': [
    facts(undefined, '127.0.0.1', '10.0.0.2'), ['127.0.0.1', '127.0.0.1', true]],
  'an option of loopback with the agent elsewhere': [
    facts('localhost', '0.0.0.0', 'fd00::2'), ['localhost', 'localhost', true]]
}

for (const [name, [given, [address, checkHost, unreachable = false]]] of Object.entries(table)) {
  t.test(name, async t => { t.same(publishedAddress(given), { address, checkHost, unreachable }) })
}

t.test('loopback is 127.0.0.0/8, ::1 and localhost', async t => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', 'localhost']) t.ok(isLoopback(address), address)
  for (const address of ['128.0.0.1', '::2', 'localhost.example', '']) t.notOk(isLoopback(address), address)
})
