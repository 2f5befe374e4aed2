/** Tools declared in YAML: what is read and refused, and that no value of a model is ever part of a script. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { count, later } from '../../../testkit/src/suite.ts'
import { readTools, runTool, type Tool } from '../src/tools/index.ts'

const ENV = { PATH: process.env.PATH, SECRET_TOKEN: 's3cret', DATABASE_URL: 'db://x' }

function directory(): string {
  return mkdtempSync(join(tmpdir(), 'sworn-tools-'))
}

/** One tool; `members` are YAML in flow style. */
function toolOf(script: string, { members = '', parameters = '{name: v, required: true}' } = {}, folder = directory()): Tool {
  const text = `tools:\n  - {name: t, parameters: [${parameters}], ${members} script: ${script}}\n`
  return readTools(text, 'f', folder).tools[0]!
}

const shell = (text: string) => `{shell: ${JSON.stringify(text)}}`
const run = (tool: Tool, input: unknown) => runTool(tool, input, { env: ENV })

/** The value in every place that a shell has for one; the outputs are ended by NUL. */
const PLACES = `printf '%s\\0' {{v}} "{{v}}" '{{v}}' a{{v}}b "a{{ v }}b" 'a{{v}}b' "$(printf '%s.' "{{v}}")" "$(printf '%s.' {{v}})"
x={{v}}; y="{{v}}"; printf '%s\\0' "$x" "$y"
printf '%s' {{v}} | { cat; printf '\\0'; }
f() { printf '%s\\0' "$1"; }; f {{v}}
for w in {{v}} "{{v}}"; do printf '%s\\0' "$w"; done
case {{v}} in {{v}}) printf 'same\\0';; esac
if [ {{v}} = "{{v}}" ]; then printf 'same\\0'; fi # {{v}} in a comment
cat <<EOF
{{v}} "{{v}}" '{{v}}'
EOF`
const expected = (v: string) => {
  const each = [v, v, v, `a${v}b`, `a${v}b`, `a${v}b`, `${v}.`, `${v}.`, v, v, v, v, v, v]
  return `${each.map((text) => `${text}\0`).join('')}same\0same\0${v} "${v}" '${v}'\n`
}

/** Each would leave a file behind if it were run. */
const CORPUS = [
  '$(touch pwned)', '`touch pwned`', '"; touch pwned; "', "'; touch pwned; '", "'\"; touch pwned #", '; touch pwned', '&& touch pwned',
  '| touch pwned', '& touch pwned &', '\ntouch pwned\n', '\r\ntouch pwned\r\n', '> pwned', '< /etc/passwd', '>(touch pwned)',
  '<(touch pwned)', '${IFS}touch${IFS}pwned', '$((a[$(touch pwned)]))', '${x:=$(touch pwned)}', '${x@P}', "$'\\x3btouch pwned'",
  '\\', '\\"; touch pwned; \\"', "\\'; touch pwned; \\'", '\\\n touch pwned', '"$(touch pwned)"', "'$(touch pwned)'", 'EOF\ntouch pwned\n',
  '() { :; }; touch pwned', '*', '?', '[a-z]*', '~', '~root', '{a,b}', '!touch', '#', '#!', '%s%n', '\\0', '\\c', '\\x41', '{{v}}', '{{ v }}',
  '{{query}}', '${SWORN_ARG_v}', '$SWORN_ARG_v', '"${SWORN_ARG_v}"', '$0', '$@', '$SECRET_TOKEN', '${DATABASE_URL}', '--', '-n', '-e x', '-',
  '', ' ', '  two  words ', '\ttab', 'ünïcödé', '👩‍👩‍👧', '\u202etxt.exe', '\u2028touch pwned', '\u00a0', '\ufeff', '＄（touch pwned）', '\u0007\u001b[31m',
  "O'Brien", '"', "'", '`', '$', '``', '$()', 'a\\', 'DROP TABLE x; --', 'x'.repeat(5000),
] // biome-ignore format: a table

