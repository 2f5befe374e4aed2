/** docs/reference/instrument.md: what adapters say of themselves, and what the runs of their contract assert. @module */
import { readFileSync } from 'node:fs'
import { ADAPTERS, type Adapter, type Target } from '@sworn/instrument'
import { CELLS, type Cell } from './src/adapter-cells.ts'

const LAYERS = { sdk: 'classes of the SDK', framework: "the framework's own hooks", wire: 'requests on the wire' }

export function instrumentPage(): string {
  return [
    '# Instrumentation',
    '',
    'Reference; generated from the adapters in `packages/instrument`, and from what their tests assert, by `npm run docs`. How to use them: [instrument](../guides/instrument.md).',
    '',
    'Records have `source.kind` instrumentation, the adapter as `source.name` (`mcp-received` for what others ask of this process) and `vantage` inline. One `instrumentation_report` for each copy of a package that was found says package, version, path, format, what was patched (`patched`), whether its version lies within those that the tests run with (`tested`) and whether it can be stopped (`can_block`).',
    '',
    '| adapter | by | packages, majors that are tested | sees | can stop | does not see |',
    '|---|---|---|---|---|---|',
    ...ADAPTERS.map(row),
    '',
    '⟳ behind a package: each copy is seen when it is loaded, under `sworn/register`, and inside a bundle that was made with the plugin of `sworn/esbuild`. The others are looked for and loaded at the start.',
    '',
    '## What the tests assert',
    '',
    'Each line is one run of the contract that every adapter goes through, with the real package: parallel calls, errors, refusals, double installation, giving back, a recorder that fails in both settings, large inputs and inputs that are not JSON; where it says so streams that are left or break. The tests expect what stands here.',
    '',
    '| run | adapter | with | by | a policy denies | cannot be recorded | to be masked in arguments | to be masked in answers | streams |',
    '|---|---|---|---|---|---|---|---|---|',
    ...Object.entries(CELLS).map(([name, cell]) => cellRow(name, cell)),
    '',
    '*By* `register`: as it is loaded under `sworn/register`, or from a bundle. *Refused*: the action does not happen, and whoever asked is told. *Passes*: it happens as it is; an answer in which something was to be masked is recorded as `dlp_match` with `enforced: false`. What `block` finds in an answer is withheld where answers are masked.',
    '',
  ].join('\n')
}

function row({ id, layer, targets, facts }: Adapter): string {
  return `| \`${id}\` | ${LAYERS[layer]} | ${targets.map(packageOf).join(', ')} | ${facts.sees} | ${facts.stops} | ${facts.misses} |`
}

function packageOf({ pkg, tested: [oldest, newest], files }: Target): string {
  return `\`${pkg}\` ${oldest === newest ? newest : `${oldest} to ${newest}`}${files ? ' ⟳' : ''}`
}

function cellRow(name: string, cell: Cell): string {
  const { pkg, version } = runsWith(cell)
  const denied = cell.isJudged ? 'refused' : 'passes'
  const unrecorded = cell.canStop ? 'refused' : 'passes'
  const said = [name, `\`${cell.adapter}\``, `\`${pkg}\` ${version}`, cell.by, denied, unrecorded, cell.given, cell.answered]
  return `| ${said.join(' | ')} | ${'streams' in cell ? 'yes' : ''} |`
}

/** The package behind a cell and its version, as they are pinned. Part of Node: the majors that the whole project is tested with. */
export function runsWith({ from }: Pick<Cell, 'from'>): { readonly pkg: string; readonly version: string } {
  if (from === 'node') return { pkg: 'node', version: '22 to 26' }
  const isPeer = !from.startsWith('@') && from.includes('/')
  const [folder = '', ...rest] = isPeer ? from.split('/') : ['', from]
  const name = rest.join('/')
  const manifest = JSON.parse(readFileSync(isPeer ? `testkit/peers/${folder}/package.json` : 'package.json', 'utf8'))
  const pinned: string = { ...manifest.dependencies, ...manifest.devDependencies }[name]
  const [, pkg = name, version = pinned] = /^npm:(.+)@(.+)$/.exec(pinned) ?? []
  return { pkg, version }
}
