/** The policy server's routes, and what a client of such a server does. @module */
export type { Sample } from './counters.ts'
export type { Governing } from './door.ts'
export { createRemoteValidator, type RemoteOptions, type RemoteValidator } from './remote.ts'
export { createRemoteGate, DEFAULT_CLIENT_RULES, type RemoteGateOptions } from './remote-gate.ts'
export { type Bearer, createPolicyRoutes, type PolicyRoutes, type PolicyRoutesOptions } from './routes.ts'
export { DEFAULT_ENDPOINTS, type Endpoints, type FailOpenRules, type ServerRules } from './rules.ts'
