/**
 * Questions without an end: somebody was asked, and no decision followed. A crash looks like this.
 *
 * Reads recorded events in order, in one pass. Source: issue "Approvals", spec events §2.
 * @module
 */

/** The members that are looked at; entries of a ledger and plain events both fit. */
export interface RecordedEvent {
  readonly event_type?: unknown
  readonly correlation_id?: unknown
  readonly tool?: unknown
  readonly session_id?: unknown
  readonly timestamp?: unknown
  readonly expires_at?: unknown
  readonly metadata?: unknown
  readonly seq?: unknown
}

export interface UnsettledApproval {
  /** undefined: the event carries none. */
  readonly approvalId?: string
  readonly correlationId?: string
  readonly tool?: string
  readonly session?: string
  readonly askedAt?: string
  readonly seq?: number
  /** waiting: its time is not over at `nowMs`. abandoned: it is; the call was not executed by us. */
  readonly state: 'waiting' | 'abandoned'
  /** One sentence for a report. */
  readonly says: string
}

/** In the order of asking. Hostile input: members of other types are taken as absent. */
export function findUnsettled(events: Iterable<RecordedEvent>, nowMs: number): readonly UnsettledApproval[] {
  const open = new Map<string, RecordedEvent>()
  let nameless = 0
  for (const event of events) {
    const key = textOf(event.correlation_id)
    if (event.event_type === 'approval_requested') open.set(keyOf(event) ?? `#${nameless++}`, event)
    else if (event.event_type === 'authorization_decision') {
      for (const name of [key && `c:${key}`, idOf(event) && `a:${idOf(event)}`]) if (name) open.delete(name)
    }
  }
  return [...open.values()].map((event) => describe(event, nowMs))
}

/** A decision repeats the correlation_id; a request without one is told by its approval's id. */
function keyOf(event: RecordedEvent): string | undefined {
  const correlation = textOf(event.correlation_id)
  const id = idOf(event)
  return correlation !== undefined ? `c:${correlation}` : id === undefined ? undefined : `a:${id}`
}

function describe(event: RecordedEvent, nowMs: number): UnsettledApproval {
  const expiresMs = Date.parse(textOf(event.expires_at) ?? '')
  const state = expiresMs > nowMs ? 'waiting' : 'abandoned'
  const members = {
    approvalId: idOf(event),
    correlationId: textOf(event.correlation_id),
    tool: textOf(event.tool),
    session: textOf(event.session_id),
    askedAt: textOf(event.timestamp),
    seq: typeof event.seq === 'number' ? event.seq : undefined,
  }
  const present = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
  const says =
    state === 'waiting'
      ? 'A person was asked and has time to answer'
      : 'A person was asked and no decision followed: the call was not let through'
  return { ...present, state, says }
}

function idOf({ metadata }: RecordedEvent): string | undefined {
  const approval = memberOf(metadata, 'approval')
  return textOf(memberOf(approval, 'id'))
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined // an object: checked
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)
