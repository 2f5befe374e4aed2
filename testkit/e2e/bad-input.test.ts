/**
 * Bad input to every command: what is said, the exit code, and that nothing on the disk changed.
 *
 * Driven by the command table: a command without rows here fails.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { COMMANDS } from '../../packages/cli/src/commands/table.ts'
import { sworn } from '../../packages/cli/test/support/io.ts'
import { later } from '../src/suite.ts'
import { inherited, SWORN } from './support/cli.ts'
import { temporary } from './support/temporary.ts'

/** argv behind the command's name -> exit code and what stderr (or stdout, for a report) names. */
type Row = readonly [argv: readonly string[], exit: 1 | 2 | 3, names: RegExp, stdin?: string]

const directory = temporary()
const [cwd, home] = [join(directory, 'work'), join(directory, 'home')]
const EVENT = '{"event_type":"data_access","target":"crm.contacts"}\n'
const MEBIBYTES_10 = 10 << 20

/** A command that reads a ledger, with every thing that is none. */
const ledgerRows = (...before: string[]): Row[] => [
  [[...before, 'missing'], 3, /^error: LEDGER_NOT_FOUND .*missing/],
  [[...before, 'folder'], 3, /^error: LEDGER_FOREIGN_FILE .*folder/],
  [[...before, 'vacant'], 3, /^error: LEDGER_NOT_FOUND the directory is empty .*vacant/],
  [[...before, 'garbage/below'], 3, /^error: LEDGER_NOT_FOUND .*garbage\/below/],
  [[...before, 'loop'], 3, /^error: IO_FAILED ELOOP .*loop/],
  [[...before, 'a\0b'], 2, /^error: USAGE a path without NUL was expected/],
]
/** The same for a command that asks the configuration for everything but the path. */
const configuredRows = (...before: string[]): Row[] => [
  ...ledgerRows(...before).slice(0, -1),
  [[...before, 'a\0b'], 2, /^error: CONFIG_INVALID a path without NUL was expected/],
]
/** Lines that are no entries: each is named. */
const lineRows = (): Row[] =>
  ['garbage', 'nul', 'long', 'text'].map((file) => [[file], 1, new RegExp(`error: LINE_MALFORMED not an entry \\(at .*${file}:1\\)`)])
/** A text file that a command parses. */
const textRows = (code: string, ...before: string[]): Row[] => [
  [[...before, 'garbage'], 2, new RegExp(`^error: ${code} .*garbage`)],
  [[...before, 'empty'], 2, new RegExp(`^error: ${code} .*empty`)],
  [[...before, 'nul'], 2, new RegExp(`^error: ${code} .*nul`)],
  [[...before, 'long'], 2, new RegExp(`^error: ${code} .*long`)],
  [[...before, 'folder'], 3, /^error: IO_FAILED .*folder/],
]
/** The same for sworn.yaml, which may be empty. */
const settings = (...before: string[]): Row[] => textRows('CONFIG_INVALID', ...before).filter(([argv]) => argv.at(-1) !== 'empty')
const times = (flag: string): Row[] =>
  ['1x', 'soon', '2026-13-01', '1e9d', '99999999999999d'].map((time) => [['good', flag, time], 2, new RegExp(`^error: USAGE .*${flag}`)])
const counts = (...flag: string[]): Row[] =>
  ['x', '1e3', '-0.5', '99999999'].map((count) => [['good', `${flag[0]}=${count}`], 2, new RegExp(`^error: USAGE .*${flag.at(-1)}`)])
