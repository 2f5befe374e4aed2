/** Every sink under chaos, a row each: what it is, what stands in its way, and what it holds in the end. @module */
import { isListening } from '../../../../testkit/src/services.ts'
import type { MakeSubject } from './chaos.ts'
import { collector, s3, s3Segments } from './chaos-copies.ts'
import { jsonl, sqlite } from './chaos-files.ts'
import { HTTP_SINKS } from './chaos-http.ts'
import { email, syslog } from './chaos-messages.ts'
import { kafka, NATS, nats, POSTGRES, postgres } from './chaos-servers.ts'
import { NO_KCAT } from './kafka-cluster.ts'

export interface Row {
  readonly make: MakeSubject
  /** Why it is left out here. */
  readonly skip: string | false
}

const here = (make: MakeSubject): Row => ({ make, skip: false })
const noPostgres = (await isListening(POSTGRES)) ? false : `NO POSTGRESQL on 127.0.0.1:${POSTGRES}: the PostgreSQL sink was not tested`
const noNats = (await isListening(NATS)) ? false : `NO NATS on 127.0.0.1:${NATS}: the NATS sink was not tested`

/** Sinks by what they are. A new sink is a row here. */
export const SINKS: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(Object.entries(HTTP_SINKS).map(([what, make]) => [what, here(make)])),
  jsonl: here(jsonl),
  sqlite: here(sqlite),
  s3: here(s3),
  's3 segments': here(s3Segments),
  collector: here(collector),
  syslog: here(syslog),
  email: here(email),
  postgres: { make: postgres, skip: noPostgres },
  nats: { make: nats, skip: noNats },
  kafka: { make: kafka, skip: NO_KCAT },
}
