import t from 'tap'
import { contract } from './contract.ts'
import { realAgent } from './targets.ts'

contract(t, await realAgent(t))
