/** From a request for one of our paths to its answer. @module */
import { type Answer, type Asked, refuse } from './answers.ts'
import type { Sample } from './counters.ts'
import type { Door } from './door.ts'
import { health, jwks, metrics } from './public.ts'
import { revoke } from './revoke.ts'
import type { Endpoints } from './rules.ts'
import { validate } from './validate.ts'

export type EndpointName = keyof Endpoints

const VERBS: Readonly<Record<EndpointName, string>> = { validate: 'POST', revoke: 'POST', jwks: 'GET', health: 'GET', metrics: 'GET' }

export function findEndpoint(endpoints: Endpoints, request: Request): EndpointName | undefined {
  const path = new URL(request.url).pathname
  return (Object.keys(endpoints) as EndpointName[]).find((name) => endpoints[name] === path) // the keys of Endpoints
}

/** Renders what was counted. */
export type Render = (samples: readonly Sample[]) => string | Promise<string>

/** Never rejects: what fails inside is an answer too. */
export async function answerRequest(door: Door, request: Request, name: EndpointName, render?: Render): Promise<Answer> {
  const asked: Asked = { endpoint: name, method: request.method }
  const verb = VERBS[name]
  if (request.method !== verb) {
    const refused = refuse(asked, { status: 405, error: 'method_not_allowed', reason: `${verb} was expected` })
    return { ...refused, headers: { allow: verb } }
  }
  if (verb === 'POST' && request.headers.has('origin'))
    return refuse(asked, { status: 403, error: 'origin_not_allowed', reason: 'A page of a browser cannot ask' })
  try {
    if (name === 'validate') return await validate(door, asked, request)
    if (name === 'revoke') return await revoke(door, asked, request)
    if (name === 'jwks') return await jwks(door, asked)
    return name === 'health' ? health(door, asked, request) : await metrics(door, asked, request, render)
  } catch {
    return refuse(asked, { status: 500, error: 'internal_error', reason: 'The request could not be answered' })
  }
}
