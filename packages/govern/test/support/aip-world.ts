/**
 * What AIP's identity and server vectors happen in: a machine with a clock, one engine per process, its session,
 * its HTTP routes. Reads the vectors' little language: `${NAME}`, ">0", ">=0", "!null", `…_length`.
 * @module
 */
import assert from 'node:assert/strict'
import type { Verdict } from '@sworn/recorder'
import { createPolicyRoutes, type PolicyRoutes } from '../../src/http/index.ts'
import { parseDuration } from '../../src/identity/durations.ts'
import type { Identity, IssuedToken, Session } from '../../src/identity/index.ts'
import { createGate } from '../../src/index.ts'
import { loadPolicy } from '../../src/policy/index.ts'
import type { Policy } from '../../src/policy/types.ts'
import { bindingOf, createMachine, type Machine, startProcess } from './identity.ts'
import { emptyDisk } from './make.ts'

export type Json = Readonly<Record<string, unknown>>

export interface Input {
  readonly method?: string
  readonly tool?: string
  readonly args?: unknown
  /** Absent: the engine's own token goes with the call. null: none. */
  readonly token?: string | null
}

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Called {
  readonly verdict: Verdict
  readonly issued?: IssuedToken
}

export interface Engine {
  readonly policy: () => Policy
  readonly session: () => Promise<Session | undefined>
  issue(): Promise<IssuedToken>
  call(input: Input): Promise<Called>
  load(text: string): void
  send(request: HttpRequest): Promise<Response>
}

export interface World {
  readonly machine: Machine
  readonly names: Map<string, string>
  wait(duration: string): void
  /** @param n the process; tokens of one are presented to another through `names` */
  start(text: string, n?: number, hostname?: string): Engine
}

export function readPolicy(text: string): Policy {
  return loadPolicy({ text, name: 'vector.yaml' }, { profile: 'aip-compat', actsOn: ['identity', 'server'] })
}

export function createWorld(): World {
  const machine = createMachine()
  const names = new Map<string, string>()
  return {
    machine,
    names,
    wait: (duration) => void (machine.nowMs += parseDuration(duration)),
    start: (text, n = 1, hostname = 'node-1') => startEngine({ machine, names }, readPolicy(text), { n, hostname }),
  }
}

function startEngine(
  { machine, names }: Pick<World, 'machine' | 'names'>,
  first: Policy,
  { n, hostname }: { n: number; hostname: string },
): Engine {
  let policy = first
  const gateOf = (of: Policy) => createGate({ policy: of, profile: 'aip-compat', platform: emptyDisk, now: () => machine.nowMs })
  let gate = gateOf(policy)
  const identity = first.identity && startProcess(machine, { policy: first, binding: bindingOf(n, { hostname }) })
  const routes = routesOf(machine, identity, () => ({ policy, gate }))
  let opened: Promise<Session> | undefined
  const session = async () => (policy.identity && identity ? (opened ??= identity.openSession()) : undefined)

  async function issue(): Promise<IssuedToken> {
    const own = await session()
    assert.ok(own, 'the policy enables identity')
    return own.token({ fresh: true })
  }

  return {
    policy: () => policy,
    session,
    issue,
    async call(input) {
      const own = 'token' in input ? undefined : await (await session())?.token()
      const token = own ? own.text : input.token && fill(input.token, names)
      const ruling = await identity?.judge({ token }, String(input.tool))
      const verdict =
        ruling?.refusal ??
        (await gate.judge({ kind: 'tool', name: String(input.tool), input: input.args, ids: {}, rpc: { method: String(input.method) } }))
      return { verdict, ...(own && { issued: own }) }
    },
    load(text) {
      policy = readPolicy(text)
      gate = gateOf(policy)
      identity?.follow(policy)
    },
    send: (request) => send(routes, request, names),
  }
}

function routesOf(
  machine: Machine,
  identity: Identity | undefined,
  governing: Parameters<typeof createPolicyRoutes>[0]['governing'],
): PolicyRoutes {
  return createPolicyRoutes({
    governing,
    profile: 'aip-compat',
    ...(identity && { identity }),
    record: async (event) => void machine.events.push(event),
    now: () => machine.nowMs,
    metrics: (samples) => samples.map(({ name, value }) => `${name} ${value}\n`).join(''),
  })
}

async function send(
  routes: PolicyRoutes,
  { method, path, headers = {}, body }: HttpRequest,
  names: Map<string, string>,
): Promise<Response> {
  const text = body === undefined ? null : fill(typeof body === 'string' ? body : JSON.stringify(body), names)
  const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value, names)]))
  const response = await routes.route(new Request(`http://127.0.0.1:9443${path}`, { method, headers: filled, body: text }))
  assert.ok(response, 'the path is one of ours')
  return response
}

export function fill(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)\}/g, (_all, name: string) => {
    const value = names.get(name)
    assert.ok(value !== undefined, `${name} was captured`)
    return value
  })
}

const MATCHERS: Readonly<Record<string, (actual: unknown) => boolean>> = {
  '>0': (actual) => Number(actual) > 0,
  '>=0': (actual) => Number(actual) >= 0,
  '!null': (actual) => actual !== null && actual !== undefined,
}

/** Compares what a vector expects with what came, member by member. */
export function match(actual: unknown, expected: unknown, at = ''): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) && actual.length === expected.length, at)
    for (const [n, one] of expected.entries()) match(actual[n], one, `${at}/${n}`)
  } else if (typeof expected === 'object' && expected !== null) matchMembers(actual as Json, expected, at)
  else if (typeof expected === 'string' && Object.hasOwn(MATCHERS, expected)) assert.ok(MATCHERS[expected]!(actual), at)
  else assert.equal(actual, expected, at)
}

/** A vector that expects an object fails when there is none. */
function matchMembers(actual: Json | undefined, expected: object, at: string): void {
  for (const [name, value] of Object.entries(expected)) {
    if (name.endsWith('_length')) assert.equal(String(actual?.[name.slice(0, -'_length'.length)]).length, value, `${at}/${name}`)
    else match(actual?.[name], value, `${at}/${name}`)
  }
}
