/**
 * Programs that run what they are told, as data: the usual ones, and which of their words are programs.
 * @module
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

export const SHELLS = words('sh bash dash zsh ksh ash fish')
export const SHELL_CODE = /^[-+][a-zA-Z]*c[a-zA-Z]*$/
/** They evaluate their arguments, names of variables included, or run them elsewhere. */
export const EVALUATING = words(
  'eval source . alias trap let declare typeset local export readonly unset read getopts mapfile readarray compgen complete bind enable hash fc ssh su runuser parallel watch tmux screen emacs gdb lldb erl pwsh powershell cmd',
)
/** Their variables and goals are evaluated; behind these options stands something else. */
export const MAKES = words('make gmake')
export const MAKE_TAKES = words('-C -j --directory --jobs')
/** What runs the command behind it: its options that take the next word, and how many words stand before the command. */
export const WRAPPERS: Readonly<Record<string, readonly [takes: string, operands?: number]>> = {
  env: ['-u -C --unset --chdir'],
  sudo: ['-u -g -p -C -h -r -t -T -D -R -U --user --group --prompt --chdir --host --role --type'],
  doas: ['-u -C'],
  exec: ['-a'],
  command: [''],
  builtin: [''],
  busybox: [''],
  nohup: [''],
  setsid: [''],
  nice: ['-n --adjustment'],
  ionice: ['-c -n -p --class --classdata'],
  time: ['-f -o --format --output'],
  timeout: ['-s -k --signal --kill-after'],
  stdbuf: ['-i -o -e --input --output --error'],
  chroot: ['', 1],
  flock: ['-w -E --timeout --conflict-exit-code', 1],
  unshare: ['-R -S -G -w'],
  strace: ['-o -e -p -s -E -u -P'],
  ltrace: ['-o -e -p -s -u'],
  'systemd-run': ['-p -E -u -M -H --unit --property --setenv --slice --uid --gid --description'],
  nsenter: ['-t -S -G --target'],
  taskset: ['', 1],
  gosu: ['', 1],
  'su-exec': ['', 1],
  prlimit: ['-p --pid'],
  fakeroot: [''],
  unbuffer: [''],
  tini: ['-p'],
  'dumb-init': ['-r'],
  npx: ['-p -c --package'],
  bunx: ['-p --package'],
  uvx: ['-p --from --with --python'],
  xargs: ['-I -n -P -L -s -d -E -a --max-args --max-procs --max-lines --delimiter --arg-file'],
}
/** Between a wrapper and its command: options, assignments, times. */
export const WRAPPING = /^-|^\w+=|^\d+(\.\d+)?[smhd]?$/
/** A command stands behind these words of find. */
export const FIND_RUNS = words('-exec -execdir -ok -okdir')

export interface Interpreter {
  /** Options that take a program, or the file of one. */
  readonly short: string
  readonly long?: ReadonlySet<string>
  /** Options that take something else. */
  readonly takes?: string
  /** Without one of these options the first operand is the program. */
  readonly isFirst?: true
}

const AWK: Interpreter = { short: 'feEil', long: words('source file exec include load'), takes: 'vF', isFirst: true }
const SED: Interpreter = { short: 'ef', long: words('expression file'), takes: 'l', isFirst: true }
/** In bash `test -v 'a[$(id)]'` runs `id`; awk and sed run programs too (`system`, `e`). */
export const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
  python: { short: 'c', takes: 'mWX' },
  node: { short: 'ep', long: words('eval print'), takes: 'rC' },
  bun: { short: 'ep', long: words('eval print'), takes: 'r' },
  perl: { short: 'eE', takes: 'MmIFCxi' },
  ruby: { short: 'e', takes: 'rICEF' },
  php: { short: 'rBRE', long: words('run process-begin process-code process-end'), takes: 'dc' },
  lua: { short: 'e', takes: 'l' },
  osascript: { short: 'e', takes: 'l' },
  awk: AWK,
  gawk: AWK,
  mawk: AWK,
  nawk: AWK,
  sed: SED,
  gsed: SED,
  script: { short: 'c', long: words('command') },
  rsync: { short: 'e', long: words('rsh') },
  tar: { short: 'IF', long: words('to-command use-compress-program checkpoint-action new-volume-script info-script rsh-command') },
  vim: { short: 'cS', long: words('cmd') },
  vi: { short: 'cS' },
  julia: { short: 'eE', long: words('eval print') },
  Rscript: { short: 'e' },
  groovy: { short: 'e' },
  elixir: { short: 'e', long: words('eval rpc-eval') },
  scala: { short: 'e' },
  expect: { short: 'c' },
  mongosh: { short: '', long: words('eval') },
  mongo: { short: '', long: words('eval') },
  xterm: { short: 'e' },
  man: { short: 'PH', long: words('pager html') },
  sort: { short: '', long: words('compress-program') },
  git: { short: 'c', long: words('config-env upload-pack receive-pack exec') },
  printf: { short: 'v' },
  test: { short: 'vR' },
  '[': { short: 'vR' },
}
/** As words of another command they are still programs: `docker exec box python -c …`. */
export const LANGUAGES = words('python node bun perl ruby php lua')
/** Of a program whose name is only known when it runs. */
export const ANY_CODE = /^-[a-zA-Z]*[ceErp]$/

/** They run what comes in whatever they are called with. */
export const READING = words('at batch ed ex dc gdb parallel tclsh expect pwsh powershell osascript')
/** Options of a shell that take the next word. */
export const SHELL_TAKES = words('-o +o -O +O --rcfile --init-file')
