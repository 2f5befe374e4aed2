/**
 * The one error of sworn: a code from one table, a place, never a value.
 *
 * A finding is not an error: verification returns findings. This class is for what could not be done.
 * `docs/errors.md` lists exactly these codes; a test holds the two together.
 * @module
 */

/** code -> what the operator can do about it. */
export const ERRORS = {
  ACCESS_DENIED: 'Send a token that the server knows, as `Authorization: Bearer …`; `sworn serve` says where they are.',
  ACKNOWLEDGED_LOST:
    'An event that was acknowledged as durable is not in the ledger. The ledger is read-only; keep it and run `sworn verify`.',
  ACTION_DENIED: 'The action was refused and did not happen; the code in the message and the audit log say why.',
  APPEND_REFUSED: 'Nothing was written. Mend the cause and record again; a gated action was not executed.',
  APPEND_UNKNOWN: 'The event may or may not be on disk. Resend it with the same event_id after the ledger has reopened.',
  CHECKPOINT_MALFORMED: 'The checkpoint is not a C2SP tlog-checkpoint. Keep the file and compare it with a copy.',
  CONFIG_INVALID: 'Correct the option at the named place; `sworn doctor --config` prints every value with its origin.',
  DRIVER_MISSING: 'Install the named package next to sworn.',
  EVENT_ID_CONFLICT: 'The same event_id was sent before with another content. Give each event its own UUIDv7.',
  EVENT_INVALID: 'The event does not have the shape of docs/format.md. Correct the named member.',
  FILTER_INVALID: 'Correct the filter at the named line and column; docs/reference/filters.md lists what it may use.',
  FRAME_INVALID: 'The message is not a single unambiguous JSON-RPC message. Correct the client that sent it.',
  INDEX_FAILED: 'Delete audit.db beside the ledger, it comes back; `--no-index` reads the ledger itself meanwhile.',
  INDEX_STALE: 'Stored entries changed after they were indexed. Run `sworn verify`; delete audit.db to index them as they are now.',
  IO_FAILED: 'A file or socket could not be used. Check the path, its permissions and the free space.',
  KEY_INVALID:
    'The key is absent, malformed, of another type than is needed here, or weak. To check takes a verifier key as `sworn keys` prints it, to sign a private key as PEM.',
  JSON_DUPLICATE_MEMBER: 'A member name occurs twice in one object, so readers may disagree about its value. Correct the producer.',
  JSON_INVALID: 'The text is not I-JSON (syntax, depth, lone surrogate, number out of range). Correct the producer.',
  LEDGER_BUSY: 'Another process holds this ledger and cannot be reached. Give each its own ledger, or share one `sworn recorder`.',
  LEDGER_CLOSED: 'The recorder was closed. Open it again before recording.',
  LEDGER_COPIED: 'This ledger is open at another path too. Continue the copy with `sworn init --reason`.',
  LEDGER_CORRUPT: 'Stored entries are damaged beyond what a crash explains. The ledger is read-only; keep it and run `sworn verify`.',
  LEDGER_DETACHED: 'The log file has lost the directory beside it. Bring back `<file>.ledger`, or start a new ledger elsewhere.',
  LEDGER_FOREIGN_FILE: 'The file is not a ledger. Name another path.',
  LEDGER_FORK: 'The ledger contradicts what was signed before. It is read-only; keep both copies.',
  LEDGER_NOT_FOUND: 'There is no ledger at this path. Name one; what records first makes it: `sworn proxy`, `sworn record`, the library.',
  LEDGER_ROLLBACK: 'The ledger is older than what was signed before. Restore the newest copy, or continue with `sworn init --reason`.',
  LEDGER_STATE_MISSING:
    'Restore what is missing from a backup. With the key there, `sworn keys adopt` accepts the ledger as it is; without it begin a new one: `sworn init --reason`.',
  LINE_MALFORMED: 'The line is not an entry of an agent audit log. Keep the file; it was edited or is foreign.',
  MIRROR_FORK:
    'The ledger is not the one whose lines the collector holds: it was rewritten. Keep both, run `sworn verify` on each, and find out who changed which.',
  MIRROR_GAP: 'The collector has not got the lines before these. Send from the entry that it names.',
  MIRROR_ROLLBACK: 'The ledger is behind what the collector holds: it was cut or put back. Keep both, and compare them.',
  NODE_TOO_OLD: 'Use a newer Node.js, as named.',
  NOTE_MALFORMED: 'The text is not a C2SP signed note. Keep the file and compare it with a copy.',
  NOTE_UNVERIFIED: 'No trusted key signed this note, or a trusted key signed something else. Check which key you trust.',
  POLICY_INVALID: 'The policy cannot be read, so everything is blocked. Correct the named place; `sworn policy check` explains.',
  PROOF_INVALID: 'The proof does not lead to the root. Do not rely on the entry.',
  RECORDER_UNAVAILABLE: 'The recorder of this ledger did not answer in time. Gated actions are refused; see `sworn doctor`.',
  REQUEST_INVALID: 'Correct the HTTP request as named; docs/reference/server.md lists what is answered.',
  SERVER_BUSY: 'Send it again after the seconds that Retry-After names; events with the same event_id.',
  SINK_DIVERGED:
    'What was delivered is not what the ledger holds now. Run `sworn verify`; then deliver anew with `sworn sinks replay NAME --from 0`.',
  SINK_UNREADABLE: 'The sink cannot be asked what it holds. Mend the cause named; `sworn doctor` looks at each sink.',
  USAGE: 'See `sworn --help`.',
  VERIFIER_FAILED: 'The verification ended early and says nothing about the log. Give it more memory and run it again.',
} as const

export type ErrorCode = keyof typeof ERRORS

export class SwornError extends Error {
  readonly code: ErrorCode
  /** Where: a JSON pointer, a `seq=…`, an option path or a file name. Never a value. */
  readonly at: string

  constructor(code: ErrorCode, message: string, at = '', options?: ErrorOptions) {
    super(at ? `${message} (at ${at})` : message, options)
    this.name = 'SwornError'
    this.code = code
    this.at = at
  }

  /** True across duplicate copies of this package, where `instanceof` is not. */
  static is(e: unknown, code?: ErrorCode): e is SwornError {
    return e instanceof Error && e.name === 'SwornError' && (!code || (e as SwornError).code === code)
  }
}
