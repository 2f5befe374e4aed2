/**
 * `sworn policy`: is the policy valid, what would it decide, does it pass its cases, what would it have decided, one
 * that is learnt from what was recorded, and a signature.
 * @module
 */
import { defineCommand } from '../frame/command.ts'
import { checkPolicy, explainCall, testPolicy } from '../policy/judge.ts'
import { missing } from '../policy/read.ts'
import { initPolicy, replayPolicy } from '../policy/recorded.ts'
import { signPolicyFile } from '../policy/sign.ts'

const ACTIONS = new Map([
  ['check', checkPolicy],
  ['explain', explainCall],
  ['test', testPolicy],
  ['replay', replayPolicy],
  ['init', initPolicy],
  ['sign', signPolicyFile],
])

export const policy = defineCommand({
  args: 'check FILE | explain FILE TOOL [JSON] | test FILE CASES | replay FILE [LEDGER] | init [LEDGER] | sign FILE [LEDGER]',
  maxArgs: 4,
  flags: {
    profile: { type: 'string', choices: ['strict', 'aip-compat'], about: 'how the policy is read, default strict' },
    roles: { type: 'string', value: 'FILE', about: 'check, explain, test, replay: the users, roles and budgets that decide too' },
    user: { type: 'string', value: 'USER', about: 'explain: who calls' },
    role: { type: 'string', value: 'ROLE', about: 'explain, test, replay: everybody has this role' },
    tools: { type: 'string', value: 'FILE', about: 'explain, test: what the server answers to tools/list, for schema_hash' },
    session: { type: 'string', value: 'ID', about: 'replay, init: this session only' },
    'policy-key': { type: 'string', value: 'VKEY_OR_PEM', multiple: true, about: 'who may sign the policy, which must then be signed' },
    'signing-key': { type: 'string', value: 'FILE', about: "sign: an Ed25519 private key, PEM, mode 0600, instead of the ledger's" },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: `sworn policy explain agent.yaml write_file '{"path":"/etc/hosts"}'`,
  notes: [
    'check: also names every place where the two profiles differ for this policy.',
    'explain: exit 0 when the call would be allowed, 1 when not. test: 1 when a case does not hold. replay: 1 when a verdict changes.',
    'sign: writes metadata.signature into FILE with the key of the ledger that `sworn keys show` names, and says which --policy-key trusts it.',
  ],
  async run([action = '', ...args], flags, io) {
    const profile = flags.profile === 'aip-compat' ? 'aip-compat' : 'strict'
    const { session, json, roles, user, role, tools, 'policy-key': policyKeys, 'signing-key': signingKey } = flags
    const act = ACTIONS.get(action) ?? missing('check, explain, test, replay, init or sign was expected')
    return act(args, { profile, session, json, roles, user, role, tools, policyKeys, signingKey }, io)
  },
})
