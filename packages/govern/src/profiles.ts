/**
 * The two readings of one policy document, and where they differ.
 *
 * `aip-compat` does what AIP's conformance vectors and its reference proxy do; `strict` closes the holes.
 * Source: spec policy §6.
 * @module
 */

export type Profile = 'strict' | 'aip-compat'

export interface ProfileDifference {
  readonly topic: string
  readonly strict: string
  readonly compat: string
}

const TABLE = [
  { topic: 'no policy', strict: 'everything is allowed and recorded', compat: 'every tool is blocked, default methods pass' },
  { topic: 'unknown keys in the policy', strict: 'refused', compat: 'ignored, listed as warnings' },
  { topic: 'null in the policy', strict: 'refused', compat: 'counts as absent' },
  { topic: 'two rules for one tool', strict: 'refused', compat: 'the last one wins' },
  { topic: '`*` and `?` in tool names', strict: 'patterns in denied_tools, refused elsewhere', compat: 'an exact name that no tool has' },
  { topic: 'schema_hash of a tool that was not described', strict: 'refused', compat: 'passes' },
  { topic: 'a tool that is described differently than at first', strict: 'refused, and not listed', compat: 'recorded' },
  { topic: 'name normalisation', strict: 'repeated until nothing changes', compat: 'one pass' },
  { topic: 'default methods', strict: 'also cancellation, roots and discovery', compat: "AIP's fourteen" },
  { topic: 'allow_args patterns', strict: 'must match the whole value', compat: 'may match anywhere in the value' },
  { topic: 'lists and objects under allow_args', strict: 'JSON as sent', compat: 'JSON as Go prints it: sorted, <>& escaped' },
  { topic: 'strict_args without allow_args', strict: 'every argument is undeclared', compat: 'not looked at' },
  { topic: 'strict_args_default for tools without a rule', strict: 'applies', compat: 'not looked at' },
  { topic: 'protected paths: where', strict: 'values and object keys, also inside longer text', compat: 'values' },
  {
    topic: 'protected paths: spelling',
    strict: '$HOME, ~ anywhere, %2e, full-width, quotes, backslashes, dot segments, file URLs; case on request',
    compat: 'leading ~/',
  },
  { topic: 'protected paths: links', strict: 'resolved', compat: 'not resolved' },
  { topic: 'protected paths: parents', strict: 'naming a parent directory is refused', compat: 'passes' },
  { topic: 'protected bare names (`.env`)', strict: 'any segment, also .env.local', compat: 'last segment of a path' },
  { topic: 'monitor and denied_tools', strict: 'a block or ask rule of the same tool still holds', compat: 'allowed' },
  { topic: 'rates', strict: 'counted at the ledger, shared by processes', compat: 'counted per process' },
  {
    topic: 'a token for another policy and another audience',
    strict: 'the audience is told, -32012',
    compat: 'the policy is told, -32009',
  },
  { topic: 'validation: who is answered', strict: 'holders of tokens', compat: 'anybody where no identity token is required' },
  { topic: 'validation: a token in the body', strict: 'refused', compat: 'taken when the header has none' },
  { topic: 'health and metrics', strict: 'the hash and the numbers are for known callers', compat: 'public' },
  { topic: 'fail_open without bounds', strict: 'refused', compat: 'accepted' },
  { topic: 'DLP patterns that match nothing or their own marker', strict: 'refused', compat: 'accepted' },
  { topic: 'DLP in member names', strict: 'masked like values', compat: 'not looked at' },
  { topic: 'DLP masking', strict: 'repeated until no pattern matches', compat: 'one pass' },
  { topic: 'DLP: what overlaps', strict: 'one marker for all of it', compat: 'each pattern on the output of the one before' },
  {
    topic: 'DLP inside encodings',
    strict: 'any alignment, any decoded text, percent triplets, an encoding within one',
    compat: '80 % printable text',
  },
  { topic: 'DLP beyond max_scan_size', strict: 'on_redaction_failure decides', compat: 'the rest passes unscanned' },
] as const satisfies readonly ProfileDifference[]

export type Topic = (typeof TABLE)[number]['topic']

/** Every place where the profiles decide differently; the documentation prints this table. */
export const profileDifferences: readonly (ProfileDifference & { readonly topic: Topic })[] = TABLE
