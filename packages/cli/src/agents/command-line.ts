/** Words to the command line of a shell, so that a path with spaces or quotes stays one word. @module */

/** One command line, for the shells that may run it. */
export interface Command {
  readonly sh: string
  readonly powershell: string
  /**
   * The command, and `refusal` when it ends with anything but 0 or 3: a program that is gone or was killed has not allowed
   * anything. On Windows, where it is not known which shell runs it, the command alone.
   */
  orElse(refusal: string): string
}

const PLAIN = /^[\w@%+=:,./-]+$/

/** @throws RangeError for a word with a line break or NUL: no configuration file should run on */
export function formatCommand(words: readonly string[], platform: NodeJS.Platform): Command {
  if (words.some((word) => /[\n\r\0]/.test(word))) throw new RangeError('words of one line were expected')
  const sh = words.map(quote).join(' ')
  const powershell = words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "''")}'`)).join(' ')
  const orElse = (refusal: string) => (platform === 'win32' ? sh : `${sh} || { [ $? = 3 ] || ${refusal}; }`)
  return { sh, powershell: `& ${powershell}`, orElse }
}

/** One word of a POSIX shell. */
export function quote(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
