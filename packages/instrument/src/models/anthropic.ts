/** The `@anthropic-ai/sdk`: Messages, its beta, and every helper of it that goes through them. @module */
import type { Adapter } from '../adapter.ts'
import { memberOf } from '../members.ts'
import { messages } from './anthropic-messages.ts'
import { prototypeAt, recordingCreate } from './create-call.ts'

const RESOURCES: readonly [name: string, path: readonly string[]][] = [
  ['Messages', ['Messages']],
  ['Beta.Messages', ['Beta', 'Messages']],
]

export const anthropic: Adapter = {
  id: 'anthropic',
  layer: 'sdk',
  facts: {
    sees: 'Messages and its beta, streamed or not, with usage and the tool calls that the model asks for; `parse`, `stream` and `toolRunner` go through them',
    stops: 'a model call whose request cannot be recorded',
    misses: 'the tools themselves, batches, other endpoints; an answer taken with `asResponse()` has no outcome',
  },
  canBlock: () => true,
  targets: [
    { pkg: '@anthropic-ai/sdk', entries: ['@anthropic-ai/sdk'], tested: [0, 1], files: [{ file: /^client\.m?js$/, names: ['Anthropic'] }] },
  ],
  patch({ module }, { guard, patches }) {
    const holders = [module, memberOf(module, 'Anthropic'), memberOf(module, 'default')]
    return RESOURCES.filter(([, path]) =>
      patches.method(prototypeAt(holders, path), 'create', (create) => recordingCreate(create, guard, messages)),
    ).map(([name]) => name)
  },
}
