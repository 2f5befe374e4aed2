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
import { isToolGlob, matchesTool, parseToolGlob } from '../tool-globs.ts'
import type { Directory, Role, ToolNames } from './types.ts'
import type { Who } from './who.ts'

/** One call, as its role sees it. Each answer is made when it is asked for. */
export interface RoleCase {
  readonly who: Who
  readonly isDryRun: boolean
  tool(): Refusal | undefined
  command(): Refusal | undefined
  paths(): Refusal | undefined
  /** Why a person has to be asked. */
  asks(): { readonly reason: string; readonly rule: string } | undefined
}

export interface RoleCall {
  /** The normalised name. */
  readonly tool: string
  readonly input: unknown
  readonly command: JudgedCommand | undefined
}

export interface RoleJudge {
  about(who: Who, call: RoleCall): RoleCase
}

export function createRoleJudge(directory: Directory, platform: Platform): RoleJudge {
  const paths = new Map<string, RolePaths>()
  for (const { name, allowedPaths, blockedPaths } of directory.roles.values())
    paths.set(name, createRolePaths({ allowed: allowedPaths, blocked: blockedPaths }, platform))
  return {
    about(who, call) {
      const { role } = who
      if (!role) return unknownRole(who)
      const hits = { found: false as boolean, hit: undefined as RolePathHit | undefined }
      const hit = () => {
        if (!hits.found) hits.hit = findHit(paths.get(role.name), call)
        hits.found = true
        return hits.hit
      }
      return {
        who,
        isDryRun: role.mode === 'dry_run',
        tool: () => judgeTool(role, call.tool),
        command: () => judgeCommand(role, call.command),
        paths: () => judgePaths(role, hit()),
        asks: () => whyAsk(role, call, hit()),
      }
    },
  }
}

function unknownRole(who: Who): RoleCase {
  const reason = who.roleName === undefined ? 'Nobody gave this user a role' : 'The role of this user does not exist'
  const refusal: Refusal = { rpc: 'forbidden', reasonCode: 'role_unknown', reason, matchedRule: 'roles', data: { reason: 'No known role' } }
  const none = () => undefined
  return { who, isDryRun: false, tool: () => refusal, command: none, paths: none, asks: none }
}

function judgeTool({ name, allowedTools, blockedTools }: Role, tool: string): Refusal | undefined {
  const refuse = (reasonCode: 'tool_denied' | 'tool_not_allowed', list: string, reason: string): Refusal => {
    return { rpc: 'forbidden', reasonCode, reason, matchedRule: `roles.${name}.${list}`, data: { reason } }
  }
  if (isNamed(blockedTools, tool)) return refuse('tool_denied', 'blocked_tools', 'Tool is blocked for this role')
  return isNamed(allowedTools, tool) ? undefined : refuse('tool_not_allowed', 'allowed_tools', 'Tool is not allowed for this role')
}

/** `*` may be anything in a name, slashes too. */
function isNamed(names: ToolNames, tool: string): boolean {
  return names.some((name) => {
    if (!isToolGlob(name)) return name === tool
    const glob = parseToolGlob(name)
    return glob !== undefined && matchesTool(glob, tool)
  })
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

function findHit(paths: RolePaths | undefined, { input, command }: RoleCall): RolePathHit | undefined {
  const inArguments = paths?.findIn(input, command?.call.pointers ?? new Set())
  return inArguments ?? (command && paths?.findInCommand(writtenPaths(command), basesOf(command)))
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

function whyAsk(role: Role, { tool, command }: RoleCall, hit: RolePathHit | undefined): ReturnType<RoleCase['asks']> {
  const rule = (key: string) => `roles.${role.name}.${key}`
  const { commands, askFor, autoApprove } = role
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
  if (isNamed(autoApprove, tool)) return undefined
  if (isNamed(askFor, tool)) return { reason: 'This role asks before this tool', rule: rule('human_approval.required_for') }
  return role.mode === 'supervised' ? { reason: 'This role is supervised', rule: rule('execution_mode') } : undefined
}
