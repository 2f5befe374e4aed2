/** docs/reference/instrument.md, from the adapters themselves. @module */
import { ADAPTERS, type Adapter, type Target } from '@sworn/instrument'

const LAYERS = { sdk: 'classes of the SDK', framework: "the framework's own hooks", wire: 'requests on the wire' }

export function instrumentPage(): string {
  return [
    '# Instrumentation',
    '',
    'Reference; generated from the adapters in `packages/instrument` by `npm run docs`. How to use them: [instrument](../guides/instrument.md).',
    '',
    'Records have `source.kind` instrumentation, the adapter as `source.name` and `vantage` inline. One `instrumentation_report` for each copy of a package that was found says package, version, path, format, what was patched (`patched`), whether its version lies within those that the tests run with (`tested`) and whether it can be stopped (`can_block`).',
    '',
    '| adapter | by | packages, majors that are tested | sees | can stop | masks | does not see |',
    '|---|---|---|---|---|---|---|',
    ...ADAPTERS.map(row),
    '',
    '⟳ behind a package: each copy is seen when it is loaded, under `sworn/register`, and inside a bundle that was made with the plugin of `sworn/esbuild`. The others are looked for and loaded at the start.',
    '',
    '*Masks*: what a policy wants masked in the arguments of a tool is masked before the tool gets it; elsewhere such a call is refused.',
    '',
    'Each adapter goes through one contract with the real packages, the oldest and the newest major: parallel calls, errors, refusals, streams that are left or break, double installation, giving back, a recorder that fails in both settings, large inputs and inputs that are not JSON.',
    '',
  ].join('\n')
}

function row({ id, layer, targets, facts, rewrites }: Adapter): string {
  return `| \`${id}\` | ${LAYERS[layer]} | ${targets.map(packageOf).join(', ')} | ${facts.sees} | ${facts.stops} | ${rewrites ? 'yes' : 'no'} | ${facts.misses} |`
}

function packageOf({ pkg, tested: [oldest, newest], files }: Target): string {
  return `\`${pkg}\` ${oldest === newest ? newest : `${oldest} to ${newest}`}${files ? ' ⟳' : ''}`
}
