/** The `openai` SDK: chat completions and Responses, and every helper of it that goes through them. @module */
import type { Adapter } from '../adapter.ts'
import { memberOf } from '../members.ts'
import { prototypeAt, recordingCreate } from './create-call.ts'
import { chat } from './openai-chat.ts'
import { responses } from './openai-responses.ts'
import type { Dialect } from './stream.ts'

const RESOURCES: readonly [name: string, path: readonly string[], dialect: Dialect][] = [
  ['Chat.Completions', ['Chat', 'Completions'], chat],
  ['Responses', ['Responses'], responses],
]

export const openai: Adapter = {
  id: 'openai',
  layer: 'sdk',
  facts: {
    sees: 'chat completions and Responses, streamed or not, with usage and the tool calls that the model asks for; `parse`, `stream` and `runTools` go through them',
    stops: 'a model call whose request cannot be recorded',
    misses: 'the tools themselves, realtime, other endpoints; an answer taken with `asResponse()` has no outcome',
  },
  canBlock: () => true,
  targets: [{ pkg: 'openai', entries: ['openai'], tested: [5, 7], files: [{ file: /^client\.m?js$/, names: ['OpenAI'] }] }],
  patch({ module }, { guard, patches }) {
    const holders = [module, memberOf(module, 'OpenAI'), memberOf(module, 'default')]
    return RESOURCES.filter(([, path, dialect]) =>
      patches.method(prototypeAt(holders, path), 'create', (create) => recordingCreate(create, guard, dialect)),
    ).map(([name]) => name)
  },
}
