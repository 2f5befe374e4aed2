/**
 * How hooks stand in a client's file: as entries among those of others, or as a file of ours.
 * @module
 */
import type { HookClient, HookKind } from '@sworn/proxy/hooks'
import { SwornError } from '@sworn/verify'
import { type Command, formatCommand } from './command-line.ts'
import { addHooks, type Edited, findHooks, removeHooks } from './edit.ts'
import { markOf, mayHoldHooks } from './mark.ts'
import { formatPlugin, type PluginName } from './plugin.ts'

/** What a hook runs: the words that start sworn, and the flags of `sworn hook`. */
export interface Launch {
  readonly start: readonly string[]
  readonly flags: readonly string[]
  readonly platform: NodeJS.Platform
  /** A `sworn serve` that answers hooks, for clients that ask over HTTP. */
  readonly server?: HookServer
}

export interface HookServer {
  /** `http://HOST:PORT`. */
  readonly url: string
  readonly token: string
}

export interface HookForm {
  /** The file with our hooks; `text` is empty for a new one. @throws SwornError CONFIG_INVALID */
  put(text: string, file: string, launch: Launch): Edited
  /** The file without them; empty: nothing else is left. @throws SwornError CONFIG_INVALID */
  take(text: string, file: string): Edited
  /** The client's events that run a hook of ours. @throws SwornError CONFIG_INVALID */
  find(text: string, file: string): readonly string[]
}

export interface EntryForm {
  /** Members that a new file needs besides the hooks. */
  readonly head: Readonly<Record<string, unknown>>
  /** What stands in the list of one event. */
  entry(command: Command, kind: HookKind): Readonly<Record<string, unknown>>
  /** The same for a client that asks over HTTP; undefined for a hook that it runs as a command only. */
  httpEntry?(request: HookRequest, kind: HookKind): Readonly<Record<string, unknown>> | undefined
}

/** What a client sends its hook to. */
export interface HookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Entries in a JSON file, beside those of others. */
export function entriesOf({ name, events }: HookClient, { head, entry, httpEntry }: EntryForm): HookForm {
  const names = Object.keys(events)
  return {
    put(text, file, { start, flags, platform, server }) {
      const before = text.trim() === '' ? `${JSON.stringify(head, null, 2)}\n` : text
      const wanted = Object.entries(events).map(([event, kind]) => {
        const words = [...start, ...markOf(name, event).split(' '), ...flags]
        const asked = server && httpEntry?.(requestOf(server, name, event), kind)
        return { event, entry: asked ?? entry(formatCommand(words, platform), kind) }
      })
      return addHooks(before, file, name, wanted)
    },
    take: (text, file) => removeHooks(text, file, name, names),
    find: (text, file) => findHooks(text, file, name, names),
  }
}

function requestOf({ url, token }: HookServer, client: string, event: string): HookRequest {
  const headers = { Authorization: `Bearer ${token}`, 'X-Sworn-Hook': markOf(client, event) }
  return { url: new URL(`/v1/hooks/${client}/${event}`, url).href, headers }
}

/** A file that is ours alone. */
export function pluginOf(client: HookClient, name: PluginName): HookForm {
  const events = Object.keys(client.events)
  const isOurs = (text: string) => mayHoldHooks(text, name)
  return {
    put(text, file, { start, flags }) {
      if (text.trim() !== '' && !isOurs(text))
        throw new SwornError('CONFIG_INVALID', 'a plugin that sworn wrote, or no file, was expected: this one is of somebody else', file)
      const next = formatPlugin(name, start, flags)
      return { text: next, changed: next === text ? [] : events }
    },
    take: (text) => (isOurs(text) ? { text: '', changed: events } : { text, changed: [] }),
    find: (text) => (isOurs(text) ? events : []),
  }
}
