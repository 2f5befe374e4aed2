/**
 * Runs a command with the servers that tests need: `node testkit/servers.ts npm test`.
 *
 * A server that listens already is used as it is. Else PostgreSQL (Debian: postgresql) and NATS with JetStream (Debian:
 * nats-server) are started on their usual ports of 127.0.0.1, their data in a folder that is removed, and ended with the
 * command. What is not installed is left out, and the tests that need it say so. Ends as the command does.
 * @module
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isListening } from './src/services.ts'

const READY_MS = 20_000

/** Ends a server. */
type Stop = () => unknown

function findProgram(name: string): string | undefined {
  const folders = [...globSync('/usr/lib/postgresql/*/bin'), ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find(existsSync)
}

/** PostgreSQL refuses to run as root: Debian's package brings a user for it. */
function userFor(folder: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [uid = 0, gid = 0] = ['-u', '-g'].map((which) => Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' })))
  chownSync(folder, uid, gid)
  return { uid, gid }
}

/** With a database `test`, and without a password. */
function startPostgres(folder: string): Stop | undefined {
  const [initdb, ctl, createdb] = ['initdb', 'pg_ctl', 'createdb'].map(findProgram)
  if (!initdb || !ctl || !createdb) return undefined
  const [data, as] = [join(folder, 'data'), { ...userFor(folder), cwd: folder, stdio: 'ignore' as const }]
  execFileSync(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], as)
  execFileSync(ctl, ['start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', `-h 127.0.0.1 -p 5432 -k ${folder}`], as)
  execFileSync(createdb, ['-h', '127.0.0.1', '-U', 'postgres', 'test'], as)
  return () => execFileSync(ctl, ['stop', '-w', '-m', 'immediate', '-D', data], as)
}

async function startNats(folder: string): Promise<Stop | undefined> {
  const program = findProgram('nats-server')
  if (!program) return undefined
  const child = spawn(program, ['-a', '127.0.0.1', '-p', '4222', '-js', '-sd', join(folder, 'data')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const until = performance.now() + READY_MS
  while (!(await isListening(4222)) && child.exitCode === null && performance.now() < until) await wait(50)
  return async () => {
    child.kill('SIGTERM')
    await ended
  }
}

const SERVERS = [
  { name: 'postgres', port: 5432, start: startPostgres },
  { name: 'nats', port: 4222, start: startNats },
] as const

/** A server that does not come up is left out, as one that is not installed: the tests that need it say so. */
async function startOrSay(name: string, start: () => Stop | undefined | Promise<Stop | undefined>): Promise<Stop | undefined> {
  try {
    return await start()
  } catch (error) {
    console.error(`NO ${name}: it could not be started: ${error instanceof Error ? error.message : 'unknown'}`)
    return undefined
  }
}

/** @returns the command's exit code */
async function runBeside([command = '', ...args]: readonly string[]): Promise<number> {
  const folders: string[] = []
  const stops: Stop[] = []
  try {
    for (const { name, port, start } of SERVERS) {
      if (await isListening(port)) continue
      folders.push(mkdtempSync(join(tmpdir(), `sworn-${name}-`)))
      const stop = await startOrSay(name, () => start(folders.at(-1)!))
      if (stop) stops.push(stop)
    }
    const child = spawn(command, args, { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal)) // the servers are still to be ended
    const [code] = await once(child, 'exit')
    return typeof code === 'number' ? code : 1
  } finally {
    for (const stop of stops) await stop()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await runBeside(process.argv.slice(2))
