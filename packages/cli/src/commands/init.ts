/**
 * `sworn init`: writes sworn.yaml beside the schemas that explain every key of it and of a policy, and trusts it.
 *
 * With `--reason` it answers a FATAL verdict: the old ledger is set aside untouched, and the first event of the
 * new one says why and which ledger came before.
 * @module
 */
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { policyJsonSchema } from '@sworn/govern/policy'
import { hashConfig, rememberTrusted } from '@sworn/recorder'
import { configJsonSchema } from '@sworn/recorder/schemas'
import { SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { rooms } from '../open-delivery.ts'
import { openFor } from '../opening.ts'
import { setAside } from '../operator/set-aside.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'

const TEMPLATE = `# yaml-language-server: $schema=./sworn.schema.json
# Every key with its meaning: sworn.schema.json. Every value in force with its origin: sworn doctor --config
audit:
  # a directory, or a .jsonl file
  log_path: ./audit
  # names whose values are never recorded, besides password, secret, token, api_key, …
  redact:
    - customer_iban
  # block: an action that cannot be recorded does not happen
  on_audit_failure: block
  # what may be done; its first line: # yaml-language-server: $schema=./agent-policy.schema.json
  # policy: ./agent.yaml
`

export const init = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    reason: { type: 'string', value: 'TEXT', about: 'start a new ledger where a lost or damaged one was, and record why' },
    force: { type: 'boolean', about: 'replace an existing sworn.yaml' },
  },
  example: 'sworn init',
  async run([ledger], flags, io) {
    if (flags.reason !== undefined) return await startAnew(await ledgerPath(io, ledger), flags.reason, io)
    if (ledger !== undefined) throw new SwornError('USAGE', 'a PATH goes with --reason only', ledger)
    const path = join(io.cwd, 'sworn.yaml')
    if (existsSync(path) && !flags.force) throw new SwornError('USAGE', 'there is a sworn.yaml already; --force replaces it', path)
    writeSchema(join(io.cwd, 'sworn.schema.json'), configJsonSchema(await sections()))
    writeSchema(join(io.cwd, 'agent-policy.schema.json'), policyJsonSchema())
    writeFileSync(path, TEMPLATE)
    rememberTrusted(stateDirectory(io), realpathSync(path), hashConfig(TEMPLATE))
    await io.out(escapeText(`wrote ${path}, sworn.schema.json and agent-policy.schema.json; the file is trusted as it is`))
    return 0
  },
})

/** The sections that other rooms check. */
async function sections(): Promise<NonNullable<Parameters<typeof configJsonSchema>[0]>> {
  return Object.fromEntries(Object.entries(await rooms()).map(([name, { schema }]) => [name, schema]))
}

function writeSchema(path: string, schema: object): void {
  writeFileSync(path, `${JSON.stringify(schema, null, 2)}\n`)
}

async function startAnew(path: string, reason: string, io: Io): Promise<ExitCode> {
  const ledger = resolve(io.cwd, path)
  const aside = setAside(ledger, stateDirectory(io), new Date(io.now()).toISOString().replaceAll(':', ''), reason)
  const { recorder } = await openFor(io, { path: ledger, previousLog: aside.previousLog })
  const previous = {
    path: aside.path ?? 'nothing was there',
    log_id: aside.known?.logId ?? 'unknown',
    signed_size: aside.known?.signedSize ?? 0,
  }
  try {
    const metadata = { rule: 'ledger_started_anew', previous }
    await recorder.record({ event_type: 'security_alert', severity: 'critical', target: ledger, reason, metadata }, { level: 'sync' })
  } finally {
    await recorder.close()
  }
  await io.out(escapeText(`a new ledger begins at ${ledger}; the old one: ${previous.path}`))
  return 0
}
