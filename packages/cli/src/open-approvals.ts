/**
 * The people whom the configuration lets a proxy ask, and the ways to them.
 *
 * Opened when the policy first says `ask`; a webhook at the start, so that a wrong one is no surprise then. What people
 * see is what the recorder would write. Source: docs/guides/approvals.md.
 * @module
 */
import { randomInt } from 'node:crypto'
import { userInfo } from 'node:os'
import type { Approvals, Channel, ClientDesk, RedactFn, Remembered, Terminal } from '@sworn/govern/approvals'
import { type AuditBlock, type AuditEvent, createRedactor, shapeEvent } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'
import type { Opened } from './open-recorder.ts'
import { toSettings } from './wiring.ts'

/** What a proxy is given: fits `ProxyApprovals` of the proxy. */
export interface OpenApprovals {
  readonly approvals: Approvals
  readonly client?: ClientDesk
}

export interface ApprovalsHandle {
  /** The same every time. @throws SwornError CONFIG_INVALID */
  open(): Promise<OpenApprovals>
  /** Approvals that still hold; none before the first question. */
  remembered(): readonly Remembered[]
  /** Takes back what is still asked. */
  close(): Promise<void>
}

type Settings = NonNullable<AuditBlock['approvals']>
type Way = NonNullable<Settings['channels']>[number]

const SOURCE = { kind: 'mcp_stdio', name: 'sworn-proxy', vantage: 'inline' }
/** Never recorded: a redacted event is only shown. */
const NO_ID = '00000000-0000-7000-8000-000000000000'

/** What of the world is needed to ask. */
export type AskingIo = Pick<Io, 'platform' | 'env' | 'cwd' | 'say' | 'openTerminal'>

export interface PlanOptions {
  /** Ways besides those of the configuration. */
  readonly more?: readonly Channel[]
  /** Ways that cannot be gone here. */
  readonly without?: readonly Way[]
  /** Who asks waits no longer. */
  readonly longestMs?: number
}

/** @throws SwornError CONFIG_INVALID for a webhook that cannot be one */
export async function planApprovals(opened: Opened, io: AskingIo, options: PlanOptions = {}): Promise<ApprovalsHandle> {
  const { more = [], without = [], longestMs } = options
  const configured = opened.config.values.approvals ?? {}
  const settings =
    longestMs === undefined ? configured : { ...configured, timeout_s: Math.min(configured.timeout_s ?? longestMs, longestMs / 1000) }
  const ways = waysOf(settings).filter((way) => !without.includes(way))
  let open: Promise<OpenApprovals> | undefined
  let approvals: Approvals | undefined
  const handle: ApprovalsHandle = {
    open: () =>
      (open ??= openApprovals(opened, io, { settings, ways, more }).then((made) => {
        approvals = made.approvals
        return made
      })),
    remembered: () => approvals?.remembered() ?? [],
    close: async () => (await open?.catch(() => undefined))?.approvals.close(),
  }
  if (ways.includes('webhook')) await handle.open()
  return handle
}

/** Without a list: the ways that an agent and its client cannot answer. */
function waysOf({ channels, webhook }: Settings): readonly Way[] {
  const ways = channels ?? ['terminal', 'dialog', ...(webhook ? (['webhook'] as const) : [])]
  if (ways.includes('webhook') && !webhook)
    throw new SwornError('CONFIG_INVALID', 'a webhook is among the channels, and its url and secret are missing', 'audit.approvals.webhook')
  return ways
}

interface Plan {
  readonly settings: Settings
  readonly ways: readonly Way[]
  readonly more: readonly Channel[]
}

async function openApprovals(opened: Opened, io: AskingIo, { settings, ways, more }: Plan): Promise<OpenApprovals> {
  const govern = await import('@sworn/govern/approvals')
  const { user } = opened.identity
  const client = ways.includes('mcp') ? govern.createClientDesk(user === undefined ? {} : { approver: user }) : undefined
  const approver = localUser()
  const { createServedChannel } = await import('./served-approvals.ts')
  const served = createServedChannel(opened, io)
  const channelOf = (way: Way): readonly Channel[] => {
    if (way === 'terminal') return [terminalOf(govern, io.openTerminal ?? govern.openControllingTerminal, approver)]
    if (way === 'dialog') return [govern.createDialogChannel({ desktop: { platform: io.platform, env: io.env, cwd: io.cwd }, approver })]
    if (way === 'webhook') return settings.webhook ? [govern.createWebhookChannel(settings.webhook)] : []
    return client?.channels ?? []
  }
  const approvals = govern.createApprovals({
    channels: [...[...new Set(ways)].flatMap(channelOf), ...more, served],
    redact: redactWith(opened),
    reserve: (step) => opened.port.reserve(step),
    note: (event) => void opened.recorder.record({ ...event, source: SOURCE }).catch(() => {}), // counted by the recorder
    ...(settings.timeout_s !== undefined && { timeoutMs: settings.timeout_s * 1000 }),
  })
  return client ? { approvals, client } : { approvals }
}

function terminalOf({ createTerminalChannel }: typeof import('@sworn/govern/approvals'), open: () => Terminal, approver: string): Channel {
  return createTerminalChannel({ open, approver, code: () => String(randomInt(100_000, 1_000_000)) })
}

/** Redaction as it is in force when a question is made. */
function redactWith(opened: Opened): RedactFn {
  let made: { readonly of: object; readonly redactor: ReturnType<typeof createRedactor> } | undefined
  return (event: AuditEvent) => {
    const { config, port } = opened
    if (made?.of !== config) made = { of: config, redactor: createRedactor(toSettings(config).redact, port.info.macKey) }
    const stamp = { timestamp: new Date().toISOString(), eventId: NO_ID }
    return JSON.parse(made.redactor.redact(shapeEvent(event, [], stamp)))
  }
}

/** Who sits at this machine's terminal and display. */
function localUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}` // no entry in the password database
  }
}
