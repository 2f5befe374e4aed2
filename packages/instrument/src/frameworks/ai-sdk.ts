/**
 * The AI SDK (`ai`) through its registry of telemetry, a list on `globalThis` that every copy of it reads at each call.
 *
 * From 7 on it runs models and tools inside what is registered, so both can be refused. 6 tells of tools only, and takes no
 * refusal: those are observed. 5 has no such list. Where the loader can bind their functions again tools are judged by
 * copies of them, which can be given other arguments and whose answers can be masked, and models are recorded in each.
 * Source: spec capture §4.2, `ai` 5.0.277, 6.0.326 and 7.0.173.
 * @module
 */
import type { Adapter, Found } from '../adapter.ts'
import { memberOf } from '../members.ts'
import { createTelemetry } from './ai-telemetry.ts'
import { REBOUND, watchingCall } from './ai-tools.ts'

const REGISTRY = 'AI_SDK_TELEMETRY_INTEGRATIONS'

export const aiSdk: Adapter = {
  id: 'ai-sdk',
  layer: 'framework',
  facts: {
    sees: 'tools and model calls, streamed or not, with usage; without `sworn/register` or the plugin in 6 tools alone, and nothing in 5',
    stops: 'tools, and a model call whose request cannot be recorded; without `sworn/register` or the plugin in 6 nothing',
    misses:
      'in 7 models, and without `sworn/register` or the plugin tools too, of calls with `telemetry: { isEnabled: false }` or with integrations of their own; what `recordInputs` and `recordOutputs` hold back of models, and without the loader or the plugin of tools, also from a policy, with an `observation_gap` that says so; tools that the provider runs; in 5 and 6 models that are named by a text or chosen for a step, and the end of a stream that is left',
  },
  canBlock: (found) => isLoaded(found) || generationOf(found) >= 7,
  targets: [
    {
      pkg: 'ai',
      entries: ['ai'],
      tested: [5, 7],
      isGlobal: true,
      files: [{ file: /^dist\/index\.m?js$/, names: REBOUND, rebind: REBOUND }],
    },
  ],
  patch(found, tools) {
    const generation = generationOf(found)
    const registered =
      generation >= 6 && tools.patches.register(REGISTRY, createTelemetry(tools, tools.patches.isActive)) ? ['telemetry'] : []
    const bound = (name: string) => tools.patches.method(found.module, name, (original) => watchingCall(original, generation, tools))
    return [...registered, ...(isLoaded(found) ? REBOUND.filter(bound) : [])]
  },
}

/** Its functions can be bound again: those that a namespace exports cannot. */
const isLoaded = ({ format }: Found): boolean => format === 'esm' || format === 'cjs' || format === 'bundled'

/** By the version, or by the word that the module has for registering. */
function generationOf({ version, module }: Found): number {
  if (version !== undefined) return Number.parseInt(version, 10)
  if (typeof memberOf(module, 'registerTelemetry') === 'function') return 7
  return typeof memberOf(module, 'registerTelemetryIntegration') === 'function' ? 6 : 0
}
