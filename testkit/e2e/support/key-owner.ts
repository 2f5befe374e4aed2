/**
 * The strongest forger: has the ledger's own key and rewrites all of it.
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createFrontier, formatCheckpoint, GENESIS, leafHash, linkLine, parseHex } from '@sworn/verify'
import { nodePrimitives as p } from '@sworn/verify/node'
import { nodeFileOps } from '../../../packages/recorder/src/ledger/file-ops.ts'
import { loadKeyFile, type Signer, signNote } from '../../../packages/recorder/src/signers/signer.ts'
import { payloadOf, type Written } from './ledgers.ts'

/** Another history under the same name, every checkpoint signed again; for a log of one epoch without record signatures. */
export function rewriteWithItsKey(log: Written, forge: (payload: Record<string, unknown>) => object): Written {
  const signer = findSigner(log)
  const frontier = createFrontier(p)
  const lines: Uint8Array[] = []
  let head = GENESIS
  let { note } = log
  for (const [seq, line] of log.lines.entries()) {
    const payload = payloadOf(line)
    if (payload.event_type === 'log.checkpoint')
      note = signNote(formatCheckpoint({ origin: signer.key.name, size: seq, root: frontier.root() }), [signer])
    const forged = payload.event_type === 'log.checkpoint' ? { ...payload, checkpoint: note } : forge(payload)
    const linked = linkLine(p, log.hash, JSON.stringify(forged), seq, head)
    head = linked.entryHash
    frontier.push(leafHash(p, parseHex(head)))
    lines.push(linked.line)
  }
  return { ...log, lines, note }
}

function findSigner({ home, trust }: Written): Signer {
  const pem = readdirSync(join(home, 'keys'), { recursive: true }).find((name) => String(name).endsWith('.pem'))
  return loadKeyFile(nodeFileOps, join(home, 'keys', String(pem)), trust.name)
}
