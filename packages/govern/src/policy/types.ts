/** A policy that was read, checked and compiled: what the gate works with. @module */
import type { DlpRules } from '../dlp/rules.ts'
import type { ServerRules } from '../http/rules.ts'
import type { IdentityRules } from '../identity/types.ts'
import type { Glob } from '../paths/globs.ts'
import type { Pattern } from '../pattern.ts'
import type { Profile } from '../profiles.ts'

/** `limit` calls per `perMs` milliseconds, as a bucket of `limit` tokens. */
export interface Rate {
  readonly limit: number
  readonly perMs: number
}

export interface ToolRule {
  /** Position in `tool_rules`. */
  readonly index: number
  /** Normalised. */
  readonly tool: string
  readonly action: 'allow' | 'block' | 'ask'
  readonly rate?: Rate
  readonly strictArgs?: boolean
  /** Of the tool as its server describes it; lower case, see `hashTool`. */
  readonly schemaHash?: string
  readonly allowArgs: ReadonlyMap<string, Pattern>
}

/** Names are normalised by the profile that read them; the profile is part of the policy. */
export interface Policy {
  readonly profile: Profile
  /** The file name given by the caller, for messages. */
  readonly file: string
  readonly name: string
  readonly version?: string
  /** `sha256:` and 64 hex characters. */
  readonly hash: string
  readonly mode: 'enforce' | 'monitor'
  readonly allowedTools: ReadonlySet<string>
  readonly deniedTools: ReadonlySet<string>
  /** Names with `*` and `?` in `denied_tools`; none in `aip-compat`. */
  readonly deniedToolGlobs: readonly Glob[]
  readonly rules: ReadonlyMap<string, ToolRule>
  /** Absent: the profile's default list. */
  readonly allowedMethods?: ReadonlySet<string>
  readonly deniedMethods: ReadonlySet<string>
  /** As written. */
  readonly protectedPaths: readonly string[]
  readonly strictArgsDefault: boolean
  /** Absent when the policy has none or switches it off. */
  readonly dlp?: DlpRules
  /** Absent when the policy has none or switches it off. */
  readonly identity?: IdentityRules
  readonly server?: ServerRules
  /** What `aip-compat` ignored, with place; empty in `strict`. */
  readonly warnings: readonly string[]
}
