/**
 * The AI SDK (`ai`) through its registry of telemetry, a list on `globalThis` that every copy of it reads at each call.
 *
 * From 7 on it runs models and tools inside what is registered, so both can be refused. 6 tells of tools only, and takes no
 * refusal: those are observed. 5 has no such list: its tools are judged where the loader can bind its functions again.
 * Source: spec capture §4.2, `ai` 5.0.277, 6.0.326 and 7.0.173.
 * @module
 */
import type { Adapter, Found } from '../adapter.ts'
import { memberOf } from '../members.ts'
import { createTelemetry } from './ai-telemetry.ts'
import { judgingTools, REBOUND } from './ai-tools.ts'

const REGISTRY = 'AI_SDK_TELEMETRY_INTEGRATIONS'

export const aiSdk: Adapter = {
  id: 'ai-sdk',
  layer: 'framework',
  facts: {
    sees: 'from 7 on model calls and tools, streamed or not, with usage; in 6 tools; in 5 tools, under `sworn/register` or in a bundle made with the plugin',
    stops: 'from 7 on tools, and a model call whose request cannot be recorded; in 6 nothing; in 5 tools',
    misses:
      'without `sworn/register` or the plugin: everything in 5, and in 7 calls with `telemetry: { isEnabled: false }` or with integrations of their own, of which otherwise the tools are seen and stopped; what `recordInputs` and `recordOutputs` hold back, also from a policy; tools that the provider runs; models in 5 and 6',
  },
  canBlock: (found) => (isLoaded(found) && generationOf(found) < 6) || generationOf(found) >= 7,
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
    const bound = (name: string) => tools.patches.method(found.module, name, (original) => judgingTools(original, generation, tools))
    return [...registered, ...(isLoaded(found) && generation !== 6 ? REBOUND.filter(bound) : [])]
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