// a tool whose value may begin with a dash, because the places below are no options
const anywhere = (folder: string) => toolOf(shell(PLACES), { parameters: '{name: v, required: true, leading_dash: true}' }, folder)

test('the corpus of injections: in every place of a script each value arrives as it is, and nothing of it runs', {
  timeout: 120_000,
}, async () => {
  const folder = directory()
  const tool = anywhere(folder)
  for (const v of CORPUS) assert.deepEqual(await run(tool, { v }), { text: expected(v), isError: false }, JSON.stringify(v))
  assert.deepEqual(readdirSync(folder), [])
})

test('the same in bash, with the same script', { timeout: 120_000 }, () => {
  const folder = directory()
  const { script } = anywhere(folder)
  assert.ok(script.form === 'shell')
  for (const v of CORPUS) {
    const out: string = execFileSync('bash', ['--norc', '-c', script.text], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: folder,
      env: { PATH: ENV.PATH, SWORN_ARG_v: v },
      encoding: 'utf8',
    })
    assert.equal(out, expected(v), JSON.stringify(v))
  }
  assert.deepEqual(readdirSync(folder), [])
})

const hostile = fc
  .array(
    fc.oneof(fc.constantFrom(...`$(){}[]<>|&;"'\`\\\n\r\t *?~#!%-=`, 'touch pwned', '${', '$(', 'EOF\n'), fc.string({ unit: 'grapheme' })),
  )
  .map((parts) => parts.join(''))

test('any text at all arrives as it is, as a word of a command and in a script', { timeout: 300_000 }, async () => {
  const folder = directory()
  const [inShell, asWord] = [anywhere(folder), toolOf(`{command: printf, args: ["%s|a%sb", "--", "{{v}}", "x{{v}}"]}`, {}, folder)]
  const clean = hostile.filter((v) => !v.includes('\0') && v.isWellFormed() && !v.includes('\ufffd'))
  await fc.assert(
    fc.asyncProperty(clean, async (v) => {
      assert.equal((await run(inShell, { v })).text, expected(v))
      assert.deepEqual(await run(asWord, { v }), { text: `--|a${v}b${`x${v}`}|ab`, isError: false })
    }),
    { numRuns: count({ fast: 20, ci: 100, full: 1000 }) },
  )
  assert.deepEqual(readdirSync(folder), [])
})

