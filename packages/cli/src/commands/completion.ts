/**
 * `sworn completion SHELL` prints a script that asks `sworn complete -- WORDS` on each tab.
 *
 * The library answers on console.log; nothing else of sworn does.
 * @module
 */
import { RootCommand, script } from '@bomb.sh/tab'
import { SwornError } from '@sworn/verify'
import { COMMON_FLAGS, type CommandEntry, defineCommand, type Flag } from '../frame/command.ts'

const SHELLS = ['bash', 'zsh', 'fish', 'powershell']

export const completion = defineCommand({
  args: 'bash|zsh|fish|powershell',
  maxArgs: 1,
  flags: {},
  example: 'sworn completion bash > ~/.local/share/bash-completion/completions/sworn',
  run([shell = '']) {
    if (!SHELLS.includes(shell)) throw new SwornError('USAGE', `one of ${SHELLS.join(', ')} was expected`)
    script(shell, 'sworn', 'sworn')
    return 0
  },
})

/** The hidden command behind the scripts; knows every command of `table`. */
export function createComplete(table: readonly CommandEntry[]) {
  return defineCommand({
    args: '-- WORDS',
    maxArgs: 1000,
    flags: {},
    example: 'sworn complete -- ver',
    async run(words) {
      const root = new RootCommand()
      for (const entry of table) {
        const command = root.command(entry.name, entry.about)
        const { flags } = entry.name === words[0] ? await entry.load() : { flags: {} }
        for (const [name, flag] of Object.entries({ ...flags, ...COMMON_FLAGS })) addFlag(command, name, flag)
      }
      root.parse([...words])
      return 0
    },
  })
}

function addFlag(command: ReturnType<RootCommand['command']>, name: string, flag: Flag): void {
  if (flag.type === 'boolean') {
    if (flag.short) command.option(name, flag.about, flag.short)
    else command.option(name, flag.about)
    return
  }
  command.option(name, flag.about, (complete) => flag.choices?.forEach((choice) => void complete(choice, '')), flag.short)
}
