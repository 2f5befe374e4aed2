/** Roles as they were read and checked: what the gate works with. @module */
import type { Limits } from '../budgets/limits.ts'

export type ExecutionMode = 'autonomous' | 'supervised' | 'dry_run'

/** Names of tools, normalised; `*` and `?` are wildcards. */
export type ToolNames = readonly string[]

export interface CommandRules {
  /** Argument patterns of `judgeCommand`. */
  readonly allowed: readonly string[]
  readonly blocked: readonly string[]
  /** Searched anywhere in the text; what one matches is dangerous. RE2. */
  readonly blockedTexts: readonly { find(text: string): boolean }[]
  readonly dangerous: 'deny' | 'ask'
  readonly needsReview: 'deny' | 'ask' | 'allow'
}

export interface Role {
  readonly name: string
  readonly allowedTools: ToolNames
  readonly blockedTools: ToolNames
  readonly mode: ExecutionMode
  readonly askFor: ToolNames
  readonly autoApprove: ToolNames
  readonly allowedPaths: readonly string[]
  readonly blockedPaths: readonly string[]
  readonly commands: CommandRules
  readonly limits: Limits
}

export interface Membership {
  readonly role: string
  readonly orgUnit?: string
}

/** Where user and role come from. */
export type Provider =
  | { readonly kind: 'local' }
  | { readonly kind: 'env'; readonly user: string; readonly role: string; readonly orgUnit: string }
  | { readonly kind: 'token'; readonly user: string; readonly role: string; readonly orgUnit: string }

/** Users, roles and tools that run commands. */
export interface Directory {
  /** `sha256:` and 64 hex characters, over what was read. */
  readonly hash: string
  readonly roles: ReadonlyMap<string, Role>
  readonly users: ReadonlyMap<string, Membership>
  /** Of users that are not listed; absent: they have no role. */
  readonly fallback?: Membership
  readonly provider: Provider
  /** Further tools that run commands: name → arguments that hold one. */
  readonly commandTools: ReadonlyMap<string, readonly string[]>
  /** What is accepted and not acted on, with place. */
  readonly warnings: readonly string[]
  /** Files that were read. */
  readonly files: readonly string[]
}
