import t from 'tap'
import { contract } from './contract.ts'
import { devAgent } from './targets.ts'

contract(t, await devAgent(t))
