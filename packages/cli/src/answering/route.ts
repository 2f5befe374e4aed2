/**
 * Hooks over HTTP: POST /v1/hooks/CLIENT/EVENT with the client's own JSON, answered as `sworn hook CLIENT EVENT` answers it.
 *
 * The ledger, policy and roles are those of the server; relative paths are told from the folder that the hook names. Who
 * calls has a token of the server. The body is hostile: at most 16 MiB within 10 s.
 * @module
 */
import { MAX_HOOK_BYTES } from '@sworn/proxy/hooks'
import type { Port } from '@sworn/recorder'
import { bearerOf, bodyRefusalResponse, createBearerCheck, errorResponse, readBodyOf, toBodyRefusal } from '@sworn/recorder/http'
import type { Room, TokenFile } from '@sworn/server'
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import type { VisitLedger } from '../hooking.ts'
import { answerRequest } from './answer.ts'
import { createHookRooms } from './rooms.ts'

export interface HooksRoom extends Room {
  /** What was asked is answered first. */
  close(): Promise<void>
}

export interface HooksRoomOptions {
  readonly tokens: readonly TokenFile[]
  /** Of `sworn hook`: which ledger, policy and roles. */
  readonly flags: readonly string[]
  /** Of the server. */
  readonly port?: Port
}

const PATH = /^\/v1\/hooks\/([a-z-]{1,64})\/([\w.]{1,64})$/
const BODY = { bytes: MAX_HOOK_BYTES, timeMs: 10_000 }
/** Exit codes of `sworn hook`. */
const USAGE = 2
const NOT_RECORDED = 1

export function createHooksRoom({ tokens, flags, port }: HooksRoomOptions, io: Io): HooksRoom {
  const rooms = createHookRooms(port)
  const check = createBearerCheck(tokens)
  const { cwd, env } = io

  async function answer(request: Request, client: string, event: string): Promise<Response> {
    if (request.method !== 'POST') return errorResponse(new SwornError('REQUEST_INVALID', 'POST was expected'), 405, { allow: 'POST' })
    if (!check(bearerOf(request.headers.get('authorization'))))
      return errorResponse(new SwornError('ACCESS_DENIED', 'a token of this server was expected'), 401, { 'www-authenticate': 'Bearer' })
    const body = await readBodyOf(request, BODY)
    const given = typeof body === 'string' ? new SwornError('EVENT_INVALID', toBodyRefusal(body, BODY).error.message) : body
    let unread: SwornError | undefined
    const visit: VisitLedger = (of, hook, options, own) => {
      unread = hook.unread
      return rooms.visit(of, hook, { ...options, actsOn: ['server'] }, own) // the server of a policy's `spec.server` is this one
    }
    const { code, out } = await answerRequest({ args: [client, event, ...flags], cwd, env }, given, visit, io)
    if (typeof body === 'string') return bodyRefusalResponse(body, BODY)
    if (code === USAGE)
      return errorResponse(new SwornError('REQUEST_INVALID', 'a client and an event of `sworn hook --help` were expected'), 404)
    if (code === NOT_RECORDED && unread) return errorResponse(new SwornError('REQUEST_INVALID', unread.message))
    if (code === NOT_RECORDED) return errorResponse(new SwornError('RECORDER_UNAVAILABLE', 'the hook is not recorded'))
    return new Response(out === '' ? '{}' : out, { headers: { 'content-type': 'application/json' } })
  }

  return {
    async route(request) {
      const [, client, event] = PATH.exec(new URL(request.url).pathname) ?? []
      return client === undefined || event === undefined ? undefined : await answer(request, client, event)
    },
    close: rooms.close,
  }
}
