/** How much of one event is looked at; what lies beyond is replaced by a marker that says so. @module */

/** Nesting of arrays and objects below a member. */
export const MAX_DEPTH = 60
/** Array items and object members of one event. */
export const MAX_NODES = 50_000
/** UTF-16 units of one string. */
export const MAX_STRING_CHARS = 262_144
/** UTF-16 units of all strings of one event. */
export const MAX_TOTAL_CHARS = 2_097_152
/** Characters of one member name. */
export const MAX_NAME_CHARS = 1024
/** Notes that are written out; the last one says how many more there were. */
export const MAX_NOTES = 50
/** Bytes of one line by default, and at most. */
export const LINE_BYTES = 65_536
export const MAX_LINE_BYTES = 1_048_576
/** Characters of a recorded result. */
export const RESULT_CHARS = 1000
/** What the ledger adds behind the payload: integrity members, signature, session and producer numbers. */
export const SUFFIX_BYTES = 640
