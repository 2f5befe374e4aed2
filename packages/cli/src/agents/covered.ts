/** Which coding agents of this user are recorded, by their own configuration. @module */
import { existsSync } from 'node:fs'
import { SwornError } from '@sworn/verify'
import { readBytes } from '../clients/originals.ts'
import type { Io } from '../frame/io.ts'
import { AGENTS, type AgentSetup, findAgentSetup } from './setups.ts'

export interface Covered {
  readonly agent: string
  /** False: hooks of ours are there and not all of them, or the client skips some, or a file cannot be read. */
  readonly ok: boolean
  readonly detail: string
}

/** One line for each agent that was used here. */
export function findCovered(io: Pick<Io, 'platform' | 'env' | 'homeDirectory' | 'cwd'>): readonly Covered[] {
  return AGENTS.flatMap((name) => {
    const setup = findAgentSetup(name)
    return setup && existsSync(setup.home(io)) ? [coveredBy(setup, io)] : []
  })
}

function coveredBy({ client, files, form, untrusted }: AgentSetup, io: Parameters<typeof findCovered>[0]): Covered {
  const agent = client.name
  const events = Object.keys(client.events)
  try {
    const found = Object.values(files(io))
      .filter((path, at, all) => all.indexOf(path) === at && existsSync(path))
      .map((path) => ({ path, text: readBytes(path).toString('utf8') }))
      .map(({ path, text }) => ({ path, hooks: form.find(text, path), skipped: untrusted?.(path, text, io) ?? [] }))
      .filter(({ hooks }) => hooks.length > 0)
    if (found.length === 0) return { agent, ok: true, detail: `not recorded; \`sworn install ${agent}\` puts hooks in` }
    const missing = events.filter((event) => !found.some(({ hooks }) => hooks.includes(event)))
    const places = found.map(({ path }) => path).join(', ')
    const skipped = events.filter((event) => found.every(({ hooks, skipped: some }) => !hooks.includes(event) || some.includes(event)))
    if (missing.length === 0 && skipped.length > 0) return { agent, ok: false, detail: skippedIn(places, skipped, events) }
    if (missing.length === 0) return { agent, ok: true, detail: `recorded: ${events.length} hooks in ${places}` }
    return { agent, ok: false, detail: `no hook for ${missing.join(', ')} in ${places}; \`sworn install ${agent}\` again` }
  } catch (e) {
    if (!SwornError.is(e)) throw e
    return { agent, ok: false, detail: `${e.code} ${e.message}` }
  }
}

function skippedIn(places: string, skipped: readonly string[], events: readonly string[]): string {
  const which = skipped.length === events.length ? 'not trusted yet' : `${skipped.join(', ')} not trusted as they are now`
  return `installed in ${places}, ${which}, so they are skipped; open the client and type /hooks`
}
