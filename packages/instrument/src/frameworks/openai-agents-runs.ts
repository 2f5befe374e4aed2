/**
 * Which agent of a run acts: the one that was asked for its tools last.
 *
 * An agent that a run was handed to, or that is another agent's tool, is recorded as its subagent.
 * @module
 */
import type { Tools } from '../adapter.ts'

interface Acting {
  readonly name: string
  /** Who handed over, and in which call. */
  readonly from?: { readonly name: string; readonly call: string }
}

export interface AgentRuns {
  /** `name` acts in the run of this context from now on. */
  enter(run: unknown, name: string | undefined): void
  /** The run goes to `name` in the call that is under way. */
  handOver(run: unknown, name: string): void
  /** Runs `fn` so that what it records is the acting agent's. */
  within<T>(run: unknown, fn: () => T): T
}

const FRAMEWORK = 'openai-agents'

export function createAgentRuns({ recorder }: Pick<Tools, 'recorder'>): AgentRuns {
  const acting = new WeakMap<object, Acting>()
  const actingIn = (run: unknown) => (isKey(run) ? acting.get(run) : undefined)

  return {
    enter(run, name) {
      if (isKey(run) && name !== undefined && acting.get(run)?.name !== name) acting.set(run, { name })
    },
    handOver(run, name) {
      const from = actingIn(run)
      const call = recorder.context().correlation_id
      if (isKey(run)) acting.set(run, { name, ...(from && call !== undefined && { from: { name: from.name, call } }) })
    },
    within(run, fn) {
      const agent = actingIn(run)
      if (!agent) return fn()
      const { agent_id, agent: info } = recorder.context()
      const outer = info?.framework === FRAMEWORK && agent_id !== agent.name ? agent_id : undefined
      const parent_agent_id = agent.from?.name ?? outer
      const isMain = parent_agent_id === undefined
      return recorder.withContext(
        {
          agent_id: (isMain ? agent_id : undefined) ?? agent.name,
          agent: { name: agent.name, framework: FRAMEWORK, ...(isMain ? info : { parent_agent_id }) },
          ...(agent.from && { parent_id: agent.from.call }),
        },
        fn,
      )
    },
  }
}

const isKey = (value: unknown): value is object => typeof value === 'object' && value !== null
