/**
 * The types of sinks that people read: alerts unless another filter is given, from now on, in words of the operator's.
 * @module
 */
import { compileFilter } from '@sworn/dialects'
import { SwornError } from '@sworn/verify'
import { z } from 'zod'
import { emailSink } from './email.ts'
import { pagerDutySink } from './pagerduty.ts'
import { type Opened, type SinkType, sinkType } from './sink-type.ts'
import { slackSink } from './slack.ts'
import { createTemplate, template } from './template.ts'
import { http, readPem, text } from './values.ts'

/** What reaches people: not years of it at the first start, and not every call. */
const FOR_PEOPLE: Omit<Opened, 'open'> = { records: 'events', where: 'event_type == "security_alert"', start: 'now' }

interface Texts {
  readonly subject: string
  readonly body: string
}

/** `user` of an alert is who recorded it: who acted stands in `metadata.by`. */
const ALERT: Texts = {
  subject: '{{severity}}: {{reason}}',
  body: [
    '{{reason}}',
    'who: {{metadata.by}}',
    'entries: {{metadata.range.first}} to {{metadata.range.last}}',
    'found: {{metadata.found_at}}',
    'entry: {{key}}',
  ].join('\n'),
}
const EVENT: Texts = {
  subject: '{{severity}} {{event_type}} {{tool}} {{reason}}',
  body: [
    '{{reason}}',
    'tool: {{tool}}',
    'target: {{target}}',
    'decision: {{decision}} {{reason_code}}',
    'user: {{user}}',
    'agent: {{agent_id}} {{agent.name}}',
    'session: {{session_id}}',
    'time: {{timestamp}}',
    'entry: {{key}}',
  ].join('\n'),
}

/** What is not said otherwise is said as for alerts, or as for any event where another filter is given. */
function templatesOf(given: {
  readonly where?: string | undefined
  readonly subject?: string | undefined
  readonly body?: string | undefined
}) {
  const usual = given.where === undefined ? ALERT : EVENT
  return { subject: createTemplate(given.subject ?? usual.subject), body: createTemplate(given.body ?? usual.body) }
}

const { url: _, ...reach } = http
const PACE_MS = 1000

/** @throws SwornError CONFIG_INVALID */
function withoutDialect(dialect: string | undefined): void {
  if (dialect !== undefined)
    throw new SwornError('CONFIG_INVALID', 'no dialect was expected: subject and body say what is sent', 'audit.sinks.dialect')
}

const slack = sinkType(
  'slack',
  'incoming webhooks of Slack, several alerts a message',
  {
    webhook_url: text.optional().describe('A secret: better a variable, or webhook_url_file.'),
    webhook_url_file: text.optional().describe('A file that only its owner can read.'),
    ...reach,
    subject: template.optional().describe('The bold first line.'),
    body: template.optional(),
  },
  ({ webhook_url: value, webhook_url_file: file, addresses, ca_file: ca, ...rest }, { secret, now }) => {
    withoutDialect(rest.dialect)
    const url = secret(value, file)
    if (url === undefined) throw new SwornError('CONFIG_INVALID', 'the URL of a webhook was expected', 'audit.sinks.webhook_url')
    return { ...FOR_PEOPLE, open: slackSink({ url, addresses, ca: readPem(ca), ...templatesOf(rest), paceMs: PACE_MS, now }) }
  },
)

const pagerduty = sinkType(
  'pagerduty',
  'alerts of PagerDuty, Events API v2',
  {
    routing_key: text.optional().describe('The integration key: better a variable, or routing_key_file.'),
    routing_key_file: text.optional().describe('A file that only its owner can read.'),
    url: text.optional().describe('Default https://events.pagerduty.com.'),
    ...reach,
    subject: template.optional().describe('The summary, at most 1,024 characters.'),
    dedup_key: template.optional().describe('What is one alert there; default each entry.'),
    resolve_where: text.optional().describe('A filter: what ends the alert of its dedup_key, among what where lets through.'),
  },
  ({ routing_key: value, routing_key_file: file, addresses, ca_file: ca, dedup_key: key, resolve_where: ends, ...rest }, opening) => {
    withoutDialect(rest.dialect)
    const routingKey = opening.secret(value, file)
    if (routingKey === undefined) throw new SwornError('CONFIG_INVALID', 'a routing key was expected', 'audit.sinks.routing_key')
    if (ends !== undefined && key === undefined)
      throw new SwornError('CONFIG_INVALID', 'a dedup_key was expected: by it the alert is known that ends', 'audit.sinks.resolve_where')
    const resolves = ends === undefined ? undefined : compileFilter(ends)
    const texts = { subject: templatesOf(rest).subject, dedupKey: key === undefined ? undefined : createTemplate(key) }
    const { origin, now } = opening
    const url = rest.url ?? 'https://events.pagerduty.com'
    return { ...FOR_PEOPLE, open: pagerDutySink({ url, addresses, ca: readPem(ca), routingKey, ...texts, resolves, origin, now }) }
  },
)

const PORTS = { starttls: 587, tls: 465, none: 25 }
const address = z.email().max(254)

const email = sinkType(
  'email',
  'mail over SMTP, the events of a batch in one',
  {
    host: text,
    port: z.int().min(1).max(65_535).optional().describe('Default 587, 465, 25.'),
    tls: z.enum(['starttls', 'tls', 'none']).optional().describe('Default starttls: without it nothing is sent.'),
    username: text.optional(),
    password: text.optional().describe('Better a variable, or password_file.'),
    password_file: text.optional().describe('A file that only its owner can read.'),
    from: address,
    to: z.array(address).min(1).max(50),
    subject: template.optional().describe('One line, at most 200 characters.'),
    body: template.optional(),
    ca_file: reach.ca_file,
  },
  ({ host, tls = 'starttls', port = PORTS[tls], username, from, to, ...rest }, { secret, origin }) => {
    withoutDialect(rest.dialect)
    const password = secret(rest.password, rest.password_file)
    if ((username === undefined) !== (password === undefined))
      throw new SwornError('CONFIG_INVALID', 'a username and a password were expected, or neither', 'audit.sinks.username')
    if (tls === 'none' && password !== undefined)
      throw new SwornError('CONFIG_INVALID', 'no password was expected: without TLS everybody could read it', 'audit.sinks.tls')
    const server = { host, port, tls, username, password, ca: readPem(rest.ca_file) }
    return { ...FOR_PEOPLE, open: emailSink({ server, from, to, ...templatesOf(rest), origin }) }
  },
)

export const PEOPLE_TYPES: readonly SinkType[] = [slack, pagerduty, email]
