import t from 'tap'
import { Balance, parseBalance } from '../../lib/calls/balance.ts'

const defaults = new Balance({
  strategy: 'round-robin',
  key: undefined,
  tag: undefined,
  datacenter: undefined,
  timeout: 30_000,
  deadline: 0,
  retries: 2,
  endsAt: undefined
})

t.test('what a call does not say is as the options say', async t => {
  t.match(parseBalance({}, defaults), { ...defaults })
  t.match(parseBalance({ strategy: undefined, timeout: undefined }, defaults), { ...defaults })
  const strategy = () => undefined
  const given = { strategy, key: 'k', tag: 't', datacenter: 'dc2', timeout: '1s', deadline: 2500, retries: 0 }
  t.match(parseBalance(given, defaults), { ...given, timeout: 1000 })
})

t.test('what cannot be is refused', async t => {
  const durations = 'milliseconds or a duration such as "1m30s"'
  const cases: [options: unknown, message: string][] = [
    [null, 'balance must be an object, got null'],
    ['first', 'balance must be an object, got string'],
    [{ strategy: 'best' }, 'balance.strategy must be one of round-robin, random, first, or a function, got "best"'],
    [{ key: '' }, 'balance.key must be a string that is not empty, got ""'],
    [{ key: 7 }, 'balance.key must be a string that is not empty, got number'],
    [{ tag: null }, 'balance.tag must be a string that is not empty, got object'],
    [{ datacenter: ['dc1'] }, 'balance.datacenter must be a string that is not empty, got object'],
    [{ timeout: -1 }, `balance.timeout must be ${durations}, got -1`],
    [{ timeout: '1 minute' }, `balance.timeout must be ${durations}, got "1 minute"`],
    [{ deadline: () => 1 }, `balance.deadline must be ${durations}, got undefined`],
    [{ retries: -1 }, 'balance.retries must be a whole number from 0 to 100, got -1'],
    [{ retries: '2' }, 'balance.retries must be a whole number from 0 to 100, got "2"'],
    [{ retries: 101 }, 'balance.retries must be a whole number from 0 to 100, got 101'],
    [{ retries: 1.5 }, 'balance.retries must be a whole number from 0 to 100, got 1.5'],
    [{ weight: 2 }, 'balance.weight must be absent: ' +
      'a call has strategy, key, tag, datacenter, timeout, deadline, retries, got a value'],
    [{ constructor: 2 }, /^balance\.constructor must be absent/.source]
  ]
  for (const [options, message] of cases) {
    t.throws(() => parseBalance(options, defaults),
      { code: 'FST_CONSUL_INVALID_OPTION', message: message.startsWith('^') ? new RegExp(message) : message })
  }
})

t.test('a deadline can be made to count from a moment', async t => {
  t.equal(defaults.startingAt(5), defaults)
  t.match(parseBalance({ deadline: 100 }, defaults).startingAt(5), { deadline: 100, endsAt: 105 })
})
