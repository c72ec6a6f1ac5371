import { variables } from '../../lib/options/environment.ts'
import { eachBlock } from './tester.ts'

const ofTests = ['CONSUL_TEST_URL', 'CONSUL_IMAGE']
const known = new Set([...variables.map(([variable]) => variable), 'CONSUL_HTTP_AUTH', ...ofTests])

/** A variable of this package, in whatever language, must be one that is read. */
export const variablesAreRead = eachBlock(({ text }) => {
  const named = new Set(text.match(/\b(?:CONSUL|SERVICE)_[A-Z_]+\b/g))
  return [...named].filter(name => !known.has(name)).map(name => `${name} is read nowhere`)
})
