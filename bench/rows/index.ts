/** The rows that are measured, in the order of the table of targets. @module */
import type { Row } from '../harness/measure.ts'
import { recordCall } from './01-record-call.ts'
import { recordScanned } from './02-record-scanned.ts'
import { burst } from './03-burst.ts'
import { durable } from './04-durable.ts'
import { memory } from './05-memory.ts'
import { verify } from './06-verify.ts'
import { index } from './07-index.ts'
import { query } from './08-query.ts'
import { textSearch } from './09-text-search.ts'
import { proxy } from './10-proxy.ts'
import { proxyDurable } from './11-proxy-durable.ts'
import { proxyHttp } from './12-proxy-http.ts'
import { postgres } from './13-postgres.ts'
import { publish } from './14-publish.ts'
import { hook } from './15-hook.ts'
import { instrument } from './16-instrument.ts'
import { inclusionProof } from './17-inclusion-proof.ts'
import { dlpScan } from './19-dlp-scan.ts'
import { start } from './20-start.ts'

export const rows: readonly Row[] = [
  recordCall,
  recordScanned,
  burst,
  durable,
  memory,
  verify,
  index,
  query,
  textSearch,
  proxy,
  proxyDurable,
  proxyHttp,
  postgres,
  publish,
  hook,
  instrument,
  inclusionProof,
  dlpScan,
  start,
]