const writerRows: Row[] = ['garbage', 'nul', 'long', 'text'].map((file) => [[file], 3, new RegExp(`^error: LEDGER_DETACHED .*${file}`)])
const server = ['--', 'true']
const ERASE = ['--subject', 's', '--reason', 'r', '--request', 'r']

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  demo: [[['surplus'], 2, /at most 0 arguments were expected/]],
  proxy: [
    [[], 2, /^error: USAGE a server is missing/],
    [['--target', 'a | b'], 2, /^error: USAGE .*--target/],
    [['--url', 'nonsense'], 2, /^error: .*--url/],
    [['--url', 'ftp://127.0.0.1/'], 2, /^error: .*--url/],
    [['--url', 'http://127.0.0.1:9/', '--header-file', 'missing'], 3, /^error: IO_FAILED .*--header-file/],
    [['--url', 'http://127.0.0.1:9/', '--header-file', 'nul'], 2, /^error: USAGE .*--header-file/],
    [['--listen', '0.0.0.0:0', '--url', 'http://127.0.0.1:9/'], 2, /^error: CONFIG_INVALID .*\(at listen\)/],
    [['--listen', 'here', ...server], 2, /^error: .*--listen/],
    [['--listen', '0.0.0.0:0', '--token-file', 'missing', ...server], 3, /^error: IO_FAILED .*--token-file/],
    [['--api', 'here', ...server], 2, /^error: .*--api/],
    [['--validator', 'nonsense', ...server], 2, /^error: USAGE .*--validator/],
    [['--validator', 'http://example.com/', ...server], 2, /^error: CONFIG_INVALID an https address/],
    [
      ['--validator', 'http://127.0.0.1:9/', '--validator-token-file', 'missing', ...server],
      3,
      /^error: IO_FAILED .*--validator-token-file/,
    ],
    [['--validator', 'http://127.0.0.1:9/', '--roles', 'good.yaml', ...server], 2, /^error: USAGE no roles .*--validator/],
    [['--record-mode', 'never', ...server], 2, /--record-mode takes one of before, batch/],
    [['--config', 'missing', ...server], 2, /^error: CONFIG_INVALID .*missing/],
    ...settings('--config').map(([argv, ...rest]): Row => [[...argv, ...server], ...rest]),
    [['--audit-log', 'text', ...server], 3, /^error: LEDGER_DETACHED .*text/],
    [['--audit-log', 'loop', ...server], 3, /^error: IO_FAILED ELOOP .*loop/],
  ],
  erase: [
    [[], 2, /^error: USAGE --subject, --reason and --request were expected/],
    ...configuredRows(...ERASE),
    ...['garbage', 'nul', 'long', 'text'].map((file): Row => [[...ERASE, file], 3, new RegExp(`^error: LEDGER_\\w+ .*${file}`)]),
    [['good', '--subject', 's3cret', '--reason', 'of S3CRET', '--request', 'r'], 2, /^error: USAGE .*\(at --reason\)/],
    [['good', '--subject', 'x'.repeat(1025), '--reason', 'r', '--request', 'r'], 2, /^error: USAGE .*1024 characters/],
  ],
  retain: [
    ...configuredRows(),
    ...['garbage', 'nul', 'long', 'text'].map((file): Row => [[file], 3, new RegExp(`^error: LEDGER_FOREIGN_FILE .*${file}`)]),
    [['good'], 2, /^error: USAGE no retention is configured/],
    [['good', 'surplus'], 2, /^error: USAGE one PATH/],
    [['hold', 'drop', 'case', 'good'], 2, /^error: USAGE hold list, hold add or hold release/],
    [['hold', 'add', 'case', 'good', '--reason', 'r'], 2, /^error: USAGE .*--where/],
    [['hold', 'add', '../case', 'good', '--where', 'true', '--reason', 'r'], 2, /^error: USAGE a name/],
    [['hold', 'add', 'case', 'good', '--where', 'user ==', '--reason', 'r'], 2, /^error: FILTER_INVALID/],
    [['hold', 'release', 'case', 'good', '--reason', 'r'], 2, /^error: USAGE no hold of this name/],
  ],
  verify: [
    ...ledgerRows(),
    ...['garbage', 'nul', 'long', 'text'].map((file): Row => [[file], 1, new RegExp(`foreign_file at .*${file}`)]),
    ...['empty', 'hollow'].map((nothing): Row => [[nothing], 1, /record_malformed at seq=0: log\.open was expected, found no entry/]),
    [['good', '--key', 'nonsense'], 2, /^error: KEY_INVALID .*--key/],
    ...['empty', 'nul', 'garbage', 'long', 'private.pem'].map((file): Row => [['good', '--key', file], 2, /^error: KEY_INVALID .*--key/]),
    [['good', '--key', 'folder'], 3, /^error: IO_FAILED .*folder/],
    [['good', '--require', 'everything'], 2, /--require takes one of/],
    [['good', '--checkpoint', 'missing'], 3, /^error: IO_FAILED .*missing/],
    [['good', '--witness', 'nonsense'], 2, /^error: KEY_INVALID .*--witness/],
    [['good', '--table', 'x'], 2, /^error: USAGE .*--table/],
    [['postgres://u:s3cr3t@127.0.0.1:1/x'], 3, /^error: SINK_UNREADABLE the copy cannot be read \(ECONNREFUSED\)/],
    [['postgres://u:s3cr3t@127.0.0.1:1/x', '--table', 'a;b'], 2, /^error: CONFIG_INVALID/],
    [['postgres://u:s3cr3t@:x/y'], 2, /^error: USAGE .*postgres/],
    [['foreign', '--key', 'nonsense'], 2, /^error: KEY_INVALID .*--key/],
    [['foreign', '--head', 'missing'], 3, /^error: IO_FAILED .*missing/],
    [['foreign', '--input', 'missing'], 3, /^error: IO_FAILED .*missing/],
    [['foreign', '--input', 'good.yaml'], 2, /^error: USAGE a foreign log that refers to other files was expected/],
    [['good', '--input', 'missing'], 2, /^error: USAGE a foreign log was expected/],
  ],
  query: [
    ...ledgerRows(),
    ...lineRows(),
    ...times('--since'),
    ...times('--until'),
    ...counts('--limit'),
    [['good', '--format', 'xml'], 2, /--format takes one of/],
    [['good', '-o', 'folder'], 3, /^error: IO_FAILED EISDIR .*folder/],
    [['good', '-o', 'text/below'], 3, /^error: IO_FAILED ENOTDIR .*text\/below/],
    ...counts('--around').slice(0, -1), // any seq may be asked about
    ...['x', '5:', '1:2', '-1'].map((place): Row => [['good', `--after=${place}`], 2, /^error: USAGE .*--after/]),
    [['good', '--sort', 'time', '--after', '5'], 2, /^error: USAGE .*--after/],
    [['good', '--around', '2', '--reverse'], 2, /^error: USAGE .*--around/],
    [['good', '--count-by', 'tool', '--limit', '3'], 2, /^error: USAGE .*--count-by/],
    [['good', '--count-by', 'colour'], 2, /--count-by takes one of/],
    [['good', '--where', 'tool =='], 2, /^error: FILTER_INVALID /],
    [['good', '--where', 'colour == "red"'], 2, /^error: FILTER_INVALID .*colour/],
    [['good', '--key', 'nonsense'], 2, /^error: USAGE .*--key/],
    [['good', '--verified', '--key', 'nonsense'], 2, /^error: KEY_INVALID .*--key/],
    [['text', '--verified'], 3, /^error: NOTE_UNVERIFIED .*text/],
  ],
  sql: [
    [[], 2, /^error: USAGE a SELECT was expected/],
    ...ledgerRows('SELECT 1'),
    [['good', 'SELECT 1'], 2, /^error: USAGE the SELECT was expected first, then the ledger/],
    [['SELECT 1', 'text'], 3, /^error: LEDGER_DETACHED .*text/],
    ...['SELEC', 'DELETE FROM entry', "ATTACH 'x.db' AS x", 'PRAGMA query_only', "VACUUM INTO 'x.db'", 'SELECT x FROM entries', ''].map(
      (statement): Row => [[statement, 'good'], 2, /^error: USAGE .*\(at SQL\)/],
    ),
    [['SELECT 1', 'good', '--format', 'xml'], 2, /--format takes one of/],
    [['SELECT 1', 'good', '-o', 'folder/below/it'], 3, /^error: IO_FAILED ENOENT .*folder\/below/],
  ],
  report: [
    ...ledgerRows(),
    ...lineRows().map(([argv, ...rest]): Row => [[...argv, '--unchecked'], ...rest]),
    ...times('--since'),
    ...times('--until'),
    [['good', '--since', '1h', '--until', '2h'], 2, /^error: USAGE a time after --since was expected .*--until/],
    [['good', '--format', 'xml'], 2, /--format takes one of html, md, json, jsonl/],
    [['good', '--format', 'jsonl'], 2, /^error: USAGE .*--subject was expected .*--format/],
    [['good', '--framework', 'iso-9001'], 2, /--framework takes one of eu-ai-act, /],
    [['good', '--key', 'nonsense'], 2, /^error: KEY_INVALID .*--key/],
    [['good', '-o', 'folder'], 3, /^error: IO_FAILED EISDIR .*folder/],
    [['good', '-o', 'text/below'], 3, /^error: IO_FAILED ENOTDIR .*text\/below/],
    [['good', '--subject', 'x', '-o', 'folder/below/it.jsonl'], 3, /^error: IO_FAILED ENOENT .*folder\/below/],
  ],
  export: [
    [[], 2, /^error: USAGE a dialect was expected .*--dialect/],
    [['good', '--dialect', 'word'], 2, /--dialect takes one of aip, /],
    ...ledgerRows('--dialect', 'aip'),
    ...lineRows().map(([argv, ...rest]): Row => [['--dialect', 'aip', ...argv], ...rest]),
    ...times('--since').map(([argv, ...rest]): Row => [['--dialect', 'aip', ...argv], ...rest]),
    [['good', '--dialect', 'aip', '--where', 'decision == "denied"'], 2, /^error: FILTER_INVALID .*allow, deny, ask \(at 1:13\)/],
    [['good', '--dialect', 'aip', '-o', 'folder/below/it'], 3, /^error: IO_FAILED ENOENT .*folder\/below/],
    [['good', '--dialect', 'sahu'], 2, /^error: KEY_INVALID /],
    ...['aegis-sqlite', 'parquet'].map(
      (dialect): Row => [['good', '--dialect', dialect], 2, /^error: USAGE .*-o FILE was expected .*--output/],
    ),
    ...['missing', 'empty', 'garbage', 'nul'].map(
      (file): Row => [['good', '--dialect', 'sahu', '--sign-key', file], 2, /^error: KEY_INVALID .*--sign-key/],
    ),
  ],
  import: [
    [[], 2, /^error: USAGE a file to import was expected/],
    [['garbage', 'fresh'], 2, /^error: USAGE a dialect was expected .*--dialect/],
    [['garbage', 'fresh', '--dialect', 'ocsf'], 2, /--dialect takes one of aip, /],
    [['missing', 'fresh', '--dialect', 'aip'], 3, /^error: IO_FAILED .*missing/],
    [['folder', 'fresh', '--dialect', 'aip'], 3, /^error: IO_FAILED .*folder/],
    [['garbage', 'fresh', '--dialect', 'aip'], 3, /^error: JSON_INVALID UTF-8 was expected .*garbage/],
    [['text', 'fresh', '--dialect', 'aip', '--require', 'chain'], 2, /^error: USAGE .*--require/],
    [['text', 'fresh', '--dialect', 'aegis-sqlite'], 3, /^error: JSON_INVALID an SQLite database .*text/],
  ],
  tail: [
    ...ledgerRows(),
    ...lineRows(),
    ...times('--since'),
    ...counts('--lines'),
    [['good', '--where', 'tool =='], 2, /^error: FILTER_INVALID /],
  ],
  alerts: [
    ...ledgerRows(),
    ...times('--since'),
    ...times('--until'),
    ...settings('good', '--config'),
    [['good', '--config', 'missing'], 2, /^error: CONFIG_INVALID .*missing/],
    [['good', '--rule', 'of_hours'], 2, /^error: USAGE one of high_error_rate.*--rule/],
    [['good', '--severity', 'loud'], 2, /--severity takes one of debug/],
  ],
  record: [
    ...writerRows,
    [['loop'], 3, /^error: IO_FAILED ELOOP .*loop/],
    ...['{', '[]', '1', 'null', '\0\0', '{"event_type":5}', '{"event_type":"log.x"}', '{"event_type":"x","seq":1}', '{"a":1}'].map(
      (line): Row => [
        ['fresh'],
        1,
        /^error: line 1: EVENT_INVALID .+\nhint: .+\n\{"line":1,"error":\{"code":"EVENT_INVALID",.+\}\n$/,
        `${line}\n`,
      ],
    ),
    [['good', '--idle-exit', 'soon'], 2, /^error: USAGE .*--idle-exit/],
  ],
  recorder: [...writerRows, [['loop'], 3, /^error: IO_FAILED ELOOP .*loop/], ...times('--idle-exit')],
  serve: [
    ...writerRows,
    [['loop'], 3, /^error: IO_FAILED ELOOP .*loop/],
    [['--mirrors', 'postgres://u:s3cr3t@:x/y', '--listen', '127.0.0.1:0'], 2, /^error: USAGE postgres:/],
    [['--mirrors', 'garbage', '--listen', '127.0.0.1:0'], 3, /^error: IO_FAILED a folder for the mirrors was expected .*garbage/],
    [['--mirrors', 'new', '--mirror-key', 'nonsense', '--listen', '127.0.0.1:0'], 2, /^error: KEY_INVALID /],
    [['--mirror-key', 'nonsense', '--listen', '127.0.0.1:0'], 2, /^error: .*--mirror/],
    ...['here', '127.0.0.1:99999', ':0'].map((at): Row => [['--listen', at], 2, /^error: .*--listen/]),
    [['--listen', '127.0.0.1:0', '--config', 'missing'], 2, /^error: CONFIG_INVALID .*missing/],
    [['--listen', '127.0.0.1:0', '--tls-cert', 'missing', '--tls-key', 'missing'], 3, /^error: IO_FAILED .*missing/],
    [['--listen', '127.0.0.1:0', '--tls-cert', 'garbage', '--tls-key', 'garbage'], 2, /^error: CONFIG_INVALID .*\(at tls\)/],
    [['--listen', '127.0.0.1:0', '--tls-cert', 'good.yaml'], 2, /^error: .*--tls/],
    [['--jwt-keys', 'good.yaml'], 2, /^error: USAGE .*belong together/],
    ...['soon', '0s'].map((every): Row => [['good', '--verify-every', every], 2, /^error: USAGE .*--verify-every/]),
    [['--jwt-keys', 'missing', '--jwt-issuer', 'i', '--jwt-audience', 'a'], 3, /^error: IO_FAILED .*--jwt-keys/],
    [['--jwt-keys', 'garbage', '--jwt-issuer', 'i', '--jwt-audience', 'a'], 2, /^error: KEY_INVALID .*--jwt-keys/],
  ],
  sinks: [
    [['burn'], 2, /^error: USAGE status, replay NAME or reconcile NAME was expected/],
    [['replay'], 2, /^error: USAGE status, replay NAME or reconcile NAME was expected/],
    [['status', 'good', 'more'], 2, /^error: USAGE status, replay NAME or reconcile NAME was expected/],
    ...ledgerRows('status'),
    [['status', 'garbage'], 3, /^error: LEDGER_DETACHED .*garbage/],
    [['replay', 'x', 'missing'], 3, /^error: LEDGER_NOT_FOUND .*missing/],
    [['replay', 'x', 'good'], 2, /^error: USAGE the name of a sink was expected/],
    [['replay', '../x', 'good'], 2, /^error: USAGE the name of a sink was expected/],
    [['replay', 'x', 'good', '--from', '-1'], 2, /^error: USAGE .*--from/],
    [['replay', 'x', 'good', '--from', '1e3'], 2, /^error: USAGE .*--from/],
    [['reconcile'], 2, /^error: USAGE status, replay NAME or reconcile NAME was expected/],
    ...ledgerRows('reconcile', 'x'),
    [['reconcile', 'x', 'garbage'], 3, /^error: LEDGER_DETACHED .*garbage/],
    [['reconcile', '../x', 'good'], 2, /^error: USAGE the name of a sink was expected/],
  ],
  metrics: [
    ...ledgerRows(),
    ...['garbage', 'nul', 'long', 'text'].map((file): Row => [[file], 3, new RegExp(`^error: LINE_MALFORMED .*${file}`)]),
  ],
  keys: [
    [['burn'], 2, /^error: USAGE list, show, export or adopt was expected/],
    [['show', 'missing'], 3, /^error: LEDGER_NOT_FOUND .*missing/],
    [['export', 'folder'], 3, /^error: LEDGER_NOT_FOUND .*folder/],
    ...ledgerRows('adopt', '--yes'),
    [['adopt', 'good'], 2, /^error: USAGE nobody can be asked/],
    [['adopt', '--yes', 'good'], 2, /^error: USAGE the signer state is there/],
    [['adopt', '--yes', 'garbage'], 3, /^error: LEDGER_/],
  ],
  init: [
    [['good'], 2, /^error: USAGE a PATH goes with --reason only \(at good\)/],
    [[], 2, /^error: USAGE there is a sworn\.yaml already; --force replaces it/],
    [['--reason', 'x', 'loop'], 3, /^error: IO_FAILED .*loop/],
  ],
  policy: [
    [['wave', 'good.yaml'], 2, /^error: USAGE check, explain, test, replay, init or sign was expected/],
    ...textRows('POLICY_INVALID', 'test').map(([argv, ...rest]): Row => [[...argv, 'good.yaml'], ...rest]),
    ...textRows('POLICY_INVALID', 'test', 'good.yaml'),
    [['test', 'good.yaml'], 2, /^error: USAGE /],
    ...ledgerRows('replay', 'good.yaml'),
    ...ledgerRows('init'),
    ...['garbage', 'nul', 'text'].flatMap((file): Row[] => [
      [['replay', 'good.yaml', file], 3, new RegExp(`^error: LINE_MALFORMED not an entry \\(at .*${file}:1\\)`)],
      [['init', file], 3, new RegExp(`^error: LINE_MALFORMED not an entry \\(at .*${file}:1\\)`)],
    ]),
    [['check', 'missing'], 2, /^error: POLICY_INVALID .*missing/],
    ...textRows('POLICY_INVALID', 'check'),
    [['explain', 'good.yaml', 't', '{'], 2, /^error: USAGE .*JSON/],
    [['explain', 'good.yaml'], 2, /^error: USAGE /],
    [['check', 'good.yaml', '--profile', 'lax'], 2, /--profile takes one of/],
  ],
  doctor: [
    [['folder'], 1, /WRONG +ledger .*LEDGER_FOREIGN_FILE .*folder/],
    ...['garbage', 'nul', 'long'].map((file): Row => [[file], 1, new RegExp(`WRONG +ledger .*foreign_file at .*${file}`)]),
    ...['empty', 'hollow'].map((nothing): Row => [[nothing], 1, /WRONG +ledger .*record_malformed at seq=0/]),
    [['loop'], 3, /^error: IO_FAILED .*loop/],
  ],
  install: [
    [[], 2, /^error: USAGE mcp-client or one of claude-code, .* was expected/],
    [['emacs'], 2, /^error: USAGE mcp-client or one of claude-code, /],
    [['claude-code'], 2, /^error: USAGE nobody can be asked here/],
    [['codex', '--scope', 'managed'], 2, /^error: USAGE Codex takes managed hooks from .*--scope/],
    [['cursor', '--scope', 'all'], 2, /--scope takes one of user, project, managed/],
    ...['garbage', 'nul', 'text'].map((file): Row => [['gemini', file, '--yes'], 2, new RegExp(`^error: CONFIG_INVALID .*${file}`)]),
    [['gemini', 'folder', '--yes'], 3, /^error: IO_FAILED .*folder/],
    [['claude-code', 'new.json', '--policy-key', 'nonsense', '--yes'], 2, /^error: KEY_INVALID /],
    [['mcp-client', 'client.json', '--server', 'http://127.0.0.1:1'], 2, /^error: USAGE a coding agent was expected .*--server/],
    [['codex', '--server', 'http://127.0.0.1:1', '--yes'], 2, /^error: USAGE .*--server/],
    [['claude-code', 'new.json', '--server', 'nowhere', '--yes'], 2, /^error: USAGE .*--server/],
    [['mcp-client'], 2, /^error: USAGE no configuration was found/],
    [['mcp-client', 'missing'], 3, /^error: IO_FAILED .*missing/],
    ...textRows('CONFIG_INVALID', 'mcp-client'),
    [['mcp-client', 'client.json'], 2, /^error: USAGE nobody can be asked here/],
    [['mcp-client', '--client', 'emacs'], 2, /--client takes one of/],
  ],
  uninstall: [
    [['mcp-client', 'missing'], 3, /^error: IO_FAILED .*missing/],
    ...textRows('CONFIG_INVALID', 'mcp-client'),
    [['emacs'], 2, /^error: USAGE mcp-client or one of claude-code, /],
    ...['garbage', 'nul', 'text'].map((file): Row => [['codex', file], 2, new RegExp(`^error: CONFIG_INVALID .*${file}`)]),
  ],
  tools: [
    [[], 2, /^error: USAGE serve FILE was expected/],
    [['list', 'tools.yaml'], 2, /^error: USAGE serve FILE was expected/],
    [['serve'], 2, /^error: USAGE serve FILE was expected/],
    [['serve', 'missing', '--check'], 3, /^error: IO_FAILED .*missing/],
    ...textRows('CONFIG_INVALID', 'serve').map(([[action, file], ...rest]): Row => [[action!, file!, '--check'], ...rest]),
    ...textRows('CONFIG_INVALID', 'serve'),
    [['serve', 'spliced.yaml', '--check'], 2, /^error: CONFIG_INVALID .*spliced\.yaml:4:/],
    [['serve', 'spliced.yaml'], 2, /^error: CONFIG_INVALID .*spliced\.yaml:4:/],
    [['serve', 'tools.yaml', '--audit-log', 'text'], 3, /^error: LEDGER_DETACHED .*text/],
    [['serve', 'tools.yaml', '--config', 'missing'], 2, /^error: CONFIG_INVALID .*missing/],
  ],
  hook: [
    [[], 2, /^error: USAGE one of claude-code, codex, gemini, copilot, cursor, opencode, pi was expected/],
    [['emacs'], 2, /^error: USAGE one of claude-code, /],
    [['codex', 'PostToolUseFailure'], 2, /^error: USAGE an event of codex was expected/],
    [['claude-code'], 2, /^error: EVENT_INVALID an event of claude-code was expected/],
    ...['', '{', '[]', '1', 'null', '\0\0', '{"hook_event_name":5}', '{"hook_event_name":"constructor"}', '{"a":1,"a":2}'].map(
      (payload): Row => [['claude-code'], 2, /^error: EVENT_INVALID .+\nhint: .+\n$/, payload],
    ),
    [['claude-code', 'Stop', '--audit-log', 'text'], 1, /^error: LEDGER_DETACHED .*text/, '{}'],
    [['claude-code', 'Stop', '--audit-log', 'loop'], 1, /^error: IO_FAILED ELOOP .*loop/, '{}'],
    [['claude-code', 'Stop', '--config', 'missing'], 1, /^error: CONFIG_INVALID .*missing/, '{}'],
  ],
  trust: [
    [['missing'], 2, /^error: USAGE there is no such file .*missing/],
    [['folder'], 2, /^error: USAGE there is no such file .*folder\/sworn\.yaml/],
    ...settings().filter(([[file]]) => file !== 'folder'),
    [['loop'], 3, /^error: IO_FAILED ELOOP .*loop/],
  ],
  completion: [
    [[], 2, /^error: USAGE one of bash, zsh, fish, powershell was expected/],
    [['tcsh'], 2, /^error: USAGE one of bash/],
  ],
  complete: [],
}