const refusedScripts: [string, string, RegExp][] = [
  ['arithmetic', 'echo $(( {{v}} + 1 ))', /evaluates values/],
  ['the arithmetic of a condition', '[[ {{v}} -eq 1 ]]', /evaluates values/],
  ['a default of an expansion', 'echo ${x:-{{v}}}', /evaluates values/],
  ['backquotes', 'echo `echo {{v}}`', /backquotes/],
  ['eval', 'eval {{v}}', /run as a program/],
  ['eval in quotes', 'eval "echo {{v}}"', /run as a program/],
  ['a substitution within eval', 'eval "$(printf %s {{v}})"', /run as a program/],
  ['the name of the program', '{{v}} --help', /run as a program/],
  ['a part of its name', './bin/{{v}} x', /run as a program/],
  ['the program behind env', 'env A=1 {{v}}', /run as a program/],
  ['the program behind sudo', 'sudo -n {{v}}', /run as a program/],
  ['sh -c', 'sh -c "echo {{v}}"', /run as a program/],
  ['sh -c behind options', 'bash -o pipefail -c {{v}}', /run as a program/],
  ['a script for sh', 'bash {{v}}', /run as a program/],
  ['a program for python', 'python3.11 -c "print({{v}})"', /run as a program/],
  ['a program for node', '/usr/bin/node -e {{v}}', /run as a program/],
  ['a program within its option', 'perl -ne"print if /{{v}}/" log', /run as a program/],
  ['a program behind =', 'node --eval="{{v}}"', /run as a program/],
  ['sh -c behind find', 'find . -exec sh -c "echo {{v}}" \\;', /run as a program/],
  ['the program that find runs', 'find . -execdir {{v}} \\;', /run as a program/],
  ['sh -c behind sudo and its user', 'sudo -u web sh -c "echo {{v}}"', /run as a program/],
  ['the program behind sudo and its user', 'sudo -u web {{v}}', /run as a program/],
  ['sh -c behind timeout and its signal', 'timeout -s KILL 5 sh -c "echo {{v}}"', /run as a program/],
  ['sh -c behind xargs and its mark', 'ls | xargs -I % sh -c "echo % {{v}}"', /run as a program/],
  ['sh -c in a container', 'docker exec -it box sh -c "ls {{v}}"', /run as a program/],
  ['a program for python in a container', 'kubectl exec box -- python3 -c "{{v}}"', /run as a program/],
  ['a command of flock', 'flock /tmp/lock -c "echo {{v}}"', /run as a program/],
  ['a program for awk', 'awk "{ print \\"{{v}}\\" }" log', /run as a program/],
  ['a program for awk behind options', "awk -F, -v n=3 '/{{v}}/' log", /run as a program/],
  ['a file of a program for awk', 'gawk -f {{v}} log', /run as a program/],
  ['a script for sed', 'sed "s/x/{{v}}/" log', /run as a program/],
  ['a script for sed behind -e', "sed -n -e '/{{v}}/p' log", /run as a program/],
  ['where programs are looked for', 'PATH={{v}} ls', /run as a program/],
  ['what a program is made to run', 'GIT_SSH_COMMAND="ssh -i {{v}}" git fetch', /run as a program/],
  ['a host for ssh', 'ssh {{v}} uptime', /run as a program/],
  ['what is piped into a shell', 'echo {{v}} | sh', /run as a program/],
  ['the input of a shell', 'sh <<EOF\n{{v}}\nEOF', /run as a program/],
  ['the name of a variable', 'unset {{v}}', /run as a program/],
  ['what an alias stands for', 'alias ls={{v}}\nls', /run as a program/],
  ['the name of a function', '{{v}}() { :; }', /run as a program/],
  ['a subscript', 'a[{{v}}]=1', /run as a program/],
  ['what eval finds in a variable', 'x={{v}}; eval "$x"', /run as a program, through \$x/],
  ['what a program is called', 'x={{v}}; y="$x"; "$y" --help', /run as a program, through \$y/],
  ['a script in a variable', 'x="ls {{v}}"; sh -c "$x"', /run as a program, through \$x/],
  ['what eval finds in a parameter', 'f() { eval "$1"; }; f {{v}}', /run as a program, through \$1/],
  ['what eval finds in what set was given', 'set -- {{v}}; eval "$@"', /run as a program, through \$@/],
  ['what eval finds in what was read', 'read x <<EOF\n{{v}}\nEOF\neval "$x"', /run as a program, through \$x/],
  ['what a loop runs', 'for f in {{v}}; do "$f"; done', /run as a program, through \$f/],
  ['what is piped into a shell from a variable', 'x={{v}}; echo "$x" | sh', /run as a program, through \$x/],
  ['arithmetic with a variable', 'x={{v}}; echo $(( $x + 1 ))', /evaluates values .*through \$x/],
  ['a variable without quotes', 'x={{v}}; rm $x', /split into words, through \$x/],
  ['a parameter without quotes', 'f() { ls $1; }; f {{v}}', /split into words, through \$1/],
  ['a substitution without quotes', 'rm $(basename {{v}})', /split into words/],
  ['what is piped into python', 'echo {{v}} | python3', /run as a program/],
  ['what is piped into a group with a shell', 'echo {{v}} | { cat | bash -o pipefail; }', /run as a program/],
  ['the program of node', 'node <<EOF\nlet a = {{v}}\nEOF', /run as a program/],
  ['the input of a group with a shell', '{ sh; } <<EOF\n{{v}}\nEOF', /run as a program/],
  ['a file that is the input of a shell', 'sh < {{v}}', /run as a program/],
  ['a job', 'echo {{v}} | at now', /run as a program/],
  ['what xargs makes a script of', "echo {{v}} | xargs -I{} sh -c 'echo {}'", /run as a program/],
  ['what xargs gives a shell', 'echo {{v}} | xargs -n1 sh -c', /run as a program/],
  ['a goal of make', 'make {{v}}', /run as a program/],
  ['a variable of make', 'make -C src NAME={{v}}', /run as a program/],
  ['a setting of git', 'git -c {{v}} status', /run as a program/],
  ['the program behind strace', 'strace -f -o log {{v}}', /run as a program/],
  ['a package for npx', 'npx --yes {{v}}', /run as a program/],
  ['a program of python in a file', 'python3 {{v}}', /run as a program/],
  ['a quoted here-document', "cat <<'EOF'\n{{v}}\nEOF", /no value can be put/],
  ['a backslash before it', 'echo \\{{v}}', /before it/],
  ['a dollar before it', 'echo ${{v}}', /complete shell script|before it|evaluates/],
  ['a process substitution', 'diff <(echo {{v}}) x', /evaluates values/],
  ['a script that does not end', 'echo "{{v}}', /complete shell script/],
]
for (const [what, text, message] of refusedScripts) {
  test(`a value in ${what} is refused when the file is read, with its place`, () => {
    assert.throws(
      () => toolOf(shell(text)),
      (e) => SwornError.is(e, 'CONFIG_INVALID') && message.test(e.message) && /f:2:\d+ tools\.0\.script\.shell/.test(e.message),
    )
  })
}

