/**
 * What each coding agent does where sworn is not there to answer, and with what it is told: docs/reference/hooks.md shows
 * it, and the tests expect what stands here.
 *
 * `ask` and `masked` are replayed in every run (packages/proxy/test/hooks.test.ts). A `client` cell is asserted with the
 * client itself (packages/cli/test/real-agents.test.ts, SWORN_TESTS=full), which fails where it has no test for one.
 * @module
 */

export interface Told {
  readonly words: string
  /** Whether the call runs then. */
  readonly runs: boolean
  /** Who showed it. */
  readonly by: 'client' | 'documentation'
}

export interface HookCells {
  /** The process dies or cannot be started. */
  readonly crash: Told
  /** No answer in time. */
  readonly timeout: Told
  /** Hooks that are not run at all; the words are those of the client's facts. */
  readonly untrusted: Omit<Told, 'words'> | 'not known'
  readonly ask: 'its user' | 'your people'
  readonly masked: 'run' | 'refused'
}

const REFUSED: Told = { words: 'the call is refused', runs: false, by: 'client' }
const documented = (words: string, runs: boolean): Told => ({ words, runs, by: 'documentation' })
const plugin = (what: string) =>
  ({
    crash: { words: `the ${what} refuses the call`, runs: false, by: 'client' },
    timeout: documented(`the ${what} refuses the call after 60 s`, false),
    ask: 'your people',
    masked: 'run',
  }) as const

/** By the name of the client. */
export const HOOK_CELLS: Readonly<Record<string, HookCells>> = {
  'claude-code': {
    crash: REFUSED,
    timeout: documented('the call is refused after 60 s; versions that do not know `onFailure` let it run', false),
    untrusted: { runs: true, by: 'documentation' },
    ask: 'its user',
    masked: 'run',
  },
  codex: {
    crash: REFUSED,
    timeout: { words: 'the call runs after 60 s', runs: true, by: 'client' },
    untrusted: { runs: true, by: 'client' },
    ask: 'your people',
    masked: 'run',
  },
  gemini: {
    crash: REFUSED,
    timeout: { words: 'a warning, and the call runs after 60 s', runs: true, by: 'client' },
    untrusted: { runs: true, by: 'documentation' },
    ask: 'your people',
    masked: 'run',
  },
  copilot: {
    crash: REFUSED,
    timeout: { words: 'logged, and the call runs after 60 s', runs: true, by: 'client' },
    untrusted: 'not known',
    ask: 'its user',
    masked: 'run',
  },
  cursor: {
    crash: documented('the call is refused', false),
    timeout: documented("the call is refused; the client's own time counts", false),
    untrusted: 'not known',
    ask: 'your people',
    masked: 'refused',
  },
  opencode: { ...plugin('plugin'), untrusted: { runs: true, by: 'documentation' } },
  pi: { ...plugin('extension'), untrusted: { runs: true, by: 'documentation' } },
}
