/**
 * `sworn serve`: holds a ledger as `sworn recorder` does, and answers over HTTP.
 *
 * Ends on SIGINT or SIGTERM: what is being answered is answered, then the ledger is closed. Where another process
 * records, events are handed over to it, and this one is ready to take over.
 * @module
 */
import { resolve } from 'node:path'
import { openTokenFiles } from '@sworn/server'
import { defineCommand } from '../frame/command.ts'
import { openPolicyRoutes } from '../open-policy-routes.ts'
import { frontOf, HTTP_PRODUCER, openApi, readFront } from '../open-server.ts'
import { openFor } from '../opening.ts'

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
    config: { type: 'string', value: 'FILE', about: 'another file than ./sworn.yaml' },
    'allow-host': { type: 'string', value: 'HOST', multiple: true, about: 'a further Host that is ours, e.g. audit.example:443' },
    'allow-origin': { type: 'string', value: 'ORIGIN', multiple: true, about: 'a further origin whose pages may call' },
    'tls-cert': { type: 'string', value: 'FILE', about: 'certificate of the server, PEM' },
    'tls-key': { type: 'string', value: 'FILE', about: 'its key, PEM' },
    'client-ca': { type: 'string', value: 'FILE', about: 'clients need a certificate of this authority, PEM' },
  },
  example: 'sworn serve ./audit --policy agent.yaml',
  notes: [
    'Two tokens are made on the first start, in files that only you can read: one may report and ask, the other may also revoke. Their paths are printed, never they themselves.',
    'POST /v1/events, GET /health and, with a policy, /v1/validate, /v1/revoke, /v1/jwks: docs/reference/server.md.',
  ],
  async run([path], flags, io) {
    const { listen = DEFAULT_LISTEN, 'allow-host': hosts, 'allow-origin': origins } = flags
    const place = (file: string | undefined) => (file === undefined ? undefined : resolve(io.cwd, file))
    const given = readFront(
      { listen, hosts, origins, cert: place(flags['tls-cert']), key: place(flags['tls-key']), clientCa: place(flags['client-ca']) },
      '--listen',
    )
    const { signal } = io // listened for from here on: a ledger that is open is closed
    const opened = await openFor(io, {
      path,
      config: flags.config,
      policy: flags.policy,
      recorderIdle: 'none',
      forOthers: true,
      producerId: HTTP_PRODUCER,
      actsOn: ['identity', 'server'],
    })
    try {
      if (opened.policyFault !== undefined) io.say('error', `policy_invalid: ${opened.policyFault}; everything is blocked`)
      const tokens = openTokenFiles(opened.config.directories.state)
      const policy = await openPolicyRoutes(opened, tokens)
      const front = flags.listen === undefined && policy?.rules ? frontOf(policy.rules, given) : given
      const server = await openApi(opened, io, front, { tokens, ...(policy ? { rooms: [policy], health: policy } : { rooms: [] }) })
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      io.say('info', 'ending: no further requests are taken')
      await server.close()
    } finally {
      await opened.recorder.close()
    }
    return 0
  },
})