before(async () => {
  for (const path of [cwd, home, join(cwd, 'folder'), join(cwd, 'vacant'), join(cwd, 'hollow', 'segments')])
    mkdirSync(path, { recursive: true })
  const put = (name: string, content: string | Buffer) => writeFileSync(join(cwd, name), content, { mode: 0o600 })
  put('folder/text', 'hello\n')
  put('garbage', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)))
  put('empty', '')
  put('nul', `${'\0'.repeat(100)}\n\0\n`)
  put('long', `{"a":"${'x'.repeat(MEBIBYTES_10)}"}\n`)
  put('text', 'hello\n')
  put('foreign', '{"step_id":"1","action_id":"x","params":{},"success":true,"ts_ms":0}\n')
  put('private.pem', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n')
  put('good.yaml', 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [t]}\n')
  put('tools.yaml', 'tools:\n  - {name: t, script: {command: echo}}\n')
  put('spliced.yaml', 'tools:\n  - name: t\n    parameters: [{name: x}]\n    script: {shell: "eval {{x}}"}\n')
  put('client.json', '{"mcpServers":{"a":{"command":"node","args":["x.js"]}}}')
  put('sworn.yaml', 'audit:\n  redact: [codename]\n')
  symlinkSync('loop', join(cwd, 'loop'))
  for (const ledger of ['good', 'fresh']) assert.equal((await sworn(['record', ledger], { cwd, home, stdin: EVENT })).code, 0)
})

