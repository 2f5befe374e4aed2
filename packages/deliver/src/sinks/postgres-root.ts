/**
 * The root over rows, as PostgreSQL computes it: RFC 9162 in SQL, over the lines that are there now.
 *
 * A row counts when its line ends in the hash of what stands before, and each column says what the line says; any other
 * makes the root another one. What SQL cannot read as JSON or time counts as another too, and is then read row by row.
 * It stands as one byte: what is no leaf must change the root, also beside a leaf that is one.
 * Lines with a signature and logs of another hash than SHA-256 never count.
 * @module
 */
import { COLUMNS, columnOf, type Tables } from './postgres-schema.ts'

/** `"`, `\` and the rest are theirs to read: only what jsonb refuses is left out. */
const UNREADABLE = '\\\\u(0000|d[89ab])'
const USUAL_TIME = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$'

/** Parameters: origin, from, to. @param width a power of two */
export function ROOT_SQL({ entry }: Tables, width: number): string {
  const copies = COLUMNS.map(
    (name) => `${columnOf(name)} IS NOT DISTINCT FROM CASE WHEN jsonb_typeof(j->'${name}') = 'string' THEN j->>'${name}' END`,
  )
  const time = `j->>'timestamp' ~ '${USUAL_TIME}' AND recorded_at = (CASE WHEN j->>'timestamp' ~ '${USUAL_TIME}' THEN j->>'timestamp' END)::timestamptz`
  const ends = `right(line, 81) = ',"entry_hash":"' || hash || '"}'`
  const parts = [
    `e AS MATERIALIZED (SELECT seq - $2::bigint AS n, *, encode(sha256(convert_to(left(line, -81), 'UTF8')), 'hex') AS hash FROM ${entry} WHERE origin = $1 AND seq >= $2 AND seq < $3)`,
    `f AS MATERIALIZED (SELECT *, CASE WHEN ${ends} AND line !~* '${UNREADABLE}' THEN line::jsonb END AS j FROM e)`,
    `l0 AS (SELECT n, CASE WHEN j IS NOT NULL AND entry_hash = hash AND ${time} AND ${copies.join(' AND ')} THEN sha256('\\x00'::bytea || decode(hash, 'hex')) ELSE '\\x00'::bytea END AS x FROM f)`,
  ]
  const levels = Math.log2(width)
  for (let k = 1; k <= levels; k++)
    parts.push(
      `l${k} AS (SELECT n / 2 AS n, sha256('\\x01'::bytea || string_agg(x, ''::bytea ORDER BY n)) AS x FROM l${k - 1} GROUP BY n / 2)`,
    )
  return `WITH ${parts.join(', ')} SELECT x FROM l${levels}`
}
