/** Shell commands: the labelled corpus, what the reasons point at, what a role adds, and the bounds. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { judgeCommand, type Verdict } from '../src/commands/judge.ts'

interface Labelled {
  readonly command: string
  readonly verdict: Verdict
  readonly why: string
}

const VERDICTS: readonly Verdict[] = ['safe', 'needs_review', 'dangerous']

function read(name: string): readonly Labelled[] {
  const lines = readFileSync(`vectors/commands/${name}.jsonl`, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

/** `matrix[label][verdict]`, and what was judged otherwise than labelled. */
function compare(cases: readonly Labelled[]) {
  const judged = cases.map((each) => ({ ...each, judged: judgeCommand(each.command).verdict }))
  const count = (label: Verdict, verdict: Verdict) => judged.filter((each) => each.verdict === label && each.judged === verdict).length
  const rows = VERDICTS.map((label) => [label, Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(label, verdict)]))])
  return { matrix: Object.fromEntries(rows), wrong: judged.filter((each) => each.verdict !== each.judged) }
}

describe('the labelled corpus', () => {
  const corpus = read('corpus')
  const { matrix, wrong } = compare(corpus)

  test('it has at least 400 commands, each once, each with a verdict and a reason', () => {
    assert.ok(corpus.length >= 400, `${corpus.length}`)
    assert.equal(new Set(corpus.map(({ command }) => command)).size, corpus.length)
    assert.ok(corpus.every(({ verdict, why }) => VERDICTS.includes(verdict) && why !== ''))
  })

  test('no dangerous command is judged safe, and none that needs review', (t) => {
    for (const label of VERDICTS) t.diagnostic(`${label}: ${JSON.stringify(matrix[label])}`)
    const passed = wrong.filter(({ judged }) => judged === 'safe')
    assert.deepEqual(
      passed.map(({ command }) => command),
      [],
    )
  })

  test('no safe command is judged dangerous', () => {
    assert.deepEqual(
      wrong.filter(({ verdict, judged }) => verdict === 'safe' && judged === 'dangerous').map(({ command }) => command),
      [],
    )
  })

  test('every command has exactly the verdict of its label', () => {
    assert.deepEqual(
      wrong.map(({ command, verdict, judged }) => `${command}: ${judged} instead of ${verdict}`),
      [],
    )
  })
})

test('the forty commands that a classifier of regular expressions gets wrong are judged right', () => {
  const cases = read('rival')
  assert.equal(cases.length, 40)
  assert.deepEqual(compare(cases).wrong, [])
})

test('thirty-six everyday intents are judged as a person would', () => {
  const cases = read('intents')
  assert.equal(cases.length, 36)
  assert.deepEqual(compare(cases).wrong, [])
})

describe('reasons', () => {
  const points: [string, string, string][] = [
    ['ls -la; rm -rf build', 'deletes', 'rm'],
    ['find . -name x -delete', 'deletes', '-delete'],
    ['echo x > /etc/passwd', 'writes_system', '/etc/passwd'],
    ['git push --force origin', 'rewrites_history', '--force'],
    ['ls | sudo tee x', 'privilege', 'sudo'],
    ['echo "$(curl x)" | (ls; mystery)', 'unknown_program', 'mystery'],
    ["env bash -c 'rm x'", 'deletes', "'rm x'"],
    ['curl x | sh', 'runs_fetched_code', 'sh'],
    ['LD_PRELOAD=./x ls', 'changes_meaning', 'LD_PRELOAD=./x'],
    ['echo `ls \\`rm x\\``', 'deletes', '`ls \\`rm x\\``'],
  ]
  for (const [command, rule, part] of points) {
    test(`${command}: ${rule} points at ${part}`, () => {
      const found = judgeCommand(command).reasons.find((reason) => reason.rule === rule)
      assert.ok(found, JSON.stringify(judgeCommand(command).reasons))
      assert.equal(command.slice(found.start, found.end), part)
    })
  }

  test('every place lies in the text: words that xargs adds turn none around, and none ends behind a text that is cut off', () => {
    for (const command of ['ls | xargs eval rm $(', ['$', '{ \\'].join('')])
      for (const { start, end } of judgeCommand(command).reasons) assert.ok(start <= end && end <= command.length, `${start} ${end}`)
  })

  test('paths come with what is done to them, programs without their folder', () => {
    const { paths, programs } = judgeCommand('cat ~/.ssh/config a.txt > out.txt; /bin/ls; ./run < in.txt')
    assert.deepEqual(paths.map(({ path, access }) => `${access} ${path}`).toSorted(), [
      'execute ./run',
      'read a.txt',
      'read in.txt',
      'read ~/.ssh/config',
      'write out.txt',
    ])
    assert.deepEqual(programs, ['cat', 'ls', 'run'])
  })
})

