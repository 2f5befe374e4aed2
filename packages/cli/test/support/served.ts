/** `sworn serve` in a real process, and requests to it. @module */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Place, type Started, startProcess } from './process.ts'

export interface Served extends Started {
  readonly url: string
  post(body: string, options?: { readonly type?: string; readonly token?: string; readonly path?: string }): Promise<Told>
}

export interface Told {
  readonly status: number
  readonly text: string
}

export function tokenOf({ home }: Place, may: 'report' | 'govern'): string {
  return readFileSync(join(home, 'server', `${may}.token`), 'utf8').trim()
}

/** Starts `sworn serve audit` on a free port and waits until it listens. */
export async function startServe(place: Place, args: readonly string[] = [], listen = '127.0.0.1:0'): Promise<Served> {
  const started = startProcess(['serve', 'audit', '--listen', listen, ...args], place)
  await started.until('may govern is in')
  const url = /listening on (http\S+)/.exec(started.said())?.[1] ?? ''
  return {
    ...started,
    url,
    async post(body, { type = 'application/json', token = tokenOf(place, 'report'), path = '/v1/events' } = {}) {
      const headers = { 'content-type': type, authorization: `Bearer ${token}` }
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body })
      return { status: response.status, text: await response.text() }
    },
  }
}
