/** The configuration examples of the founding documents: which load as they stand, which are refused and in what words. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { readConfig } from '../src/schemas.ts'

/** Gantz, "Configure": the audit block of gantz.yaml. */
const GANTZ = `audit:
  enabled: true
  log_path: /var/log/agent-audit.jsonl
  retention_days: 90
  log_level: info  # debug, info, warn, error

  # What to log
  events:
    - tool_execution
    - authentication
    - authorization
    - errors
    - model_calls

  # What to redact
  redact:
    - password
    - api_key
    - token
    - secret
    - credit_card
`

/** AIP guide, "Sign audit logs": the block below spec. */
const AIP = `audit:
    signing: true
    signing_key: /etc/aip/audit-signing-key.pem
`

/** pi-governance, "Configure one or more audit sinks". */
const PI = `audit:
  sinks:
    - type: jsonl
      path: ~/.pi/agent/audit.jsonl
    - type: webhook
      url: \${AUDIT_WEBHOOK_URL}
`

const loads: [string, string, string[]][] = [
  ["AIP's signing block", AIP, ['signing', 'signing_key']],
  ["Gantz's block", GANTZ, ['enabled', 'log_path', 'retention_days', 'log_level', 'events', 'redact']],
  ["Gantz's default destination", 'audit:\n  destinations: [file]\n', ['destinations']],
  [
    'a file destination at the path of the ledger',
    'audit:\n  log_path: ./a.jsonl\n  destinations: [{type: file, path: a.jsonl}]\n',
    ['log_path', 'destinations'],
  ],
  ['no sinks', 'audit:\n  sinks: []\n', ['sinks']],
]
for (const [what, text, keys] of loads) {
  test(`${what} loads as it stands`, () => assert.deepEqual(Object.keys(readConfig(text, 'f', {})).toSorted(), keys.toSorted()))
}

const refused: [string, string, string][] = [
  [
    "Gantz's other destinations",
    'audit:\n  destinations: [file, stdout, siem, cloudwatch]\n',
    'destinations are configured, but nothing here delivers; leave `file` alone and ship the file of the ledger (at f:2:3 audit.destinations)',
  ],
  [
    "pi-governance's sinks",
    PI,
    'sinks are configured, but nothing here delivers; take them out, set log_path and ship the file of the ledger (at f:2:3 audit.sinks)',
  ],
  ['the tools of a whole gantz.yaml', `${GANTZ}\ntools: []\n`, 'unknown option "tools" (at f:23:1 tools)'],
]
for (const [what, text, message] of refused) {
  test(`${what} is refused by name, with the way out`, () => {
    const refuse = () => readConfig(text, 'f', { AUDIT_WEBHOOK_URL: 'https://hook.example/s3cret' })
    assert.throws(refuse, (e) => SwornError.is(e, 'CONFIG_INVALID') && e.message === message && !e.message.includes('s3cret'))
  })
}
