/**
 * Verifies a ledger on two threads: each takes half of the segments, and the joint is checked.
 *
 * A segment but the first begins with its own position, previous hash and frontier. The second half is
 * checked from there, the first half must end there: same size, same last hash, same root.
 * @module
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createFrontier, equalBytes, parseBase64, parseLine, parseVkey, type Report, text, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { answer, childTask } from '../harness/child.ts'
import { fileChunks } from '../harness/file-chunks.ts'
import type { VerifyTask } from './verify.ts'

const FIRST_LINE_BYTES = 64 * 1024

if (isMainThread) answer(await verifyHalves(childTask<VerifyTask>()))
else parentPort!.postMessage(await verifyPart(workerData as VerifyTask)) // given by verifyHalves below

async function verifyHalves({ files, vkey }: VerifyTask): Promise<{ size: number }> {
  const middle = findMiddle(files)
  const second = inWorker({ files: files.slice(middle), vkey })
  const first = await verifyPart({ files: files.slice(0, middle), vkey })
  const last = await second
  if (middle < files.length) checkJoint(first, firstLine(files[middle]!))
  return { size: last.size }
}

/** The index of the first segment of the second half, by bytes; the number of files when there is only one. */
function findMiddle(files: readonly string[]): number {
  const bytes = files.map((file) => statSync(file).size)
  const half = bytes.reduce((sum, n) => sum + n, 0) / 2
  let passed = 0
  const index = bytes.findIndex((n) => (passed += n) > half)
  return Math.max(1, passed - half > half - (passed - bytes[index]!) ? index : index + 1)
}

function inWorker(task: VerifyTask): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

async function verifyPart({ files, vkey }: VerifyTask): Promise<Report> {
  const report = await verifyLog(fileChunks(files), { primitives: nodePrimitives, trust: parseVkey(vkey) })
  if (report.findings.length > 0 || !report.levels.signed.holds) throw new Error(`a half does not hold: ${JSON.stringify(report)}`)
  return report
}

/** @throws Error unless the first half ends where the second begins */
function checkJoint(first: Report, bytes: Uint8Array): void {
  const { seq, previousHash, body } = parseLine(bytes)
  const { frontier } = JSON.parse(`${text(body)}}`) as { frontier: string } // verified by the other thread
  const root = createFrontier(nodePrimitives, { size: seq, hashes: hashesOf(parseBase64(frontier)) }).root()
  if (first.size !== seq || first.head !== previousHash || !first.root || !equalBytes(first.root, root))
    throw new Error('the halves do not meet')
}

function hashesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, n) => bytes.subarray(n * 32, n * 32 + 32))
}

function firstLine(path: string): Uint8Array {
  const fd = openSync(path, 'r')
  const bytes = new Uint8Array(FIRST_LINE_BYTES)
  readSync(fd, bytes)
  closeSync(fd)
  return bytes.subarray(0, bytes.indexOf(10))
}
