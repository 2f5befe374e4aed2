/** No wrapping makes a dangerous command safe; no text makes the judge throw. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'unbash'
import { later } from '../../../testkit/src/suite.ts'
import { judgeCommand } from '../src/commands/judge.ts'
import { runs } from './support/make.ts'

const corpus: { command: string; verdict: string }[] = readFileSync('vectors/commands/corpus.jsonl', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))
const DANGEROUS = corpus.filter(({ verdict, command }) => verdict === 'dangerous' && !/<<|#/.test(command)).map(({ command }) => command)
const SAFE = corpus.filter(({ verdict, command }) => verdict === 'safe' && !/<<|#|^set |^trap/.test(command)).map(({ command }) => command)
const SIMPLE = ['rm -rf x', 'reboot', 'chmod 777 f', 'git push --force', 'npm install evil', 'shred f', 'ssh h', 'crontab -r']

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Anything may stand inside these. */
const AROUND: Record<string, (command: string) => string> = {
  subshell: (c) => `(${c}\n)`,
  group: (c) => `{ ${c}\n}`,
  'after a list': (c) => `ls; ${c}`,
  'before a list': (c) => `${c}\nls`,
  'after &&': (c) => `true && { ${c}\n}`,
  'after ||': (c) => `false || ( ${c}\n)`,
  'after &': (c) => `ls & ${c}`,
  'after a newline': (c) => `ls\n${c}`,
  'into a pipe': (c) => `{ ${c}\n} | cat`,
  'out of a pipe': (c) => `ls | { ${c}\n}`,
  'a substitution': (c) => `echo $(${c}\n)`,
  'a quoted substitution': (c) => `echo "x $(${c}\n) y"`,
  'a process substitution': (c) => `cat <(${c}\n)`,
  'a default value': (c) => `echo \${x:-$(${c}\n)}`,
  'an assignment': (c) => `x=$(${c}\n)`,
  'a condition': (c) => `if ${c}\nthen ls; fi`,
  'a branch': (c) => `if true; then ${c}\nfi`,
  'a loop': (c) => `for i in 1 2; do ${c}\ndone`,
  'a while loop': (c) => `while ${c}\ndo ls; done`,
  'a case': (c) => `case x in x) ${c}\n;; esac`,
  'a function': (c) => `f() { ${c}\n}; f`,
  negation: (c) => `! { ${c}\n}`,
  'bash -c': (c) => `bash -c ${quote(c)}`,
  'env sh -c': (c) => `env A=1 sh -c ${quote(c)}`,
  'sudo bash -c': (c) => `sudo bash -c ${quote(c)}`,
  'xargs sh -c': (c) => `ls | xargs sh -c ${quote(c)}`,
  'find -exec sh -c': (c) => `find . -exec sh -c ${quote(c)} \\;`,
  eval: (c) => `eval ${quote(c)}`,
  trap: (c) => `trap ${quote(c)} EXIT`,
  'a here-document for bash': (c) => `bash <<'END'\n${c}\nEND\n`,
  'a here-document for sh -s': (c) => `sh -s <<'END'\n${c}\nEND\n`,
  'printed into sh': (c) => `printf %s ${quote(c)} | sh`,
  'a here-document that cat prints': (c) => `cat <<'END' | bash\n${c}\nEND\n`,
  coproc: (c) => `coproc { ${c}\n}`,
  time: (c) => `time { ${c}\n}`,
  'a redirection': (c) => `{ ${c}\n} > /dev/null 2>&1`,
}

/** One program and its arguments, no shell syntax. */
const BEFORE = [
  'env',
  'env -i',
  'env A=1 B=2',
  'command',
  'nohup',
  'nice -n 5',
  'timeout 5',
  'time',
  'setsid',
  'xargs',
  'xargs -0 -n 1',
  'busybox',
  'exec',
  'stdbuf -oL',
  'sudo -u root',
  'LC_ALL=C',
  'builtin command',
  '! time',
]

const PROGRAM = /^\S+/
/** The program's name in another spelling. */
const NOISE: Record<string, (command: string) => string> = {
  backslash: (c) => `\\${c}`,
  'single quotes': (c) => c.replace(PROGRAM, (name) => `'${name}'`),
  'double quotes': (c) => c.replace(PROGRAM, (name) => `"${name}"`),
  'empty quotes inside': (c) => c.replace(PROGRAM, (name) => `${name[0]}''${name.slice(1)}`),
  'ANSI-C quotes': (c) => c.replace(PROGRAM, (name) => `$'\\x${name.charCodeAt(0).toString(16)}${name.slice(1)}'`),
  'full path': (c) => `/usr/bin/${c}`,
  'line continuation': (c) => c.replace(PROGRAM, (name) => `${name[0]}\\\n${name.slice(1)}`),
  variable: (c) => c.replace(PROGRAM, (name) => `P=${name}; $P`),
  braces: (c) => `{${c.split(' ').join(',')},}`,
  glob: (c) => c.replace(PROGRAM, (name) => `/usr/bin/${name.slice(0, -1)}?`),
  'unset variable': (c) => c.replace(PROGRAM, (name) => `${name}$unset`),
  'empty substitution': (c) => c.replace(PROGRAM, (name) => `$(true)${name}`),
}

const around = fc.array(fc.constantFrom(...Object.keys(AROUND)), { minLength: 1, maxLength: 4 })
const wrap = (names: readonly string[], command: string) => names.reduce((text, name) => AROUND[name]!(text), command)