const takenScripts = [
  'find {{v}} -name "*.md" -exec cat {} +',
  'find . -name {{v}} -exec sh -c \'echo "$1"\' sh {} +',
  "awk -v word={{v}} 'index($0, word)' log",
  "awk -F{{v}} '{ print $1 }' log",
  "awk '{ print $1 }' {{v}}",
  'sed -n -e 3p {{v}}',
  'QUERY={{v}} python3 tool.py',
  'sudo -u web ls {{v}}',
  'timeout -s KILL 5 ls {{v}}',
  'docker exec box ls {{v}}',
  'flock /tmp/lock cp {{v}} x',
  'perl -ne print {{v}}',
  'python3 tool.py {{v}}',
  'sudo cp . {{v}}',
  'grep -e sed -e {{v}} log',
  'echo {{v}} | python3 tool.py',
  'echo {{v}} | python3 -m json.tool',
  'echo {{v}} | bash tool.sh',
  'echo {{v}} | xargs',
  'bash tool.sh < {{v}}',
  'sh -c ls > {{v}}',
  'make -C {{v}} all',
  'git -C {{v}} log --format=%h',
  'x="{{v}}"; ls -- "$x"',
  'x=$(basename {{v}}); ls "$x"',
  'for f in {{v}}; do cat "$f"; done',
  'f() { ls "$1"; }; f {{v}}',
  'perl -MFoo tool.pl {{v}}',
]
for (const text of takenScripts) test(`a value in ${text} is taken`, () => assert.equal(toolOf(shell(text)).script.form, 'shell'))

test('a number in a variable is taken where a text is not: a shell finds nothing in it', async () => {
  const tool = toolOf(shell('n={{n}}; echo $(( $n + 1 )) $n'), { parameters: '{name: n, type: integer, required: true}' })
  assert.equal((await run(tool, { n: 6 })).text, '7 6\n')
})

test('a value given to a script of a shell or of python as an argument is taken', async () => {
  assert.equal((await run(toolOf(shell(`sh -c 'printf %s "$1"' sh -- {{v}}`)), { v: '$(id)' })).text, '--')
  assert.equal((await run(toolOf(shell(`sh -c 'printf %s "$1"' sh {{v}}`)), { v: '$(id)' })).text, '$(id)')
})

