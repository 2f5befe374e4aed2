/** `sworn trust`: remembers a project's sworn.yaml by path and content; any change of it ends the trust. @module */
import { realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hashConfig, readTextFile, rememberTrusted } from '@sworn/recorder'
import { readConfig } from '@sworn/recorder/schemas'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import { rooms } from '../open-delivery.ts'
import { stateDirectory } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'

export const trust = defineCommand({
  args: '[DIRECTORY]',
  maxArgs: 1,
  flags: { forget: { type: 'boolean', about: 'end the trust' } },
  example: 'sworn trust .',
  notes: ['An untrusted sworn.yaml may add redaction and a policy; it may not move the ledger, disable recording or replace a policy.'],
  async run([directory], flags, io) {
    const named = resolve(io.cwd, directory ?? '.')
    const file = statSync(named, { throwIfNoEntry: false })?.isDirectory() ? join(named, 'sworn.yaml') : named
    const text = readTextFile(file)
    if (text === undefined) throw new SwornError('USAGE', 'there is no such file', file)
    readConfig(text, file, io.env, await rooms())
    const path = realpathSync(file)
    rememberTrusted(stateDirectory(io), path, flags.forget ? undefined : hashConfig(text))
    await io.out(
      escapeText(flags.forget ? `no longer trusted: ${path}` : `trusted as it is now: ${path} (sha256 ${hashConfig(text).slice(0, 16)}…)`),
    )
    return 0
  },
})
