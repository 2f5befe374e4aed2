/** The policy server's routes, and what a client of such a server does. @module */
export type { Bearer } from './bearer.ts'
export type { Sample } from './counters.ts'
export type { Governing } from './door.ts'
export { createRemoteValidator, type RemoteOptions, type RemoteValidator } from './remote.ts'
export { createPolicyRoutes, type PolicyRoutes, type PolicyRoutesOptions } from './routes.ts'
export { DEFAULT_ENDPOINTS, type Endpoints, type FailOpenRules, type ServerRules } from './rules.ts'
