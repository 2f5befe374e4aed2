/** `sworn init`: writes sworn.yaml beside the schema that explains every key, and trusts it. @module */
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configJsonSchema, hashConfig, rememberTrusted } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import { stateDirectory } from '../reading/location.ts'
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
`

export const init = defineCommand({
  args: '',
  flags: { force: { type: 'boolean', about: 'replace an existing sworn.yaml' } },
  example: 'sworn init',
  async run(_args, flags, io) {
    const path = join(io.cwd, 'sworn.yaml')
    if (existsSync(path) && !flags.force) throw new SwornError('USAGE', 'there is a sworn.yaml already; --force replaces it', path)
    writeFileSync(join(io.cwd, 'sworn.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
    writeFileSync(path, TEMPLATE)
    rememberTrusted(stateDirectory(io), realpathSync(path), hashConfig(TEMPLATE))
    await io.out(escapeText(`wrote ${path} and sworn.schema.json; the file is trusted as it is`))
    return 0
  },
})
