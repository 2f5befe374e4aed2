/** Reading users and roles: pi-governance's files as they are, and what is refused, where. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { loadRoles } from '../src/roles/index.ts'
import { runs } from './support/make.ts'

const RULES = `
roles:
  analyst:
    allowed_tools: [read, grep, find, ls]
    blocked_tools: [write, edit, bash]
    prompt_template: analyst
    execution_mode: supervised
    human_approval: {required_for: [all]}
    token_budget_daily: 100000
    allowed_paths: ['{{project_path}}/**']
    blocked_paths: ['**/secrets/**', '**/.env*']
  admin:
    allowed_tools: [all]
    blocked_tools: []
    execution_mode: autonomous
    human_approval: {required_for: []}
    token_budget_daily: -1
    allowed_paths: ['**']
    blocked_paths: []
    bash_overrides: {additional_blocked: [sudo, "curl.*\\\\\\\\|.*sh"], additional_allowed: ['terraform\\\\s+plan']}
`
const USERS = 'users:\n  alice: {role: admin, org_unit: platform}\ndefault: {role: analyst, org_unit: default}\n'
const GOVERNANCE = `
auth: {provider: local, local: {users_file: ./users.yaml}}
policy: {engine: yaml, yaml: {rules_file: ./governance-rules.yaml}}
templates: {directory: ./templates/, default: project-lead}
hitl: {default_mode: supervised, timeout_seconds: 300}
audit: {sinks: [{type: jsonl, path: ~/.pi/agent/audit.jsonl}]}
`
const FILES: Readonly<Record<string, string>> = { './users.yaml': USERS, './governance-rules.yaml': RULES }

const load = (text: string) => loadRoles({ text, name: 'roles.yaml' }, { readBeside: (name) => FILES[name] })
const role = (members: string) => `roles:\n  a: {allowed_tools: [x], allowed_paths: ['**'], budgets: unlimited${members}}\n`

test('the three files of pi-governance are read as they stand, and what belongs elsewhere is a warning', () => {
  const { roles, users, fallback, warnings, files } = load(GOVERNANCE)
  assert.deepEqual([...roles.keys()], ['analyst', 'admin'])
  assert.deepEqual(users.get('alice'), { role: 'admin', orgUnit: 'platform' })
  assert.deepEqual(fallback, { role: 'analyst', orgUnit: 'default' })
  assert.deepEqual(roles.get('analyst')?.limits, [{ measure: 'calls', scope: 'session', limit: 100_000 }])
  assert.deepEqual(roles.get('admin')?.limits, [])
  assert.deepEqual(files, ['roles.yaml', './governance-rules.yaml', './users.yaml'])
  assert.equal(warnings.length, 3)
  const { allowed, blockedTexts } = roles.get('admin')!.commands
  assert.deepEqual(allowed, ['terraform plan **'])
  assert.deepEqual(
    ['sudo x', 'curl u | sh', 'ls'].map((text) => blockedTexts.some((pattern) => pattern.find(text))),
    [true, true, false],
  )
})

const refused: [what: string, text: string, at: RegExp, message: RegExp][] = [
  ['a misspelt key of a role', role(', alowed_paths: []'), /roles\.a\.alowed_paths/, /did you mean "allowed_paths"/],
  ['a misspelt section', 'rolls: {}', /rolls/, /did you mean "roles"/],
  ['a misspelt key of a user', `${role('')}users: {x: {rol: a}}`, /users\.x/, /./],
  ['a misspelt measure', role('').replace('unlimited', '{calls: {week: 1}}'), /roles\.a\.budgets/, /./],
  ['no budget', role('').replace(', budgets: unlimited', ''), /roles\.a/, /budgets was expected/],
  ['null as a budget', role('').replace('unlimited', 'null'), /roles\.a\.budgets/, /unlimited/],
  ['both kinds of budgets', role(', token_budget_daily: 5'), /token_budget_daily/, /not both/],
  ['half a call', role('').replace('unlimited', '{calls: {day: 0.5}}'), /budgets\.calls\.day/, /whole number/],
  ['no paths', role('').replace(", allowed_paths: ['**']", ''), /roles\.a/, /array was expected/],
  ['null as tools', role('').replace('[x]', 'null'), /roles\.a\.allowed_tools/, /array was expected/],
  ['a glob that climbs', role(", blocked_paths: ['../x']"), /blocked_paths/, /glob without/],
  ['a glob of too many alternatives', role(`, blocked_paths: ['${'{a,b}'.repeat(9)}']`), /blocked_paths/, /64 alternatives/],
  ['a pattern that allows by search', role(", bash_overrides: {additional_allowed: ['ls.*']}"), /additional_allowed/, /plain words/],
  ['a pattern that is none', role(", bash_overrides: {additional_blocked: ['(']}"), /additional_blocked/, /RE2/],
  ['units with their own rules (PW11)', `${role('')}org_units: {x: {}}`, /org_units/, /does not act on it/],
  ['another engine', `${role('')}policy: {engine: oso}`, /policy\.engine/, /yaml was expected/],
  ['an identity provider that nothing asks (PW11)', `${role('')}auth: {provider: oidc}`, /auth\.provider/, /local or env or token/],
  ['a file that is not there', 'policy: {yaml: {rules_file: ./gone.yaml}}', /rules_file/, /does not exist/],
  ['no role at all', 'users: {}', /roles\.yaml/, /at least one role/],
  ['a list', '- a', /roles\.yaml:1:1/, /users or roles/],
]

describe('what cannot be obeyed is refused, with the place', () => {
  for (const [what, text, at, message] of refused)
    test(what, () => {
      assert.throws(
        () => load(text),
        (e) => SwornError.is(e, 'POLICY_INVALID') && at.test(e.at) && message.test(e.message),
      )
    })

  test('whatever the file holds, it is read or refused as invalid, and no message repeats a value', () => {
    const secret = 'hunter2hunter2'
    const value = fc
      .jsonValue()
      .map((json) => JSON.stringify(json, (_key, member: unknown) => (typeof member === 'string' ? secret : member)))
    const key = fc.constantFrom('roles', 'users', 'default', 'auth', 'policy', 'hitl', 'command_tools', 'audit')
    const property = fc.property(key, value, (name, json) => {
      for (const text of [`${name}: ${json}`, `roles: {a: {${name}: ${json}, allowed_tools: ${json}, budgets: ${json}}}`]) {
        try {
          load(text)
        } catch (e) {
          assert.ok(SwornError.is(e, 'POLICY_INVALID'), String(e))
          assert.doesNotMatch(e.message, /hunter2/)
        }
      }
    })
    fc.assert(property, runs)
  })
})

test('the hash is of what the files say, and changes with any of them', () => {
  const hash = (users: string) =>
    loadRoles({ text: GOVERNANCE, name: 'g' }, { readBeside: (name) => (name === './users.yaml' ? users : FILES[name]) }).hash
  assert.equal(hash(USERS), hash(`# words\n${USERS}`))
  assert.notEqual(hash(USERS), hash(USERS.replace('admin', 'analyst')))
})
