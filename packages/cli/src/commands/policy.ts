/**
 * `sworn policy check|explain`: is the policy valid, and what would it decide about one call.
 * @module
 */
import { resolve } from 'node:path'
import { explain } from '@sworn/govern'
import { explainPolicy, loadPolicy } from '@sworn/govern/policy'
import { readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { loadFor } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'

export const policy = defineCommand({
  args: 'check FILE | explain FILE TOOL [JSON]',
  maxArgs: 4,
  flags: {
    profile: { type: 'string', choices: ['strict', 'aip-compat'], about: 'how the policy is read, default strict' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: `sworn policy explain agent.yaml write_file '{"path":"/etc/hosts"}'`,
  notes: ['explain: exit 0 when the call would be allowed, 1 when not.'],
  async run([action, file, tool, input], flags, io) {
    const path = resolve(io.cwd, file ?? (await loadFor(io)).values.policy ?? missing('a policy file was expected'))
    const text = readTextFile(path)
    if (text === undefined) throw new SwornError('POLICY_INVALID', 'there is no such file', path)
    const loaded = loadPolicy({ text, name: path }, { profile: flags.profile === 'aip-compat' ? 'aip-compat' : 'strict' })
    if (action === 'check') {
      const lines = explainPolicy(loaded)
      await print(flags.json ? { ok: true, policy: lines } : lines, io)
      return 0
    }
    if (action !== 'explain' || !tool) return missing('check FILE or explain FILE TOOL [JSON] was expected')
    const call = { kind: 'tool', name: tool, input: parseInput(input), ids: {}, rpc: { method: 'tools/call' } } as const
    const steps = await explain(call, { policy: loaded })
    const ok = steps.at(-1)?.outcome === 'allows'
    await print(flags.json ? { ok, steps } : steps.map(({ step, outcome, detail }) => `${step} ${outcome} ${detail}`.trimEnd()), io)
    return ok ? 0 : 1
  },
})

function missing(message: string): never {
  throw new SwornError('USAGE', message)
}

function parseInput(text: string | undefined): unknown {
  if (text === undefined) return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new SwornError('USAGE', 'the arguments of the call were expected as JSON')
  }
}

async function print(what: object | readonly string[], io: Io): Promise<void> {
  if (!Array.isArray(what)) return void (await io.out(JSON.stringify(what)))
  for (const line of what) await io.out(escapeText(String(line)))
}
