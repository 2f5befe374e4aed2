/** docs/reference/dlp.md: what is looked for, how well it is found in the labelled corpus, and what a policy says about it. @module */
import { DLP_GROUPS, dlpScanner } from '@sworn/govern'
import { createScanner } from '@sworn/recorder'
import { detectorsOf } from '../packages/govern/src/dlp/scanner.ts'
import { FAMILY_RULES } from '../packages/govern/src/dlp/table/families.ts'
import { runRule } from '../packages/govern/src/dlp/table/secretlint.ts'
import { type Labelled, rates, readCorpus, scoreCorpus } from './src/dlp-corpus.ts'

const INTRODUCTION = `# What is looked for in data

Reference; the table is generated from \`packages/govern/src/dlp\` and \`vectors/dlp\` by \`npm run docs\`.

One scanner does two jobs. **Redaction**: before anything is recorded, secrets, payment cards and US social security numbers are replaced by \`[REDACTED:name]\`; every \`log.start\` says which scanner did it (\`scanner\`: name, version, hash of its patterns). **Verdicts**: the \`dlp\` section of a policy says what is looked for in requests, responses and stderr, and what is done about it. A policy that names nothing looks for nothing: an address in a command is no reason to stop it.

\`\`\`yaml
apiVersion: aip.io/v1alpha2
kind: AgentPolicy
metadata:
  name: example
spec:
  allowed_tools: [read_file, send_mail]
  dlp:
    scan_requests: true
    on_request_match: block
    detect_encoding: true
    filter_stderr: true
    builtin:
      - secrets
      - {name: email, action: warn}
      - {name: credit_card, mask: partial}
    allow: ['[a-z.]+@example\\.org']
    patterns:
      - {name: badge, regex: 'B-[0-9]{6}', scope: response}
\`\`\`

| key of \`dlp\` | default | means |
|---|---|---|
| \`scan_requests\`, \`scan_responses\` | false, true | the direction that is looked at. Requests: also what the client answers to the server (sampling, roots, elicitation, \`inputResponses\`) and its notifications; where those are blocked the server gets an error, or nothing |
| \`builtin\` | none | patterns of the table below, or the groups \`secrets\` and \`personal\`; with \`scope\`, \`action\` and \`mask\` of their own; what is named later replaces what was said before |
| \`patterns\` | none | patterns in RE2 syntax, with \`scope\`, \`action\`, \`mask\` |
| \`on_request_match\` | block | for requests, where a pattern has no \`action\`: \`block\`, \`redact\`, \`warn\`. Responses are masked |
| \`action\` (of a pattern) | | \`warn\` reports, \`mask\` masks, \`block\` blocks; the strictest that was found counts for the whole message |
| \`mask\` | full | what a marker shows: \`full\` the name; \`partial\` the last four characters of at least twelve; \`hash\` 16 digits of HMAC-SHA-256 under the ledger's own key: equal values are seen to be equal, and cannot be guessed without the key |
| \`allow\` | none | RE2 patterns; what one of them matches whole is no finding |
| \`detect_encoding\` | false | looks into hex, base64, base64url and percent triplets, and into one such encoding within another; what decodes to a finding is masked whole |
| \`filter_stderr\` | false (true, with every secret, while an invalid policy blocks everything) | looks through what the server writes to stderr; text is held to the end of its line, a private key to its last line, so a secret in two writes is found |
| \`max_scan_size\`, \`max_scan_ms\` | 1MB, 750 | what is larger or takes longer is treated as \`on_redaction_failure\` says, never passed by accident |
| \`on_redaction_failure\` | block | \`block\`, \`reject\`, \`allow_original\`; the record has the pattern \`scan_failed\` |

\`builtin\`, \`allow\`, \`action\`, \`mask\` and \`max_scan_ms\` are ours; AgentPolicy has the others. In the profile \`aip-compat\` overlapping patterns, sizes and encodings are treated as AIP's reference does; in \`strict\` what overlaps becomes one marker.

- Token formats come from three tables: the recorder's own, the rules of secretlint's recommended preset (\`packages/govern/src/dlp/table/families.ts\`), and those that neither has (\`secrets.ts\`). The preset's rules are run one by one: its engine is asynchronous, and its comment filter lets a text that says \`secretlint-disable\` switch the search off. Left out are its rules for files, and account numbers of AWS, which are no secret. Two of its rules report the right finding at the wrong place; ours is corrected, and a test holds it.
- Every pattern has a literal, or a test as cheap, without which it cannot match; one prefilter looks for all of them. The preset is loaded with the first text that has one of its literals.
- A value of 40 hexadecimal digits is a git commit, not a key of AWS. Cards must pass Luhn's check, account numbers modulo 97 and the length of their country; social security numbers lie in the ranges that were given out.
- Not seen: encryption, compression, text in pictures, a secret spread over several members, and formats that are in no table unless a key names them (\`password\`, \`token\`, … in JSON and in text: redaction masks those by name).

\`npm run bench -- dlp\` measures the scan and prints precision and recall.
`

export function dlpPage(): string {
  const names = [...DLP_GROUPS.secrets, ...DLP_GROUPS.personal]
  const corpus = readCorpus()
  const scanner = createScanner([], { patterns: [], detectors: names.flatMap(detectorsOf) })
  const rows = scoreCorpus(corpus, scanner, names).map((score) => {
    const { precision, recall } = rates(score)
    const group = DLP_GROUPS.personal.includes(score.pattern) ? 'personal' : 'secrets'
    return `| \`${score.pattern}\` | ${group} | ${score.found + score.missed} | ${precision} | ${recall} | ${alone(corpus, score.pattern)} |`
  })
  const clean = corpus.filter(({ secrets }) => secrets.length === 0).length
  return [
    INTRODUCTION,
    '## Patterns',
    '',
    `Scanner \`${dlpScanner.name}\` \`${dlpScanner.version}\`, patterns \`${dlpScanner.hash}\`. Corpus: ${corpus.length} texts, ${clean} of them with nothing to find, many nearly a secret. It was written together with the patterns, so it shows what they are meant for and holds them to it; it does not estimate how often they are right elsewhere. The last column is the recall of secretlint's rules alone, at any place in the text.`,
    '',
    '| pattern | group | labelled | precision, % | recall, % | secretlint alone, % |',
    '|---|---|--:|--:|--:|--:|',
    ...rows,
    '',
  ].join('\n')
}

/** Of the texts in which `pattern` is to be found, those in which any of secretlint's rules finds anything. */
function alone(corpus: readonly Labelled[], pattern: string): string {
  const texts = corpus.filter(({ secrets }) => secrets.some((secret) => secret.pattern === pattern))
  const found = texts.filter(({ text }) => FAMILY_RULES.some((rule) => runRule(rule, text).length > 0))
  return ((100 * found.length) / texts.length).toFixed(1)
}
