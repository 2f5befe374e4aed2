/** One hook that another process handed over: run as that process would, with its folder, environment and payload. @module */
import { Readable } from 'node:stream'
import type { SwornError } from '@sworn/verify'
import { createHook } from '../commands/hook.ts'
import type { Io, World } from '../frame/io.ts'
import { runWith } from '../frame/run.ts'
import type { VisitLedger } from '../hooking.ts'
import type { HookReply, HookRequest } from './place.ts'

/**
 * Never throws: what goes wrong is in the reply, as the command prints it.
 * @param stdin the payload, or why there is none: then that is on record
 */
export async function answerRequest(
  { args, cwd, env }: HookRequest,
  stdin: Uint8Array | SwornError,
  visit: VisitLedger,
  io: Io,
): Promise<HookReply> {
  const out: string[] = []
  const err: string[] = []
  const about: { readonly [K in keyof World]?: PropertyDescriptor } = {
    out: { value: (line: string) => void out.push(`${line}\n`) },
    err: { value: (line: string) => void err.push(`${line}\n`) },
    stdin: { get: () => Readable.from([]) }, // the hook has its payload; this is not the server's
    cwd: { value: cwd },
    env: { value: env },
    homeDirectory: { value: env.HOME ?? io.homeDirectory },
    isTTY: { value: false },
    canAsk: { value: false },
    startDetached: { value: undefined }, // this process records where nobody does
  }
  const world = Object.create(io, about as PropertyDescriptorMap) as World // members of a world, over one
  const table = [{ name: 'hook', about: '', load: async () => createHook(async () => visit, stdin) }]
  const code = await runWith(table, ['hook', ...args], world)
  return { code, out: out.join(''), err: err.join('') }
}
