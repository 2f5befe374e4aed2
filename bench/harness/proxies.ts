/** The commands between client and server that rows 10 and 11 compare. @module */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from './child.ts'
import type { Command } from './commands.ts'

/** Node running a file of `bench/children` with further arguments. */
function child(name: string, args: readonly string[]): Command {
  const file = fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url))
  return { command: process.execPath, args: [...NODE_FLAGS, file, ...args] }
}

function serverWords(): readonly string[] {
  const { command, args } = child('echo-server', [])
  return [command, ...args]
}

export const rawPipe = (): Command => child('raw-pipe', serverWords())

/** Our proxy with policy, masking and records; its ledger lies in `dir`. */
export function ourProxy(dir: string, recordMode: 'before' | 'batch'): Command {
  return child('our-proxy', [join(dir, recordMode), recordMode, ...serverWords()])
}

/** Over HTTP: the server, and what stands before it at `url`. */
export const httpServer = (form: 'json' | 'events'): Command => child('http-echo-server', [form])
export const rawHttp = (url: string): Command => child('raw-http', [url])
export const ourHttp = (dir: string, url: string): Command => child('our-http', [dir, url])
