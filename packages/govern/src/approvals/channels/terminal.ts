/**
 * Asks on a terminal: the question as text, the answer as a typed line.
 *
 * An approval needs the code that is shown with the question: keys typed ahead, or meant for another program
 * on the same terminal, approve nothing. `no` needs none. Reads lines, so that no mode has to be restored.
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Channel, Question, Scope, Tell, Withdraw } from '../types.ts'
import { oneAtATime } from './one-at-a-time.ts'

/** Two streams that belong to the channel until `close`, which may be called twice and resolves when both are gone. */
export interface Terminal {
  readonly input: Readable
  readonly output: Writable
  close(): void | Promise<void>
}

export interface TerminalChannelOptions {
  /** Called for each question. What it throws counts as `absent`. */
  readonly open: () => Terminal
  /** Who sits at the terminal: the operating system user. */
  readonly approver: string
  /** Digits, new for each question. */
  readonly code: () => string
}

const MAX_LINE = 200
const MAX_WRONG_LINES = 5
const WORD_OF: Readonly<Record<Scope, string>> = { once: 'yes', session: 'session', call: 'call' }
const MEANS: Readonly<Record<Scope, string>> = {
  once: 'this call, once',
  session: 'this tool, until the session ends',
  call: 'exactly this call, until the session ends',
}

/** Channel `terminal`; several questions are shown one after the other. */
export function createTerminalChannel(options: TerminalChannelOptions): Channel {
  return { name: 'terminal', maxChars: 16_384, open: oneAtATime((question, tell) => present(options, question, tell)) }
}

function present({ open, approver, code }: TerminalChannelOptions, question: Question, tell: Tell): Withdraw {
  let terminal: Terminal
  try {
    terminal = open()
  } catch {
    tell({ kind: 'failed', why: 'absent' })
    return () => {}
  }
  const secret = code()
  const fail = (why: 'closed' | 'unusable_answer') => {
    void terminal.close()
    tell({ kind: 'failed', why })
  }
  listen(terminal, question, secret, {
    answered(scope) {
      const { id, shownHash } = question
      const approved = scope !== undefined
      tell({ kind: 'answer', answer: { id, shownHash, approved, scope: scope ?? 'once', approver } })
    },
    failed: fail,
  })
  terminal.output.write(`\n${question.text}\n${promptOf(question, secret)}`)
  tell({ kind: 'shown' })
  return (settled) => {
    if (terminal.output.writable) terminal.output.write(`sworn: this question is settled (${settled})\n`)
    return terminal.close()
  }
}

function promptOf({ scopes }: Question, code: string): string {
  const ways = scopes.map((scope) => `  ${`${WORD_OF[scope]} ${code}`.padEnd(16)} ${MEANS[scope]}`)
  return `Type one of these and Enter:\n${ways.join('\n')}\n  ${'no'.padEnd(16)} refuse\n> `
}

interface Heard {
  /** undefined: refused. */
  readonly answered: (scope: Scope | undefined) => void
  readonly failed: (why: 'closed' | 'unusable_answer') => void
}

/** Calls one member of `heard`, once. Hostile input: a line without end is dropped beyond its bound. */
function listen({ input, output }: Terminal, { scopes }: Question, code: string, heard: Heard): void {
  const decoder = new StringDecoder('utf8')
  let line = ''
  let wrong = 0
  let isOver = false
  const once = (end: () => void) => {
    if (isOver) return
    isOver = true
    end()
  }

  function take(text: string): void {
    const said = text.length > MAX_LINE ? '' : text.trim().toLowerCase()
    const scope = scopes.find((candidate) => said === `${WORD_OF[candidate]} ${code}`)
    if (scope || said === 'no' || said === 'n') once(() => heard.answered(scope))
    else if (++wrong >= MAX_WRONG_LINES) once(() => heard.failed('unusable_answer'))
    else output.write('sworn: not understood\n> ')
  }

  input.on('data', (bytes: Buffer) => {
    for (const char of decoder.write(bytes)) {
      if (isOver) return
      if (char !== '\n' && char !== '\r')
        line = line.length <= MAX_LINE ? line + char : line // one too long is none, not its beginning
      else if (line !== '') {
        const text = line
        line = ''
        take(text)
      }
    }
  })
  input.on('end', () => once(() => heard.failed('closed')))
  input.on('error', () => once(() => heard.failed('closed')))
  output.on('error', () => once(() => heard.failed('closed')))
}
