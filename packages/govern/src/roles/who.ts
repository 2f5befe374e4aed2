/**
 * Who acts, and in which role. Nobody gets a role by accident: what is not known is denied, not thrown.
 *
 * One source decides, the one that the file names: the list of users (for the user that the configuration, the
 * environment or the operating system names), variables of the environment, or the claims of a token that was checked.
 * @module
 */
import type { Directory, Membership, Role } from './types.ts'

/** What is known about who acts. `claims` come from a token whose signature was checked, never from a call. */
export interface Known {
  readonly user?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

export interface Who {
  readonly user?: string
  readonly orgUnit?: string
  /** The name that was given; it may be of no role. */
  readonly roleName?: string
  readonly role?: Role
}

/** The same roles, for somebody who has this one. */
export function inRole(directory: Directory, role: string): Directory {
  return { ...directory, provider: { kind: 'local' }, users: new Map(), fallback: { role } }
}

export function findWho(directory: Directory, known: Known): Who {
  const { provider, users, fallback, roles } = directory
  if (provider.kind === 'local') return toWho(roles, known.user, find(users, known.user) ?? fallback)
  const read = (name: string) => (provider.kind === 'env' ? known.env?.[name] : ownText(known.claims, name))
  const [user, role, orgUnit] = [read(provider.user), read(provider.role), read(provider.orgUnit)]
  if (!role) return toWho(roles, user || known.user, undefined)
  return toWho(roles, user || known.user, { role, ...(orgUnit && { orgUnit }) })
}

function find(users: Directory['users'], user: string | undefined): Membership | undefined {
  return user === undefined ? undefined : users.get(user)
}

function ownText(claims: Known['claims'], name: string): string | undefined {
  const value = claims && Object.hasOwn(claims, name) ? claims[name] : undefined
  return typeof value === 'string' ? value : undefined
}

function toWho(roles: Directory['roles'], user: string | undefined, member: Membership | undefined): Who {
  const role = member && roles.get(member.role)
  return {
    ...(user !== undefined && { user }),
    ...(member && { roleName: member.role }),
    ...(member?.orgUnit !== undefined && { orgUnit: member.orgUnit }),
    ...(role && { role }),
  }
}
