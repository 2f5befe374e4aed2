/** The flags of every command in whose process calls are judged and recorded. @module */
export const ACTING_FLAGS = {
  policy: { type: 'string', value: 'FILE', about: 'the AgentPolicy that decides' },
  roles: { type: 'string', value: 'FILE', about: 'users, roles and budgets that decide too' },
  'policy-key': { type: 'string', value: 'VKEY_OR_PEM', multiple: true, about: 'who may sign the policy, which must then be signed' },
  'audit-log': { type: 'string', value: 'PATH', about: 'the ledger, default ./audit' },
  user: { type: 'string', value: 'USER', about: 'who is acting' },
  agent: { type: 'string', value: 'AGENT', about: 'name of the agent' },
  config: { type: 'string', value: 'FILE', about: 'another file than ./sworn.yaml' },
} as const
