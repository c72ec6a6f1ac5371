import t from 'tap'
import { Screen, table } from '../../examples/demo/screen.ts'

t.test('on a terminal progress is replaced by what comes next', async t => {
  const { screen, written } = screenOn(true)
  screen.progress('1 of 2')
  screen.say('done')
  t.equal(written(), '\r\u001b[K… 1 of 2\r\u001b[Kdone\n')
})

t.test('in a pipe there is no progress and no control character', async t => {
  const { screen, written } = screenOn(undefined)
  screen.progress('1 of 2')
  screen.say('done')
  t.equal(written(), 'done\n')
})

t.test('a table has its first column to the left and the others to the right', async t => {
  t.strictSame(table([['a', '1'], ['bcd', '10']]), ['  a      1', '  bcd   10'])
})

function screenOn (isTTY: boolean | undefined): { screen: Screen, written: () => string } {
  const texts: string[] = []
  const screen = new Screen({ isTTY, write: (text: string) => texts.push(text) })
  return { screen, written: () => texts.join('') }
}
