/** Users and roles: reading them. Apart from the main export, because a gate without roles needs no reader of YAML. @module */

export { explainRoles } from './explain.ts'
export { type LoadRolesOptions, loadRoles } from './load.ts'
export type { Directory, ExecutionMode, Membership, Provider, Role } from './types.ts'
export { inRole } from './who.ts'