describe('no wrapping makes a dangerous command safe', () => {
  test('each construct around each dangerous command of the corpus', () => {
    for (const name of Object.keys(AROUND)) {
      for (const command of DANGEROUS) {
        const wrapped = wrap([name], command)
        assert.notEqual(judgeCommand(wrapped).verdict, 'safe', wrapped)
      }
    }
  })

  test('any combination of constructs', () => {
    fc.assert(
      fc.property(around, fc.constantFrom(...DANGEROUS), (names, command) => {
        const wrapped = wrap(names, command)
        assert.notEqual(judgeCommand(wrapped).verdict, 'safe', wrapped)
      }),
      runs,
    )
  })

  test('any combination of wrapping programs, spellings and constructs', () => {
    const before = fc.array(fc.constantFrom(...BEFORE), { maxLength: 3 })
    const noise = fc.option(fc.constantFrom(...Object.keys(NOISE)), { nil: undefined })
    fc.assert(
      fc.property(
        fc.constantFrom(...SIMPLE),
        noise,
        before,
        fc.array(fc.constantFrom(...Object.keys(AROUND)), { maxLength: 3 }),
        (command, how, words, names) => {
          const spelled = how === undefined ? command : NOISE[how]!(command)
          const wrapped = wrap(names, [...words, spelled].join(' '))
          assert.notEqual(judgeCommand(wrapped).verdict, 'safe', wrapped)
        },
      ),
      runs,
    )
  })

  test('harmless commands before and after it', () => {
    const parts = fc.array(fc.constantFrom(...SAFE), { maxLength: 5 })
    fc.assert(
      fc.property(
        parts,
        fc.constantFrom(...DANGEROUS),
        parts,
        fc.constantFrom('; ', '\n', ' && ', ' || ', ' & '),
        (before, command, after, between) => {
          const text = [...before, command, ...after].join(between)
          assert.notEqual(judgeCommand(text).verdict, 'safe', text)
        },
      ),
      runs,
    )
  })
})

test('constructs around a harmless command never make it dangerous, unless they do what is dangerous themselves', () => {
  const own = /sudo/
  for (const name of Object.keys(AROUND).filter((each) => !own.test(each))) {
    for (const command of SAFE) {
      const wrapped = wrap([name], command)
      assert.notEqual(judgeCommand(wrapped).verdict, 'dangerous', wrapped)
    }
  }
})

describe('hostile text', () => {
  const syntax = fc.array(
    fc.constantFrom(
      '$(',
      ')',
      '`',
      '"',
      "'",
      '\\',
      '\n',
      ';',
      '&',
      '|',
      '>',
      '<',
      '<<',
      'E',
      '{',
      '}',
      '((',
      '))',
      '[[',
      ']]',
      '$',
      '${',
      '*',
      '?',
      ' ',
      'ls',
      'rm',
      'x',
      '=',
      '!',
      '#',
      'if',
      'then',
      'fi',
      'for',
      'do',
      'done',
      'case',
      'esac',
      'in',
      'awk',
      'sed',
      '/',
      '-c',
      'bash',
      'eval',
      'find',
      '-exec',
      '{}',
      'git',
      'xargs',
      '\0',
      '\ud800',
    ),
    { maxLength: 40 },
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    syntax.map((parts) => parts.join('')),
    syntax.map((parts) => parts.join(' ')),
  )

  test('no text makes it throw, and offsets lie in the text', () => {
    fc.assert(
      fc.property(text, (command) => {
        const { reasons, paths } = judgeCommand(command)
        for (const { start, end } of [...reasons, ...paths])
          assert.ok(0 <= start && start <= end && end <= command.length, `${start} ${end}`)
      }),
      { ...runs, numRuns: runs.numRuns * 4 },
    )
  })

  test('what does not parse is never safe', () => {
    fc.assert(
      fc.property(text, (command) => {
        fc.pre((parse(command).errors ?? []).length > 0)
        assert.notEqual(judgeCommand(command).verdict, 'safe')
      }),
      runs,
    )
  })

  test('a safe verdict has no reasons, any other has one of its own kind', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.constantFrom(...corpus.map(({ command }) => command))), (command) => {
        const { verdict, reasons } = judgeCommand(command)
        assert.equal(
          reasons.some((reason) => reason.verdict === verdict),
          verdict !== 'safe',
        )
      }),
      runs,
    )
  })
})

test('no shape of nesting makes the work explode: the largest text takes less than three seconds of processor time', {
  skip: later,
}, () => {
  const shapes = [
    'ls;',
    'echo $(ls);',
    '$(',
    '(',
    '`',
    '"$(',
    'a=b ',
    '{ ',
    'ls|',
    'eval ',
    'env -z ',
    '<(',
    '${x:-',
    '<<E\n',
    "$'",
    '[[ a ',
    'a{b,',
    '*(',
    '$((',
    'sudo ',
    'if ',
    "bash -c '",
    "awk '/[",
    'sed s/[/',
  ]
  const cost = (command: string) => {
    const begin = process.cpuUsage().user
    judgeCommand(command)
    return process.cpuUsage().user - begin
  }
  const slow = shapes.filter((shape) => cost(shape.repeat(Math.floor(32_000 / shape.length))) > 3_000_000)
  assert.deepEqual(slow, [])
})
