/**
 * The OpenAI Agents SDK: every tool that an agent hands to its model, and every handoff.
 *
 * Both are read from the agent at each turn, and watched then: a tool stays the object that the SDK knows, in its
 * registries too. What traces say is used and not needed: they can be off. Source: spec capture §4.4,
 * `@openai/agents-core` 0.2.1 and 0.20.0.
 * @module
 */
import type { Adapter } from '../adapter.ts'
import { listAt, memberOf, textAt } from '../members.ts'
import type { Method, Patches } from '../patches.ts'
import { createAgentRuns } from './openai-agents-runs.ts'
import { watchHandoff, watchTool } from './openai-agents-tools.ts'

export const openaiAgents: Adapter = {
  id: 'openai-agents',
  layer: 'framework',
  facts: {
    sees: 'function tools, agents as tools, MCP tools, the local shell and patches; handoffs, with who hands over to whom',
    stops: 'all of these tools; a handoff, which ends the run',
    misses: 'tools that OpenAI runs, computers, guardrails; the models themselves, which other adapters see',
  },
  canBlock: ({ module }) => memberOf(module, 'Agent') !== undefined,
  targets: [
    { pkg: '@openai/agents', entries: ['@openai/agents'], tested: [0, 0], files: [] }, // it is the core that it loads
    {
      pkg: '@openai/agents-core',
      entries: ['@openai/agents-core'],
      tested: [0, 0],
      files: [
        { file: /^dist\/agent\.m?js$/, names: ['Agent'] },
        { file: /^dist\/tracing\/context\.m?js$/, names: ['getCurrentSpan', 'getCurrentTrace'] },
      ],
    },
  ],
  patch({ module }, tools) {
    const copies = copiesOf(tools.patches)
    copies.push(module)
    const prototype = memberOf(module, 'Agent', 'prototype')
    const { within, enter, handOver } = createAgentRuns(tools)
    const watching = { tools, copies, within, handOver }
    const seesTools = tools.patches.method(prototype, 'getAllTools', (read) =>
      reading(read, (agent, context, listed) => {
        enter(context, textAt(agent, 'name'))
        for (const tool of listed) watchTool(tool, watching)
      }),
    )
    const seesHandoffs = tools.patches.method(prototype, 'getEnabledHandoffs', (read) =>
      reading(read, (_agent, _context, listed) => {
        for (const handoff of listed) watchHandoff(handoff, watching)
      }),
    )
    const seesSpans = typeof memberOf(module, 'getCurrentSpan') === 'function'
    return [...(seesTools ? ['Agent.tools'] : []), ...(seesHandoffs ? ['Agent.handoffs'] : []), ...(seesSpans ? ['spans'] : [])]
  },
}

/** A method that resolves with a list, which is shown before the SDK has it. */
function reading(read: Method, show: (agent: unknown, context: unknown, listed: readonly unknown[]) => void): Method {
  return async function (...args) {
    const listed = await Reflect.apply(read, this, args)
    show(this, args[0], listAt({ listed }, 'listed'))
    return listed
  }
}

const known = new WeakMap<Patches, unknown[]>()

/** What one installation has found so far: one copy may come in files. */
function copiesOf(patches: Patches): unknown[] {
  const copies = known.get(patches) ?? []
  known.set(patches, copies)
  return copies
}
