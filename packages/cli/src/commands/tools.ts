/**
 * `sworn tools serve`: scripts that a YAML file declares, as tools of an MCP server over stdio. stdout belongs to MCP.
 *
 * The server stands behind the same relay as any other: the policy decides, the decision is on disk before a script
 * starts, and its outcome is recorded.
 * @module
 */
import { resolve } from 'node:path'
import { extendRelay, type RelayOptions, runStdioProxy } from '@sworn/proxy'
import { readTools, type ToolFile } from '@sworn/proxy/tools'
import { readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { ACTING_FLAGS } from '../frame/acting-flags.ts'
import { defineCommand, type ExitCode, type Values } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { type ApprovalsHandle, planApprovals } from '../open-approvals.ts'
import { openIdentity } from '../open-identity.ts'
import type { Opened } from '../open-recorder.ts'
import { openFor } from '../opening.ts'
import { closeQuietly, toExitCode, warnAtStart } from '../relaying.ts'
import { openToolPins, pinsFile } from '../tool-pins.ts'

const FLAGS = {
  check: { type: 'boolean', about: 'check the file and list its tools; nothing is served' },
  ...ACTING_FLAGS,
  config: { ...ACTING_FLAGS.config, about: 'another file than the `audit:` block of FILE, or ./sworn.yaml where it has none' },
} as const

type Given = Values<typeof FLAGS>

export const tools = defineCommand({
  args: 'serve FILE',
  maxArgs: 2,
  flags: FLAGS,
  example: 'sworn tools serve tools.yaml --policy agent.yaml',
  notes: ['--check: exit 0 when every tool can be served, 2 with the place of the first fault otherwise.'],
  async run([action, path], flags, io) {
    if (action !== 'serve' || path === undefined) throw new SwornError('USAGE', 'serve FILE was expected')
    const file = readFile(path, io)
    return flags.check ? list(file, io) : serve(file, { path, flags, io })
  },
})

/** @throws SwornError CONFIG_INVALID with its place, IO_FAILED */
function readFile(path: string, { cwd }: Io): ToolFile {
  const full = resolve(cwd, path)
  const text = readTextFile(full)
  if (text === undefined) throw new SwornError('IO_FAILED', 'the file does not exist', path)
  return readTools(text, path, resolve(full, '..'))
}

async function list({ tools: all }: ToolFile, io: Io): Promise<ExitCode> {
  for (const { name, parameters, audit } of all) {
    const names = parameters.map((parameter) => (parameter.required ? parameter.name : `[${parameter.name}]`))
    await io.out([name, ...names, ...(audit ? [] : ['(not recorded)'])].join(' '))
  }
  return 0
}

interface Serving {
  readonly path: string
  readonly flags: Given
  readonly io: Io
}

async function serve(file: ToolFile, { path, flags, io }: Serving): Promise<ExitCode> {
  const { openToolServer } = await import('../tools/server.ts')
  const isConfig = file.configures && flags.config === undefined
  const opened = await openFor(io, {
    path: flags['audit-log'],
    config: isConfig ? path : flags.config,
    policy: flags.policy,
    roles: flags.roles,
    policyKeys: flags['policy-key'],
    user: flags.user,
    agent: flags.agent,
    here: true,
    opensLater: true,
    actsOn: ['identity'],
    ...(isConfig && { beside: ['name', 'version', 'tools'] }),
  })
  warnAtStart(opened, { isBatch: false, isJudged: false }, io)
  let approvals: ApprovalsHandle | undefined
  try {
    approvals = await planApprovals(opened, io)
    const relay = await toRelay(file, opened, approvals, { path, flags, io })
    const { stdin, stdout } = io
    return toExitCode(await runStdioProxy(extendRelay(relay, { command: path, stdin, stdout }), async () => openToolServer(file, io.env)))
  } finally {
    await approvals?.close()
    await closeQuietly(opened, (text) => io.say('error', text))
  }
}

async function toRelay(file: ToolFile, opened: Opened, approvals: ApprovalsHandle, { path, io }: Serving): Promise<RelayOptions> {
  const { recorder, identity, port, config } = opened
  const tokens = await openIdentity(opened)
  return {
    stderr: io.stderr,
    get gate() {
      return opened.gate
    },
    recorder,
    approvals: approvals.open,
    identity,
    tokens,
    pins: openToolPins(pinsFile(config.directories.state, port.info.logId), ['sworn tools', resolve(io.cwd, path)], io.say),
    unrecorded: new Set(file.tools.flatMap(({ name, audit }) => (audit ? [] : [name]))),
    get onAuditFailure() {
      return opened.config.values.on_audit_failure
    },
    say: io.say,
  }
}
