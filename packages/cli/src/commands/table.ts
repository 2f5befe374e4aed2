/**
 * The command table: what exists. Names and one line each; a command's file is loaded when it is named.
 * @module
 */
import type { CommandEntry } from '../frame/command.ts'
import { keepYoungSmall } from '../reading/steady.ts'

type Load = CommandEntry['load']

/** Of a command that reads a whole ledger and ends. */
const steadily = (load: Load): Load => {
  return () => {
    keepYoungSmall()
    return load()
  }
}

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'demo', about: 'record, verify and forge a ledger in a temporary directory', load: async () => (await import('./demo.ts')).demo },
  {
    name: 'proxy',
    about: 'stand between an MCP client and a stdio server, decide and record every call',
    load: async () => (await import('./proxy.ts')).proxy,
  },
  {
    name: 'tools',
    about: 'serve tools that a YAML file declares as an MCP server, every call decided and recorded',
    load: async () => (await import('./tools.ts')).tools,
  },
  { name: 'verify', about: 'check a ledger, claim by claim', load: steadily(async () => (await import('./verify.ts')).verify) },
  { name: 'query', aliases: ['audit'], about: 'find entries', load: steadily(async () => (await import('./query.ts')).query) },
  { name: 'sql', about: 'ask the index in SQL, read only', load: steadily(async () => (await import('./sql.ts')).sql) },
  { name: 'tail', about: 'show the newest entries, and follow', load: async () => (await import('./tail.ts')).tail },
  {
    name: 'report',
    about: 'what happened in a period, as a page; evidence for frameworks',
    load: steadily(async () => (await import('./report.ts')).report),
  },
  { name: 'alerts', about: 'what is not normal, by rules, and as it happens', load: async () => (await import('./alerts.ts')).alerts },
  {
    name: 'export',
    about: 'entries in another format, with what it could not say',
    load: steadily(async () => (await import('./export.ts')).exportCommand),
  },
  {
    name: 'import',
    about: 'check a log of another format and record its events',
    load: async () => (await import('./import.ts')).importCommand,
  },
  { name: 'record', about: 'record events from JSON Lines on stdin', load: async () => (await import('./record.ts')).record },
  {
    name: 'recorder',
    about: 'hold a ledger in the foreground for other processes',
    load: async () => (await import('./recorder.ts')).recorder,
  },
  { name: 'serve', about: 'hold a ledger and answer over HTTP', load: async () => (await import('./serve.ts')).serve },
  { name: 'erase', about: 'make what was committed for one subject unreadable', load: async () => (await import('./erase.ts')).erase },
  {
    name: 'retain',
    about: 'drop what is older than it must be kept; legal holds',
    load: async () => (await import('./retain.ts')).retain,
  },
  {
    name: 'sinks',
    about: 'how far delivery is, and sending again',
    load: async () => (await import('./sinks.ts')).sinks,
  },
  {
    name: 'metrics',
    about: 'what a ledger comes to in numbers, for Prometheus',
    load: async () => (await import('./metrics.ts')).metrics,
  },
  { name: 'keys', about: 'list, show, export and adopt keys', load: async () => (await import('./keys.ts')).keys },
  { name: 'init', about: 'write sworn.yaml, or go on after a lost ledger', load: async () => (await import('./init.ts')).init },
  { name: 'policy', about: 'check a policy, explain one decision', load: async () => (await import('./policy.ts')).policy },
  { name: 'doctor', about: 'look for what is wrong with this set-up', load: async () => (await import('./doctor.ts')).doctor },
  {
    name: 'hook',
    about: 'answer one hook of a coding agent: decide, record, reply',
    load: async () => (await import('./hook.ts')).hook,
  },
  {
    name: 'install',
    about: 'record a coding agent by its hooks, or the MCP servers of a client',
    load: async () => (await import('./install.ts')).install,
  },
  {
    name: 'uninstall',
    about: 'restore the configuration of an agent or a client byte for byte',
    load: async () => (await import('./install.ts')).uninstall,
  },
  { name: 'trust', about: 'trust the sworn.yaml of a project as it is now', load: async () => (await import('./trust.ts')).trust },
  { name: 'completion', about: 'print the completion script of a shell', load: async () => (await import('./completion.ts')).completion },
  {
    name: 'complete',
    hidden: true,
    about: 'answers the completion scripts',
    load: async () => (await import('./completion.ts')).createComplete(COMMANDS.filter((entry) => !entry.hidden)),
  },
]
