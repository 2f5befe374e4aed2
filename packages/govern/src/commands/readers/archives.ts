/** `tar` with its old option style and the options that run programs; `dd`. @module */
import { applyOptions } from '../effects.ts'
import { optionTable, readOptions } from '../options.ts'
import type { Program } from '../table/program.ts'
import type { Arg, Judge } from '../types.ts'
import type { Call } from './types.ts'

const HARMLESS =
  '-tvzjJaOpkmhBSW -f: -C: -X: -b: -N: -V: --list --verbose --gzip --bzip2 --xz --zstd --auto-compress --file= --directory= --exclude= --wildcards --strip-components= --numeric-owner --full-time --force-local --totals --no-recursion'
const RAISE: NonNullable<Program['raise']> = {
  '--checkpoint-action=': 'dangerous',
  '--to-command=': 'dangerous',
  '--use-compress-program=': 'dangerous',
  '-I:': 'dangerous',
  '--info-script=': 'dangerous',
  '--new-volume-script=': 'dangerous',
  '-F:': 'dangerous',
  '--rsh-command=': 'dangerous',
  '--rmt-command=': 'dangerous',
  '--remove-files': 'dangerous',
  '--absolute-names': 'dangerous',
  '-P': 'dangerous',
  '-T:': 'needs_review', // a list of files may hold options
  '--files-from=': 'needs_review',
}

/** Listing an archive only reads. Everything else writes. */
export function readTar({ program, word, args, scene }: Call, judge: Judge): void {
  const [first, ...rest] = args
  const bundled = first && /^[A-Za-z]+$/.test(first.value) ? [{ ...first, value: `-${first.value}` }, ...rest] : args
  const table = optionTable(`${HARMLESS} -xcruAdGgUlkowS --extract --get * ${Object.keys(RAISE).join(' ')}`)
  const options = readOptions(bundled, table)
  applyOptions({ ...program, raise: RAISE, raiseRule: 'runs_code' }, options, scene, judge)
  const archive = options.used.find(({ name }) => name === '-f' || name === '--file')?.value
  if (archive) judgeArchive(archive, judge)
  const writes = readOptions(bundled, optionTable(HARMLESS)).unknown.length > 0
  const lists = options.used.some(({ name }) => name === '-t' || name === '--list')
  if (writes || !lists) judge.add('needs_review', 'writes_file', word)
  const extracts = options.used.some(({ name }) => /^(-x|--extract|--get)$/.test(name))
  for (const { name, value } of options.used) {
    if (!value || !/^(-C|--directory)$/.test(name)) continue
    if (extracts) judge.write(value)
    else judge.path(value, writes ? 'write' : 'read')
  }
}

/** `host:file` is fetched by rsh. */
function judgeArchive(archive: Arg, judge: Judge): void {
  if (archive.value.includes(':')) judge.add('dangerous', 'remote_access', archive)
  judge.path(archive, 'unknown')
}

export function readDd({ program, word, args }: Call, judge: Judge): void {
  judge.add('needs_review', program.rule ?? 'writes_file', word)
  for (const arg of args) {
    const file = { ...arg, value: arg.value.slice(3) }
    if (arg.value.startsWith('of=')) judge.write(file)
    else if (arg.value.startsWith('if=')) judge.path(file, 'read')
  }
}