/** path -> mode and content of everything below. */
function snapshot(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    if (entry.isSymbolicLink()) return [path, readlinkSync(path)]
    const { mode, size, mtimeMs } = statSync(path)
    if (!entry.isFile()) return [path, `${mode}`]
    const content = size > MEBIBYTES_10 ? mtimeMs : createHash('sha256').update(readFileSync(path)).digest('hex')
    return [path, `${mode} ${size} ${content}`]
  })
  return Object.fromEntries(entries)
}

const shown = (argv: readonly string[]) => JSON.stringify(argv.join(' ')).slice(1, -1)

test('every command of the table has rows here', () => {
  assert.deepEqual(Object.keys(ROWS).toSorted(), COMMANDS.map(({ name }) => name).toSorted())
})

for (const { name } of COMMANDS) {
  describe(`bad input to sworn ${name}`, () => {
    const common: Row[] = name === 'complete' ? [] : [[['--no-such-flag'], 2, /^error: unknown flag --no-such-flag/]]
    for (const [n, [argv, exit, names, stdin]] of [...common, ...ROWS[name]!].entries()) {
      const skip = n % 4 > 1 && later // two of four
      test(`${name} ${shown(argv)}: exit ${exit}, the place named, nothing changed on disk`, { skip, timeout: 60_000 }, async () => {
        const unwritten = name === 'record' && stdin !== undefined
        const before = snapshot(directory)
        const ran = await sworn([name, ...argv], { cwd, home, stdin: stdin ?? EVENT })
        assert.equal(ran.code, exit, ran.out + ran.err)
        assert.match(ran.err === '' || ran.code === 1 ? ran.err + ran.out : ran.err, names)
        if (exit > 1) assert.match(ran.err, /^error: .+\nhint: .+\n$/)
        assert.doesNotMatch(ran.out + ran.err, /\n\s+at |unexpected [A-Z]\w*Error|defect of sworn/)
        assert.ok(ran.err.length < 1 << 20 && !ran.err.includes('xxxx'), 'no content in the message')
        if (!unwritten) assert.deepEqual(snapshot(directory), before)
      })
    }
  })
}

