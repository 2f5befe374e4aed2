/**
 * The chain that is written first: hash the event with the previous hash, sign each record, append it.
 *
 * The shape of AIP's v1alpha2 entries. It is given the fair form: one-shot `crypto.hash`, a key object made
 * once (a PEM for each signature costs fifteen times as much), a file that stays open.
 * @module
 */
import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Candidate, noPressure } from './candidate.ts'

export async function openNaiveChain(dir: string): Promise<Candidate> {
  const fd = openSync(join(dir, 'naive.jsonl'), 'a')
  const { privateKey } = generateKeyPairSync('ed25519')
  let previous = '0'.repeat(64)
  return {
    record(event) {
      const body = JSON.stringify({ timestamp: new Date().toISOString(), ...event, previous_hash: previous })
      previous = hash('sha256', body)
      const signature = sign(null, Buffer.from(previous, 'hex'), privateKey).toString('base64')
      writeSync(fd, `${body.slice(0, -1)},"hash":"${previous}","signature":"${signature}"}\n`)
    },
    ready: noPressure,
    async finish() {
      fdatasyncSync(fd)
      closeSync(fd)
    },
  }
}
