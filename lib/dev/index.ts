export { startDevAgent, type DevAgent, type DevAgentOptions } from './dev-agent.ts'
