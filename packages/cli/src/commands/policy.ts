/**
 * `sworn policy`: is the policy valid, what would it decide, does it pass its cases, what would it have decided, and one
 * that is learnt from what was recorded.
 * @module
 */
import { defineCommand } from '../frame/command.ts'
import { checkPolicy, explainCall, testPolicy } from '../policy/judge.ts'
import { missing } from '../policy/read.ts'
import { initPolicy, replayPolicy } from '../policy/recorded.ts'

export const policy = defineCommand({
  args: 'check FILE | explain FILE TOOL [JSON] | test FILE CASES | replay FILE [LEDGER] | init [LEDGER]',
  maxArgs: 4,
  flags: {
    profile: { type: 'string', choices: ['strict', 'aip-compat'], about: 'how the policy is read, default strict' },
    session: { type: 'string', value: 'ID', about: 'replay, init: this session only' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: `sworn policy explain agent.yaml write_file '{"path":"/etc/hosts"}'`,
  notes: [
    'check: also names every place where the two profiles differ for this policy.',
    'explain: exit 0 when the call would be allowed, 1 when not. test: 1 when a case does not hold. replay: 1 when a verdict changes.',
  ],
  async run([action, ...args], flags, io) {
    const options = { profile: flags.profile === 'aip-compat' ? 'aip-compat' : 'strict', session: flags.session, json: flags.json } as const
    if (action === 'check') return checkPolicy(args, options, io)
    if (action === 'explain') return explainCall(args, options, io)
    if (action === 'test') return testPolicy(args, options, io)
    if (action === 'replay') return replayPolicy(args, options, io)
    if (action === 'init') return initPolicy(args, options, io)
    return missing('check, explain, test, replay or init was expected')
  },
})