const refusedFiles: [string, string, string][] = [
  ['no tools', 'tools: []', 'at least 1 was expected (at f:1:1 tools)'],
  ['a misspelt member', 'tools:\n  - {name: a, scirpt: {shell: x}, script: {shell: x}}', 'unknown member "scirpt", did you mean "script"? (at f:2:15 tools.0.scirpt)'],
  ['a parameter that nobody declared', 'tools:\n  - {name: a, parameters: [{name: query}], script: {shell: "echo {{qeury}}"}}', '{{qeury}} is no parameter of this tool, did you mean "query"? (at f:2:53 tools.0.script.shell)'],
  ['two forms of a script', 'tools:\n  - {name: a, script: {shell: x, command: y}}', 'either shell or command was expected (at f:2:15 tools.0.script)'],
  ['a placeholder for the program', 'tools:\n  - {name: a, parameters: [{name: v}], script: {command: "{{v}}"}}', 'the name of a program was expected, without a placeholder (at f:2:49 tools.0.script.command)'],
  ['a program in an argument', 'tools:\n  - {name: a, parameters: [{name: v}], script: {command: bash, args: [-c, "{{v}}"]}}', 'the value would be run as a program: give it to a script as an argument (at f:2:75 tools.0.script.args.1)'],
  ['a type that no word can carry', 'tools:\n  - {name: a, parameters: [{name: v, type: array}], script: {shell: x}}', 'one of string, integer, number, boolean was expected (at f:2:38 tools.0.parameters.0.type)'],
  ['a parameter that readers of JSON leave out', 'tools:\n  - {name: a, parameters: [{name: __proto__}], script: {shell: x}}', 'a name that readers of JSON do not leave out was expected (at f:2:29 tools.0.parameters.0.name)'],
  ['a default of another type', 'tools:\n  - {name: a, parameters: [{name: v, type: integer, default: x}], script: {shell: x}}', 'integer was expected (at f:2:53 tools.0.parameters.0.default)'],
  ['two tools of one name', 'tools:\n  - {name: a, script: {shell: x}}\n  - {name: a, script: {shell: x}}', 'another name was expected: a tool above has this one (at f:3:6 tools.1.name)'],
  ['a time that is none', 'tools:\n  - {name: a, script: {shell: x, timeout: soon}}', 'a time such as 500ms, 30s or 5m was expected (at f:2:34 tools.0.script.timeout)'],
  ['a variable of sworn', 'tools:\n  - {name: a, env: [SWORN_TOKEN], script: {shell: x}}', 'variables of sworn are not handed to tools (at f:2:21 tools.0.env.0)'],
  ['broken YAML', 'tools: [', 'the YAML is malformed (bad indent) (at f:1:9)'],
] // biome-ignore format: a table
for (const [what, text, message] of refusedFiles) {
  test(`a file with ${what} is refused where it is wrong`, () => {
    assert.throws(
      () => readTools(text, 'f', '/'),
      (e) => SwornError.is(e, 'CONFIG_INVALID') && (assert.equal(e.message, message), true),
    )
  })
}

test("Gantz's file of the tutorial is read as it stands, and its script sees the variable that it names and no other", async () => {
  const text =
    'name: audited-agent\naudit:\n  enabled: true\ntools:\n  - name: query_database\n    description: Query the database\n    audit: true  # Enable per-tool\n    parameters:\n      - name: query\n        type: string\n        required: true\n    script:\n      shell: env; echo "$DATABASE_URL" -c "{{query}}"\n'
  const { name, configures, tools } = readTools(text, 'gantz.yaml', directory())
  assert.deepEqual([name, configures, tools[0]!.audit], ['audited-agent', true, true])
  const { text: said } = await run(tools[0]!, { query: 'SELECT 1; $(id)' })
  assert.match(said, /db:\/\/x -c SELECT 1; \$\(id\)\n$/)
  assert.doesNotMatch(said, /s3cret/)
})

