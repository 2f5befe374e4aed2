/**
 * The dialects, in the order of docs/reference/dialects.md. Adding one is a line here.
 * @module
 */
import { aat } from './codecs/aat-writer.ts'
import { aegis } from './codecs/aegis.ts'
import { aegisRows } from './codecs/aegis-rows.ts'
import { agef } from './codecs/agef.ts'
import { aip } from './codecs/aip.ts'
import { aipSpec } from './codecs/aip-spec.ts'
import { cloudEvents } from './codecs/cloudevents.ts'
import { gantz } from './codecs/gantz.ts'
import { pi } from './codecs/pi.ts'
import { sahu } from './codecs/sahu-writer.ts'
import type { Dialect } from './dialect.ts'
import { cef } from './formats/cef.ts'
import { csv } from './formats/csv.ts'
import { ecs } from './formats/ecs.ts'
import { leef } from './formats/leef.ts'
import { ocsf } from './formats/ocsf.ts'
import { otlp } from './formats/otlp.ts'

export const DIALECTS: readonly Dialect[] = [
  aip,
  aipSpec,
  gantz,
  aegis,
  aegisRows,
  agef,
  pi,
  aat,
  sahu,
  ocsf,
  ecs,
  cef,
  leef,
  otlp,
  cloudEvents,
  csv,
]