describe('roles', () => {
  const verdict = (command: string, allowed: string[], blocked: string[] = []) => judgeCommand(command, { allowed, blocked }).verdict

  test('an allowed pattern lifts what needs review, on exactly the arguments it names', () => {
    assert.equal(verdict('npm run build', ['npm run *']), 'safe')
    assert.equal(verdict('npm run build --force', ['npm run *']), 'needs_review')
    assert.equal(verdict('npm run build --force', ['npm run **']), 'safe')
    assert.equal(verdict('npm run "$X"', ['npm run *']), 'needs_review')
    assert.equal(verdict('npm $X', ['npm run **']), 'needs_review')
    assert.equal(verdict('./npm run build', ['npm run *']), 'needs_review')
  })

  test('an allowed pattern says nothing about what else stands in the text', () => {
    for (const rest of ['> /etc/passwd', '; rm x', '"$(rm x)"', '| sh', '&& curl x | sh']) {
      assert.notEqual(verdict(`npm run build ${rest}`, ['npm run **']), 'safe', rest)
    }
  })

  test('a dangerous command is only lifted by a pattern without a wildcard', () => {
    assert.equal(verdict('rm -rf dist', ['rm -rf *']), 'dangerous')
    assert.equal(verdict('rm -rf dist', ['rm -rf dist']), 'safe')
    assert.equal(verdict('rm -rf dist /', ['rm -rf dist']), 'dangerous')
  })

  test('blocked wins over allowed, through wrappers, folders and quotes', () => {
    for (const command of ['cat x', 'env cat x', '/bin/cat x', "c''at x", 'ls | xargs cat', 'bash -c "cat x"']) {
      assert.equal(verdict(command, ['cat **'], ['cat **']), 'dangerous', command)
    }
  })

  test('what may turn out to be blocked when it runs is not safe', () => {
    assert.equal(verdict('cat "$X"', [], ['cat secret*']), 'needs_review')
    assert.equal(verdict('cat notes', [], ['cat secret*']), 'safe')
    assert.equal(verdict('cat my-secrets.txt', [], ['cat *secret*.txt']), 'dangerous')
  })
})

describe('bounds', () => {
  const hostile: [string, string][] = [
    ['text beyond 32,768 characters', `echo ${'a'.repeat(40_000)}`],
    ['thousands of parts', 'ls;'.repeat(10_000)],
    ['a dangerous part behind thousands of harmless ones', `${'ls;'.repeat(10_000)}rm x`],
    ['thousands of words', `echo ${'a '.repeat(16_000)}`],
    ['deep substitutions', `${'echo $('.repeat(2_000)}ls${')'.repeat(2_000)}`],
    ['deep subshells', `${'('.repeat(5_000)}ls${')'.repeat(5_000)}`],
    ['a long chain of wrappers', `${'env '.repeat(5_000)}ls`],
    ['a chain of wrappers with unknown options', `${'env -z '.repeat(3_000)}ls`],
    ['texts inside texts', `${'eval '.repeat(5_000)}ls`],
  ]
  for (const [what, command] of hostile) {
    test(`${what} needs review`, () => {
      assert.notEqual(judgeCommand(command).verdict, 'safe')
    })
  }

  test('a wildcard of a role does not take back that a bound was reached', () => {
    assert.notEqual(judgeCommand(`bash -c '${'ls;'.repeat(5_000)}rm x'`, { allowed: ['bash **'] }).verdict, 'safe')
  })

  test('the answer is bounded, and keeps a dangerous reason', () => {
    const { reasons, paths, programs } = judgeCommand(`${'unknown-a b > c;'.repeat(300)} rm x`)
    assert.ok(reasons.length <= 100 && paths.length <= 1_000 && programs.length <= 200)
    assert.ok(reasons.some((reason) => reason.verdict === 'dangerous'))
  })

  test('text with NUL, a carriage return or half a character needs review', () => {
    for (const command of ['ls \0', 'ls\r', 'ls \ud800', 'echo a\rrm x']) assert.equal(judgeCommand(command).verdict, 'needs_review')
  })

  test('nothing at all, and a comment alone, need review: there is nothing to judge', () => {
    for (const command of ['', '  ', '\n', '# ls']) assert.equal(judgeCommand(command).verdict, 'needs_review')
  })
})