test('a line that cannot be recorded takes no other line with it', async () => {
  const stdin = `${EVENT}{\n${EVENT}{"event_type":"x","metadata":"${'y'.repeat(MEBIBYTES_10)}"}\n`
  const ran = await sworn(['record', 'fresh'], { cwd, home, stdin })
  assert.equal(ran.code, 1)
  const answers = ran.out.split('\n').filter(Boolean)
  assert.deepEqual(
    answers.map((line) => 'seq' in JSON.parse(line)),
    [true, false, true, true],
  )
  assert.match(ran.err, /^error: line 2: EVENT_INVALID /)
})

const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
const possible = nobody.length === 0 || spawnSync('setpriv', ['--version']).status === 0
if (!possible) console.error('SKIPPED: unreadable files: root reads everything, and setpriv is not here')
test('a ledger that this user may not read: exit 3 and its name', { skip: possible ? later : 'needs setpriv', timeout: 60_000 }, () => {
  const open = temporary()
  chmodSync(open, 0o755)
  cpSync(join(cwd, 'good'), join(open, 'closed'), { recursive: true })
  writeFileSync(join(open, 'closed.jsonl'), EVENT, { mode: 0o000 })
  chmodSync(join(open, 'closed'), 0o000)
  for (const file of ['closed', 'closed.jsonl'])
    for (const command of ['verify', 'query', 'tail']) {
      const [program, ...args] = [...nobody, ...SWORN, command, file]
      const ran = spawnSync(program!, args, { cwd: open, env: { ...inherited(), SWORN_HOME: open }, encoding: 'utf8' })
      assert.equal(ran.status, 3, `${command} ${file}: ${ran.stdout}${ran.stderr}`)
      assert.match(ran.stderr, new RegExp(`^error: [A-Z_]+ .*${file}.*\nhint: .+\n$`))
    }
})