test('variables are handed on by name only, and never those of sworn', async () => {
  const tool = toolOf(shell('env; : $SWORN_TOKEN'), { members: 'env: [NAMED],', parameters: '' })
  const { text } = await runTool(tool, {}, { env: { ...ENV, NAMED: 'n', SWORN_TOKEN: 't', NODE_OPTIONS: '-x', LD_PRELOAD: 'x' } })
  assert.deepEqual(text.match(/^(NAMED|SWORN_TOKEN|NODE_OPTIONS|LD_PRELOAD|SECRET_TOKEN|DATABASE_URL)=.*$/gm), ['NAMED=n'])
})

const P =
  '{name: s}, {name: i, type: integer}, {name: n, type: number}, {name: b, type: boolean}, {name: e, enum: [one, two]}, {name: d, default: dd}, {name: r, required: true}'
const faults: [string, unknown, string][] = [
  ['a required one that is missing', {}, 'r is required'],
  ['one that nobody declared', { r: '', x: 1 }, 'only these arguments were expected: s, i, n, b, e, d, r'],
  ['a number for a text', { r: 1 }, 'r: string was expected'],
  ['a text for an integer', { r: '', i: '1' }, 'i: integer was expected'],
  ['a fraction for an integer', { r: '', i: 1.5 }, 'i: integer was expected'],
  ['a number that is none', { r: '', n: Number.NaN }, 'n: number was expected'],
  ['a text for a switch', { r: '', b: 'true' }, 'b: boolean was expected'],
  ['a list', { r: ['a'] }, 'r: string was expected'],
  ['null', { r: null }, 'r: string was expected'],
  ['a value that is not on the list', { r: '', e: 'three' }, 'e: one of one, two was expected'],
  ['a NUL', { r: 'a\0b' }, 'r: text without NUL and lone surrogates was expected'],
  ['a lone surrogate', { r: '\ud800' }, 'r: text without NUL and lone surrogates was expected'],
  ['too long a text', { r: 'x'.repeat(100_001) }, 'r: at most 100000 bytes were expected'],
  ['no object', 'r', 'an object of arguments was expected'],
  ['a list of arguments', [], 'an object of arguments was expected'],
  [
    'the name of a member of all objects',
    JSON.parse('{"r":"","__proto__":{"s":1}}'),
    'only these arguments were expected: s, i, n, b, e, d, r',
  ],
]
for (const [what, input, text] of faults) {
  test(`arguments with ${what} are refused in words that repeat no value, and nothing runs`, async () => {
    const folder = directory()
    assert.deepEqual(await run(toolOf(shell('touch ran'), { parameters: P }, folder), input), { text, isError: true })
    assert.equal(existsSync(join(folder, 'ran')), false)
  })
}

test('arguments that are not given are their default, or the empty text', async () => {
  const tool = toolOf(shell('printf "%s|" "{{s}}" {{i}} {{n}} {{b}} "{{e}}" "{{d}}" "{{r}}"'), { parameters: P })
  assert.equal((await run(tool, { r: 'R', i: 5, n: 0.25, b: false })).text, '|5|0.25|false||dd|R|')
})

test('a value that a program could read as an option is refused, unless -- is before it, or the file allows it', async () => {
  const says = async (script: string, v = '-rf', more = '') =>
    (await run(toolOf(shell(script), { parameters: `{name: v${more}}` }), { v })).text
  const refusal = 'v: a value that does not begin with - was expected'
  assert.equal(await says('ls {{v}}'), refusal)
  assert.equal(await says('ls "{{v}}"'), refusal)
  assert.equal(await says("ls ''{{v}}"), refusal)
  assert.equal(await says('printf %s -- {{v}}'), '---rf')
  assert.equal(await says('printf %s x{{v}}'), 'x-rf')
  assert.equal(await says('printf %s {{v}}', '-rf', ', leading_dash: true'), '-rf')
  const words = toolOf('{command: ls, args: ["{{v}}"]}')
  assert.equal((await run(words, { v: '-la' })).text, refusal)
  assert.equal(await says('x="{{v}}"; ls "$x"'), refusal)
  assert.equal(await says('unset X; ls "$X"{{v}}'), refusal)
})

