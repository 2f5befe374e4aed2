/**
 * What a role says about one call: its tools, its commands, its paths, whether a person is asked, whether it runs at all.
 *
 * Always enforced, in monitor mode too: monitor is about the policy. Blocked wins over allowed everywhere.
 * Source: checklist §4 P14, design "govern".
 * @module
 */
import { basesOf, type JudgedCommand, writtenPaths } from '../gate/commands.ts'
import type { Refusal } from '../gate/verdicts.ts'
import type { Platform } from '../paths/place.ts'
import { createRolePaths, type RolePathHit, type RolePaths } from '../paths/role-paths.ts'
import { createToolList } from '../tool-globs.ts'
import type { Directory, Role } from './types.ts'
import type { Who } from './who.ts'

/** One call, as its role sees it. Each answer is made when it is asked for. */
export interface RoleCase {
  readonly who: Who
  readonly isDryRun: boolean
  tool(): Refusal | undefined
  command(): Refusal | undefined
  paths(): Refusal | undefined
  /** The same of what is no tool call: nobody can be asked about a path that only the run would tell. */
  places(): Refusal | undefined
  /** Why a person has to be asked. */
  asks(): { readonly reason: string; readonly rule: string } | undefined
}

export interface RoleCall {
  /** The normalised name. */
  readonly tool: string
  readonly input: unknown
  readonly command: JudgedCommand | undefined
  readonly disk: Platform
}

export interface RoleJudge {
  about(who: Who, call: RoleCall): RoleCase
}

/** A role with what was compiled from it. */
interface Rules {
  readonly role: Role
  readonly paths: RolePaths
  readonly allows: (tool: string) => boolean
  readonly blocks: (tool: string) => boolean
  readonly approves: (tool: string) => boolean
  readonly asksFor: (tool: string) => boolean
}

export function createRoleJudge(directory: Directory, platform: Platform): RoleJudge {
  const known = new Map(Array.from(directory.roles.values(), (role) => [role, compileRules(role, platform)]))
  return {
    about(who, call) {
      const { role } = who
      const rules = role && known.get(role)
      if (!role || !rules) return unknownRole(who)
      const hits = { found: false as boolean, hit: undefined as RolePathHit | undefined }
      const hit = () => {
        if (!hits.found) hits.hit = findHit(rules.paths, call)
        hits.found = true
        return hits.hit
      }
      return {
        who,
        isDryRun: role.mode === 'dry_run',
        tool: () => judgeTool(rules, call.tool),
        command: () => judgeCommand(role, call.command),
        paths: () => judgePaths(role, hit()),
        places: () => judgePaths(role, certainly(hit())),
        asks: () => whyAsk(rules, call, hit()),
      }
    },
  }
}

function compileRules(role: Role, platform: Platform): Rules {
  const { allowedPaths, blockedPaths, allowedTools, blockedTools, autoApprove, askFor } = role
  return {
    role,
    paths: createRolePaths({ allowed: allowedPaths, blocked: blockedPaths }, platform),
    allows: createToolList(allowedTools),
    blocks: createToolList(blockedTools),
    approves: createToolList(autoApprove),
    asksFor: createToolList(askFor),
  }
}

function unknownRole(who: Who): RoleCase {
  const reason = who.roleName === undefined ? 'Nobody gave this user a role' : 'The role of this user does not exist'
  const refusal: Refusal = { rpc: 'forbidden', reasonCode: 'role_unknown', reason, matchedRule: 'roles', data: { reason: 'No known role' } }
  const none = () => undefined
  return { who, isDryRun: false, tool: () => refusal, command: none, paths: none, places: () => refusal, asks: none }
}

function judgeTool({ role: { name }, allows, blocks }: Rules, tool: string): Refusal | undefined {
  const refuse = (reasonCode: 'tool_denied' | 'tool_not_allowed', list: string, reason: string): Refusal => {
    return { rpc: 'forbidden', reasonCode, reason, matchedRule: `roles.${name}.${list}`, data: { reason } }
  }
  if (blocks(tool)) return refuse('tool_denied', 'blocked_tools', 'Tool is blocked for this role')
  return allows(tool) ? undefined : refuse('tool_not_allowed', 'allowed_tools', 'Tool is not allowed for this role')
}

function judgeCommand({ name, commands }: Role, command: JudgedCommand | undefined): Refusal | undefined {
  if (!command) return undefined
  const verdict = command.isBlocked ? 'dangerous' : command.judgement.verdict
  const treated = verdict === 'dangerous' ? commands.dangerous : verdict === 'needs_review' ? commands.needsReview : 'allow'
  if (treated !== 'deny') return undefined
  const [told, recorded] = command.why
  const isDangerous = verdict === 'dangerous'
  const matchedRule = `roles.${name}.commands.${verdict}`
  const reason = `The command ${isDangerous ? 'is dangerous' : 'needs review'}: `
  const reasonCode = isDangerous ? 'command_dangerous' : 'command_needs_review'
  return { rpc: 'forbidden', reasonCode, reason: reason + recorded, matchedRule, data: { reason: reason + told } }
}

function findHit(paths: RolePaths, { input, command, disk }: RoleCall): RolePathHit | undefined {
  const inArguments = paths.findIn(input, command?.call.pointers ?? new Set(), disk)
  return inArguments ?? (command && paths.findInCommand(writtenPaths(command), basesOf(command), disk))
}

function certainly(hit: RolePathHit | undefined): RolePathHit | undefined {
  return hit && { ...hit, certain: true }
}

function judgePaths({ name }: Role, hit: RolePathHit | undefined): Refusal | undefined {
  if (!hit?.certain) return undefined
  const reason = `a path at ${hit.where || 'the top'} is ${hit.rule === 'allowed_paths' ? 'not allowed' : 'blocked'} for this role`
  return {
    rpc: 'path',
    reasonCode: 'path_not_allowed',
    reason,
    matchedRule: `roles.${name}.${hit.rule}`,
    data: { reason: 'Path not allowed' },
  }
}

function whyAsk(
  { role, approves, asksFor }: Rules,
  { tool, command }: RoleCall,
  hit: RolePathHit | undefined,
): ReturnType<RoleCase['asks']> {
  const rule = (key: string) => `roles.${role.name}.${key}`
  const { commands, askFor } = role
  if (command) {
    const verdict = command.isBlocked ? 'dangerous' : command.judgement.verdict
    const treated = verdict === 'dangerous' ? commands.dangerous : verdict === 'needs_review' ? commands.needsReview : 'allow'
    if (treated === 'ask')
      return {
        reason: `The command ${verdict === 'dangerous' ? 'is dangerous' : 'needs review'}: ${command.why[1]}`,
        rule: rule(`commands.${verdict}`),
      }
  }
  if (hit)
    return {
      reason: `Only running it would tell whether a path is ${hit.rule === 'allowed_paths' ? 'allowed' : 'blocked'}`,
      rule: rule(hit.rule),
    }
  if (askFor.includes(tool)) return { reason: 'This role asks before this tool', rule: rule('human_approval.required_for') }
  if (approves(tool)) return undefined
  if (asksFor(tool)) return { reason: 'This role asks before this tool', rule: rule('human_approval.required_for') }
  return role.mode === 'supervised' ? { reason: 'This role is supervised', rule: rule('execution_mode') } : undefined
}
