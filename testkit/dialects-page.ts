/** docs/reference/dialects.md and foreign.md, from the descriptors and the recipes. @module */
import { ALL_FOREIGN_FORMATS, type Descriptor, DIALECTS, MEMBER_PLACES } from '@sworn/dialects'
import { foreignPrimitives } from '@sworn/dialects/node'
import { LEVELS } from '@sworn/verify'
import { FILE_FORMATS } from '../packages/cli/src/dialects/file-formats.ts'

type Row = Descriptor & { readonly read: boolean }

const ROWS: readonly Row[] = [...DIALECTS.map((dialect) => ({ ...dialect, read: dialect.openReader !== undefined })), ...FILE_FORMATS]

export function dialectsPage(): string {
  return [
    '# Dialects',
    '',
    'Reference; generated from the descriptors in `packages/dialects` by `npm run docs`. `sworn export --dialect NAME -o FILE` writes entries in another format, `sworn import FILE --dialect NAME` records a log of another format as events.',
    '',
    'What a dialect has no word for is not dropped in silence: it goes to the free slot named below, or into `FILE.sidecar.jsonl` under the id of its record, and `FILE.manifest.json` says so, with the count and the hash of the lines as they were read back from the disk. What an imported record has besides is kept in `metadata.ext.<dialect>`, so that it leaves again as it came, member order and digits included. Tests hold both ways for arbitrary events and records, and the lists of members below to what really comes back.',
    '',
    '| `--dialect` | format | read | the rest of an event |',
    '|---|---|---|---|',
    ...DIALECTS.map(
      ({ name, title, openReader, rest }) => `| [\`${name}\`](#${name}) | ${title} | ${openReader ? 'yes' : 'no'} | ${rest} |`,
    ),
    '',
    ...ROWS.flatMap(section),
  ].join('\n')
}

function section({ name, title, source, mediaType, extension, names, rest, loss, read }: Row): string[] {
  const all = names.length === MEMBER_PLACES.length
  return [
    `## ${name}`,
    '',
    `${title}. Follows: ${source}. \`${mediaType}\`, \`.${extension}\`. ${read ? 'Written and read.' : 'Written only.'}`,
    '',
    `- names: ${all ? 'every member' : names.map((member) => `\`${member}\``).join(', ')}`,
    `- the rest: ${rest}`,
    ...loss.map((line) => `- ${line}`),
    '',
  ]
}

export async function foreignPage(): Promise<string> {
  const sections = await Promise.all(
    ALL_FOREIGN_FORMATS.map(async ({ name, title, source, check, inputs }) => {
      const { claims, cannot } = await check(new Uint8Array(), { primitives: foreignPrimitives })
      const possible = LEVELS.filter((level) => claims[level].possible)
      return { name, title, source, cannot, possible, inputs }
    }),
  )
  return [
    '# Foreign logs',
    '',
    'Reference; generated from the recipes in `packages/dialects/src/foreign` by `npm run docs`. `sworn verify FILE` recognises these formats and checks each by its own rules; `sworn import` does the same and puts the result on record.',
    '',
    '- The claims are those of our own ledgers: bytes, chain, tree, signed, anchored, complete. `cannot` means that the format has no means for a claim; it is neither granted nor held against the log.',
    '- `signed` holds only for keys that you give with `--key`: a PEM public key (Ed25519 or P-256), a JWK, or a JSON object of key id to one of these. A key that travels in the log vouches for nothing. Keys of small order are refused.',
    '- `--head FILE` is a head assertion (sahu) or a checkpoint (NOA) that came another way; without it the end of most logs can be cut unseen.',
    '- `--input FILE`, as often as needed, is what a log refers to and does not hold: a claim that needs it says so.',
    '- An AIVS bundle is given as `.tar.gz` or unpacked; the program in it is never run.',
    '- A file of a foreign log is read whole, at most 256 MiB. No finding repeats a value of the log.',
    '',
    '| format | follows | claims that it has means for | `--input` takes |',
    '|---|---|---|---|',
    ...sections.map(
      ({ name, title, source, possible, inputs = '' }) => `| ${title} (\`${name}\`) | ${source} | ${possible.join(', ')} | ${inputs} |`,
    ),
    '',
    '## What each cannot prove',
    '',
    ...sections.flatMap(({ name, cannot }) => [`- \`${name}\`: ${cannot.join(' ')}`]),
    '',
  ].join('\n')
}
