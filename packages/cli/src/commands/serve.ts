/**
 * `sworn serve`: holds a ledger as `sworn recorder` does, and answers over HTTP.
 *
 * Ends on SIGINT or SIGTERM: what is being answered is answered, then the ledger is closed. Where another process
 * records, events are handed over to it, and this one is ready to take over.
 * @module
 */
import { resolve } from 'node:path'
import { openTokenFiles } from '@sworn/server'
import { SwornError } from '@sworn/verify'
import { readIssuer } from '../access-tokens.ts'
import { type HooksRoom, openHooks } from '../answering/serve-hooks.ts'
import { defineCommand } from '../frame/command.ts'
import { keepIndex } from '../live-index.ts'
import { keepVerified, parseEvery } from '../live-verify.ts'
import { makeMirrors, type OpenCollector, openCollector } from '../open-collector.ts'
import { openIdentity } from '../open-identity.ts'
import { openPolicyRoutes } from '../open-policy-routes.ts'
import { frontOf, HTTP_PRODUCER, openApi, readFront } from '../open-server.ts'
import { openFor } from '../opening.ts'
import { openServedApprovals, type ServedApprovals } from '../served-approvals.ts'

const DEFAULT_LISTEN = '127.0.0.1:7710'

export const serve = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    listen: {
      type: 'string',
      value: 'HOST:PORT',
      about: `where to listen, default what the policy's spec.server says, or ${DEFAULT_LISTEN}`,
    },
    policy: { type: 'string', value: 'FILE', about: 'the AgentPolicy that /v1/validate asks' },
    roles: { type: 'string', value: 'FILE', about: 'users, roles and budgets that /v1/validate asks too' },
    'policy-key': { type: 'string', value: 'VKEY_OR_PEM', multiple: true, about: 'who may sign the policy, which must then be signed' },
    config: { type: 'string', value: 'FILE', about: 'another file than ./sworn.yaml' },
    'allow-host': { type: 'string', value: 'HOST', multiple: true, about: 'a further Host that is ours, e.g. audit.example:443' },
    'allow-origin': { type: 'string', value: 'ORIGIN', multiple: true, about: 'a further origin whose pages may call' },
    'tls-cert': { type: 'string', value: 'FILE', about: 'certificate of the server, PEM' },
    'tls-key': { type: 'string', value: 'FILE', about: 'its key, PEM' },
    'jwt-keys': {
      type: 'string',
      value: 'FILE',
      about: 'a JWK Set; JWTs that its keys signed may ask /v1/validate, their `sub` the user',
    },
    'jwt-issuer': { type: 'string', value: 'ISS', about: 'with --jwt-keys: who issues the JWTs' },
    'jwt-audience': { type: 'string', value: 'AUD', about: 'with --jwt-keys: for whom they are' },
    mirrors: {
      type: 'string',
      value: 'PLACE',
      about: 'collect: take the lines of other ledgers into this folder or postgres:// database, and cosign them',
    },
    'mirror-key': {
      type: 'string',
      value: 'VKEY',
      multiple: true,
      about: 'with --mirrors: take only ledgers that begin with one of these keys',
    },
    'verify-every': {
      type: 'string',
      value: 'DURATION',
      about: 'how often all of the ledger is verified for /metrics, default 24h; what is added is each minute; never: neither',
    },
    'client-ca': { type: 'string', value: 'FILE', about: 'clients need a certificate of this authority, PEM' },
  },
  example: 'sworn serve ./audit --policy agent.yaml',
  notes: [
    'Two tokens are made on the first start, in files that only you can read: one may report and ask, the other may also revoke and answer what proxies on the ledger ask. Their paths are printed, never they themselves.',
    'With --mirrors a `collector` sink elsewhere can send its ledger here; the key that cosigns is printed: docs/guides/collector.md.',
    'POST /v1/events, /v1/traces and /v1/logs of OpenTelemetry, /v1/hooks of coding agents, GET /health, GET /metrics, /api/approvals and, with a policy, /v1/validate, /v1/revoke, /v1/jwks: docs/reference/server.md.',
  ],
  async run([path], flags, io) {
    const { listen = DEFAULT_LISTEN, 'allow-host': hosts, 'allow-origin': origins } = flags
    const place = (file: string | undefined) => (file === undefined ? undefined : resolve(io.cwd, file))
    const given = readFront(
      { listen, hosts, origins, cert: place(flags['tls-cert']), key: place(flags['tls-key']), clientCa: place(flags['client-ca']) },
      '--listen',
    )
    const check = await readIssuer(flags, io.cwd)
    if (flags['mirror-key'].length > 0 && flags.mirrors === undefined)
      throw new SwornError('USAGE', '--mirrors was expected beside it', '--mirror-key')
    const wholeMs = parseEvery(flags['verify-every'], '--verify-every')
    const mirrors = flags.mirrors === undefined ? undefined : makeMirrors(flags.mirrors, io.cwd, flags['mirror-key'])
    const { signal } = io // listened for from here on: a ledger that is open is closed
    const opened = await openFor(io, {
      path,
      config: flags.config,
      policy: flags.policy,
      roles: flags.roles,
      policyKeys: flags['policy-key'],
      recorderIdle: 'none',
      forOthers: true,
      producerId: HTTP_PRODUCER,
      actsOn: ['identity', 'server'],
    })
    let approvals: ServedApprovals | undefined
    let collector: OpenCollector | undefined
    let hooks: HooksRoom | undefined
    const index = await keepIndex(opened.config.values.log_path, io)
    const verifying = wholeMs === undefined ? undefined : keepVerified(opened.config.values.log_path, wholeMs, io)
    try {
      if (opened.policyFault !== undefined) io.say('error', `policy_invalid: ${opened.policyFault}; everything is blocked`)
      const byReport = (opened.gate.meters?.() ?? []).map(({ rule }) => rule)
      if (byReport.length > 0) io.say('warn', `${byReport.join(', ')}: /v1/validate counts nothing there, what came of a call is not told`)
      const tokens = openTokenFiles(opened.config.directories.state)
      const policy = await openPolicyRoutes(opened, tokens, await openIdentity(opened), check)
      const front = flags.listen === undefined && policy?.rules ? frontOf(policy.rules, given) : given
      approvals = openServedApprovals(opened, tokens, origins ?? [])
      collector = mirrors === undefined ? undefined : await openCollector(mirrors, opened, tokens, io)
      hooks = await openHooks(opened, { listen: front.listen, flags, tokens }, io)
      const rooms = [approvals, hooks, ...(collector ? [collector] : []), ...(policy ? [policy] : [])]
      const server = await openApi(opened, io, front, {
        ...{ tokens, rooms, take: approvals.take, ...(verifying && { verified: verifying.current }) },
        ...(policy && { health: policy, samples: policy.samples }),
      })
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      io.say('info', 'ending: no further requests are taken')
      await server.close()
    } finally {
      approvals?.close()
      await collector?.close()
      await hooks?.close()
      await verifying?.stop()
      await opened.recorder.close()
      await index?.stop()
    }
    return 0
  },
})
