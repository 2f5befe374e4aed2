/**
 * `sworn alerts`: what the rules find in a ledger, from its beginning on; `-f` goes on as entries are written.
 *
 * Reads and shows, records nothing: that is done by the process that records. With `--since` counts build up from as long
 * before it as the rules look back, and cool-downs run as the recorded alerts say, so that what is shown is what was found when
 * it happened.
 * @module
 */
import {
  type Alert,
  type AlertsSection,
  describeAlert,
  findAlerts,
  lookBackMs,
  rulesOf,
  SEVERITIES,
  type Severity,
  toAlertEvent,
} from '@sworn/analyze/alerts'
import { findLedger, seekTime } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import { loadFor } from '../reading/location.ts'
import { createPaint, type Paint } from '../text/colour.ts'
import { escapeText } from '../text/escape.ts'
import { formatTime, parseTime } from '../text/time.ts'

export const alerts = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    since: { type: 'string', value: 'TIME', about: 'found not before 1h, 2d, a date or RFC 3339' },
    until: { type: 'string', value: 'TIME', about: 'found before this' },
    rule: { type: 'string', multiple: true, value: 'NAME', about: 'of this rule' },
    severity: { type: 'string', choices: SEVERITIES, about: 'this severity or above' },
    follow: { type: 'boolean', short: 'f', about: 'go on as entries are written; ends with Ctrl-C' },
    config: { type: 'string', value: 'FILE', about: 'rules of another file than ./sworn.yaml' },
    json: { type: 'boolean', about: 'one JSON object a line: the event as it is recorded' },
    utc: { type: 'boolean', about: 'times in UTC' },
  },
  example: 'sworn alerts --since 24h --severity error',
  notes: [
    'Exit 1: there are some. With -f exit 0.',
    'Rules and actions stand in sworn.yaml under audit.alerts: docs/guides/alerts.md. Entries are read as stored; `sworn verify` checks them.',
  ],
  async run([path], flags, io) {
    const config = await loadFor(io, {}, flags.config)
    const section: AlertsSection = config.values.alerts ?? {} // checked by its room when it was read
    const rules = rulesOf(section)
    const since = flags.since === undefined ? Number.NEGATIVE_INFINITY : parseTime(flags.since, io.now(), '--since')
    const isWanted = createTest({ ...flags, since }, [...rules.map(({ name }) => name), 'alerts_held', 'counts_forgotten'], io.now())
    const files = findLedger(path ?? config.values.log_path, io.cwd)
    const paint = createPaint(io)
    let count = 0
    const from = flags.since === undefined ? 0 : await seekTime(files, since - lookBackMs(rules))
    if (from > 0) io.say('info', `read from seq ${from} on, as far back as the rules look from --since`)
    for await (const alert of findAlerts(files, {
      rules,
      from,
      ...(from > 0 && { adoptBefore: since }),
      follow: flags.follow,
      signal: io.signal,
      now: io.now,
    })) {
      if (!isWanted(alert)) continue
      count++
      await io.out(flags.json ? JSON.stringify(toAlertEvent(alert)) : formatAlert(alert, paint, flags.utc))
    }
    if (flags.follow) return 0
    io.say('info', `${count} found by ${rules.length} rules; read as stored, \`sworn verify\` checks the entries`)
    return count > 0 ? 1 : 0
  },
})

interface Wanted {
  readonly since: number
  readonly until: string | undefined
  readonly rule: readonly string[]
  readonly severity: string | undefined
}

/** @throws SwornError USAGE */
function createTest({ since, until, rule, severity = 'debug' }: Wanted, known: readonly string[], now: number): (alert: Alert) => boolean {
  const to = until === undefined ? Number.POSITIVE_INFINITY : parseTime(until, now, '--until')
  const unknown = rule.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new SwornError('USAGE', `one of ${known.join(', ')} was expected`, '--rule')
  const least = SEVERITIES.indexOf(severity as Severity) // one of the choices
  return (alert) =>
    alert.time >= since &&
    alert.time < to &&
    (rule.length === 0 || rule.includes(alert.rule)) &&
    SEVERITIES.indexOf(alert.severity) >= least
}

function formatAlert(alert: Alert, paint: Paint, utc: boolean): string {
  const { time, severity, first, last } = alert
  const colour = SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf('error') ? paint.red : paint.yellow
  const where = first === last ? `seq ${first}` : `seq ${first} to ${last}`
  return `${formatTime(new Date(time).toISOString(), utc)}  ${colour(severity.padEnd(8))}  ${escapeText(describeAlert(alert))}  [${where}]`
}
