/** A room in which hooks are answered without a ledger, and the recorded hooks of each client. @module */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGate } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import { createRecorder } from '@sworn/recorder'
import { type MemoryPort, memoryPort } from '../../../recorder/test/support/memory-port.ts'
import { answerHook, findHookClient, type HookRoom, openCallsIn, readHook } from '../../src/hooks/index.ts'
import type { Answer } from '../../src/hooks/types.ts'

export interface HookVector {
  readonly event: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly records: readonly string[]
  readonly reply?: object
}
export interface HookVectors {
  readonly client: string
  readonly made: string
  readonly hooks: readonly HookVector[]
  readonly masked: Required<Pick<HookVector, 'event' | 'payload' | 'reply'>>
}

export function readVectors(client: string): HookVectors {
  return JSON.parse(readFileSync(new URL(`../../../../vectors/hooks/${client}.json`, import.meta.url), 'utf8'))
}

const POLICY = `
apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: hooks}
spec:
  allowed_tools: [Bash, Read, Agent, Task, Shell, run_shell_command, mcp__files__read_text_file]
  tool_rules: [{tool: Write, action: ask}]
  dlp:
    scan_requests: true
    patterns: [{name: AWS Key, regex: "AKIA[A-Z0-9]{16}"}]
`

export interface TestRoom extends HookRoom {
  readonly port: MemoryPort
  readonly folder: string
  /** What came since the last call of it, as one line a record. */
  newRecords(): string[]
  answer(client: string, event: string | undefined, payload: unknown): Promise<Answer>
}

export function openRoom(rest: Partial<Omit<HookRoom, 'recorder'>> = {}): TestRoom {
  const port = memoryPort()
  const folder = mkdtempSync(join(tmpdir(), 'sworn-hooks-'))
  const recorder = createRecorder({ port, user: 'alice' })
  let seen = 0
  const room: TestRoom = {
    recorder,
    gate: createGate({ policy: loadPolicy({ text: POLICY, name: 'hooks.yaml' }) }),
    calls: openCallsIn(folder),
    onAuditFailure: 'block',
    now: Date.now,
    ...rest,
    port,
    folder,
    newRecords() {
      const events = port.events()
      const lines = events.slice(seen).map(summary)
      seen = events.length
      return lines
    },
    async answer(name, event, payload) {
      const client = findHookClient(name)!
      const answer = await answerHook(client, readHook(client, Buffer.from(JSON.stringify(payload)), event), room)
      await recorder.flush().catch(() => {}) // a port that fails was told to
      return answer
    },
  }
  return room
}

interface Shown {
  readonly event_type: string
  readonly decision?: string
  readonly tool?: string
  readonly agent_id?: string
  readonly source: { readonly vantage: string }
  readonly reason_code?: string
  readonly error_type?: string
  readonly parent_id?: string
  readonly agent?: { readonly parent_agent_id?: string }
  readonly metadata?: { readonly unmatched?: boolean }
}

/** `event_type decision tool agent vantage why child unmatched`, what there is of it. */
function summary(event: object): string {
  const { event_type, decision, tool, agent_id, source, reason_code, error_type, parent_id, agent, metadata } = event as Shown // shaped by the recorder
  const why = decision === 'deny' ? reason_code : error_type
  const child = parent_id !== undefined && agent?.parent_agent_id !== undefined ? 'child' : undefined
  const words = [event_type, decision, tool, agent_id, source.vantage, why, child, metadata?.unmatched ? 'unmatched' : undefined]
  return words.filter((word) => word !== undefined).join(' ')
}
