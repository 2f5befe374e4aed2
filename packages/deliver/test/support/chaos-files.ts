/** Sinks that write to files of this machine, under chaos. @module */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { assertSame, digestOf, type MakeSubject, segmentsOf } from './chaos.ts'

/** Of a file and what was rotated away: `copy.jsonl.20261121_100000` before `…-1` before `…-10` before `copy.jsonl`. */
function partsOf(path: string): string[] {
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`))
  const keyOf = (name: string) => name.replace(/(?:-(\d+))?$/, (_, n = '0') => `-${n.padStart(9, '0')}`)
  const rotated = names.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return [...rotated.map((name) => join(dirname(path), name)), path]
}

export const jsonl: MakeSubject = async (_, place) => {
  const path = join(place.path, '..', 'copy.jsonl')
  return {
    config: { type: 'jsonl', path, rotate_bytes: 256 << 10 },
    behave() {},
    check: async () => assert.equal(await digestOf(partsOf(path)), await digestOf(segmentsOf(place.path)), 'the copy is not the ledger'),
    close() {},
  }
}

/** Another writer holds the database now and then. */
export const sqlite: MakeSubject = async (random, place) => {
  const path = join(place.path, '..', 'aegis.db')
  const other = new DatabaseSync(path)
  other.exec('PRAGMA journal_mode = WAL')
  let isHeld = false
  const timer = setInterval(() => {
    if (isHeld) other.exec('ROLLBACK')
    isHeld = !isHeld && random() < 0.3 && begin()
  }, 80)
  const begin = () => {
    try {
      other.exec('BEGIN IMMEDIATE')
      return true
    } catch {
      return false // the sink holds it
    }
  }
  const behave = () => {
    clearInterval(timer)
    if (isHeld) other.exec('ROLLBACK')
    isHeld = false
  }
  return {
    config: { type: 'sqlite', path },
    behave,
    check({ seqs }) {
      const rows = other.prepare('SELECT seq FROM sworn_entry JOIN audit_log USING (id) ORDER BY id').all()
      assertSame(
        rows.map(({ seq }) => Number(seq)),
        seqs,
        'what the table holds',
      )
      assert.equal(other.prepare('SELECT count(*) AS n FROM audit_log').get()?.n, seqs.length)
    },
    close() {
      behave()
      other.close()
    },
  }
}
