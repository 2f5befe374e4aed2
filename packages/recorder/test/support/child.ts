/** Child processes that hold ports, and what they print. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../../testkit/src/children.ts'

export { pause } from '../../../../testkit/src/children.ts'

export interface Fact {
  readonly open?: number
  readonly failed?: string
  readonly error?: string
  readonly message?: string
  readonly eventId?: string
  readonly seq?: number
  readonly entryHash?: string
  /** Who made the event, and which of its own it is. */
  readonly writer?: string
  readonly n?: number
  readonly spooled?: boolean
}

export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  readonly facts: readonly Fact[]
  /** Resolves with the first fact for which `test` holds, or undefined when the child ended without one. */
  when(test: (fact: Fact) => boolean): Promise<Fact | undefined>
  /** Ends its stdin and waits for it. */
  finish(): Promise<number | null>
}

const MAIN = fileURLToPath(new URL('./port-child.ts', import.meta.url))
const NODE_FLAGS = ['--conditions=sworn-source', '--disable-warning=ExperimentalWarning', MAIN]

/** Starts a child with a port on `path`; `wrap` is a command that runs it, e.g. `unshare -n`. */
export function startChild(path: string, what: string, count = 1, wrap: readonly string[] = []): Child {
  const [command, ...args] = [...wrap, process.execPath, ...NODE_FLAGS, path, what, String(count)]
  const child = endWithTests(spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] }))
  const facts: Fact[] = []
  const watchers = new Set<() => void>()
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  createInterface({ input: child.stdout! }).on('line', (line) => {
    facts.push(JSON.parse(line))
    for (const watch of watchers) watch()
  })
  child.stdin!.on('error', () => undefined) // a killed child no longer reads
  return {
    process: child,
    pid: child.pid!,
    facts,
    when(test) {
      return new Promise((resolve) => {
        const watch = () => {
          const found = facts.find(test)
          if (!found) return
          watchers.delete(watch)
          resolve(found)
        }
        watchers.add(watch)
        watch()
        void ended.then(() => resolve(facts.find(test)))
      })
    },
    finish() {
      child.stdin!.end()
      return ended
    },
  }
}
