/**
 * The command table: what exists. Names and one line each; a command's file is loaded when it is named.
 * @module
 */
import type { CommandEntry } from '../frame/command.ts'

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'demo', about: 'record, verify and forge a ledger in a temporary directory', load: async () => (await import('./demo.ts')).demo },
  {
    name: 'proxy',
    about: 'stand between an MCP client and a stdio server, decide and record every call',
    load: async () => (await import('./proxy.ts')).proxy,
  },
  { name: 'verify', about: 'check a ledger, claim by claim', load: async () => (await import('./verify.ts')).verify },
  { name: 'query', aliases: ['audit'], about: 'find entries', load: async () => (await import('./query.ts')).query },
  { name: 'tail', about: 'show the newest entries, and follow', load: async () => (await import('./tail.ts')).tail },
  { name: 'record', about: 'record events from JSON Lines on stdin', load: async () => (await import('./record.ts')).record },
  {
    name: 'recorder',
    about: 'hold a ledger in the foreground for other processes',
    load: async () => (await import('./recorder.ts')).recorder,
  },
  { name: 'serve', about: 'hold a ledger and answer over HTTP', load: async () => (await import('./serve.ts')).serve },
  { name: 'keys', about: 'list, show, export and adopt keys', load: async () => (await import('./keys.ts')).keys },
  { name: 'init', about: 'write sworn.yaml, or go on after a lost ledger', load: async () => (await import('./init.ts')).init },
  { name: 'policy', about: 'check a policy, explain one decision', load: async () => (await import('./policy.ts')).policy },
  { name: 'doctor', about: 'look for what is wrong with this set-up', load: async () => (await import('./doctor.ts')).doctor },
  {
    name: 'install',
    about: 'wrap the stdio servers of an MCP client configuration',
    load: async () => (await import('./install.ts')).install,
  },
  {
    name: 'uninstall',
    about: 'restore an MCP client configuration byte for byte',
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
