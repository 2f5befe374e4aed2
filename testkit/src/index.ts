/** What tests share. @module */
export { type AgentEvent, agentEvents, type Random, SECRET_LITERALS, seededRandom } from './events.ts'