test('values that a word repeats until no operating system takes it are an error that is told', async () => {
  const v = 'x'.repeat(99_000)
  const tool = toolOf(`{command: printf, args: ["%s", "a{{v}}{{v}}"${', "a{{v}}"'.repeat(30)}]}`)
  assert.deepEqual(await run(tool, { v }), { text: '[the script could not be started: its words together are too long]', isError: true })
})

test('a value that is empty makes no option of what follows it', async () => {
  const both = '{name: a}, {name: b}'
  for (const script of [shell('printf %s {{a}}{{b}}'), '{command: printf, args: ["%s", "{{a}}{{b}}"]}']) {
    const tool = toolOf(script, { parameters: both })
    assert.equal((await run(tool, { a: '', b: '-rf' })).text, 'b: a value that does not begin with - was expected')
    assert.equal((await run(tool, { b: '-rf' })).isError, true)
    assert.equal((await run(tool, { a: 'x', b: '-rf' })).text, 'x-rf')
  }
  for (const script of [shell('printf %s {{a}}-{{b}}'), '{command: printf, args: ["%s", "{{a}}-{{b}}"]}']) {
    const tool = toolOf(script, { parameters: both })
    assert.equal((await run(tool, { a: '', b: 'rf' })).text, 'a: a value that is not empty was expected')
    assert.equal((await run(tool, { a: 'x', b: '' })).text, 'x-')
  }
})

/** Resolves when the process is no more, or only its exit code is. */
async function ended(pid: string): Promise<void> {
  const status = `/proc/${pid}/stat`
  while (existsSync(status) && !/\) [ZX] /.test(readFileSync(status, 'utf8'))) await wait(10)
}

test('a script that takes too long is ended with all that it started', { timeout: 120_000 }, async () => {
  const folder = directory()
  const tool = toolOf('{shell: "echo begun; (sleep 60; touch late) & echo $! > pid; sleep 60", timeout: 200ms}', { parameters: '' }, folder)
  assert.deepEqual(await run(tool, {}), { text: 'begun\n\n[the script was ended after 200 ms]', isError: true })
  const pid = readFileSync(join(folder, 'pid'), 'utf8').trim()
  await ended(pid)
})

test('one that ignores SIGTERM is killed', { timeout: 120_000, skip: later }, async () => {
  const tool = toolOf(`{shell: "trap '' TERM; while :; do sleep 1; done", timeout: 100ms}`, { parameters: '' })
  assert.equal((await run(tool, {})).text, '[the script was ended after 100 ms]')
})

test('what a script leaves in the background ends with it', { timeout: 120_000 }, async () => {
  const folder = directory()
  const tool = toolOf('{shell: "sleep 60 & echo $! > pid; echo done"}', { parameters: '' }, folder)
  assert.deepEqual(await run(tool, {}), { text: 'done\n', isError: false })
  await ended(readFileSync(join(folder, 'pid'), 'utf8').trim())
})

test('a script that says too much is ended, and what it said is cut', { timeout: 120_000 }, async () => {
  const tool = toolOf('{shell: "yes", max_output: 10}', { parameters: '' })
  assert.deepEqual(await run(tool, {}), { text: 'y\ny\ny\ny\ny\n\n[the output was cut at 10 bytes and the script ended]', isError: true })
})

test('a failure is told with its exit code, a program that is not there too, and a cancelled call ends its script', {
  timeout: 120_000,
}, async () => {
  assert.deepEqual(await run(toolOf(shell('echo no >&2; exit 3'), { parameters: '' }), {}), {
    text: 'no\n\n[the script ended with exit code 3]',
    isError: true,
  })
  assert.deepEqual(await run(toolOf('{command: no-such-program}', { parameters: '' }), {}), {
    text: '[the script could not be started]',
    isError: true,
  })
  const stop = new AbortController()
  const ran = runTool(toolOf(shell('sleep 60'), { parameters: '' }), {}, { env: ENV, signal: stop.signal })
  stop.abort()
  assert.deepEqual(await ran, { text: '[the call was cancelled]', isError: true })
})
