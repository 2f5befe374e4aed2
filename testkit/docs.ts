/**
 * Writes what is generated: docs/errors.md from the code table, docs/reference/cli.md from the command table, and the
 * JSON Schemas from zod, each into the package that owns it.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { alertsSchema } from '@sworn/analyze/alerts-schema'
import { CONFIG_ROOMS } from '@sworn/deliver'
import { policyJsonSchema } from '@sworn/govern/policy'
import { configJsonSchema, eventJsonSchema } from '@sworn/recorder/schemas'
import { ERRORS } from '@sworn/verify'
import { COMMANDS } from '../packages/cli/src/commands/table.ts'
import { formatReference } from '../packages/cli/src/frame/reference.ts'
import { commandsPage } from './commands-page.ts'
import { dialectsPage, foreignPage } from './dialects-page.ts'
import { dlpPage } from './dlp-page.ts'
import { hooksPage } from './hooks-page.ts'
import { instrumentPage } from './instrument-page.ts'

const { sinks, destinations } = CONFIG_ROOMS

/** The pages that are made from code: path -> content. */
export async function generatedPages(): Promise<Record<string, string>> {
  return {
    'docs/errors.md': errorsPage(),
    'docs/reference/commands.md': commandsPage(),
    'docs/reference/dialects.md': dialectsPage(),
    'docs/reference/dlp.md': dlpPage(),
    'docs/reference/foreign.md': await foreignPage(),
    'docs/reference/hooks.md': hooksPage(),
    'docs/reference/instrument.md': instrumentPage(),
    'docs/reference/cli.md': await formatReference(COMMANDS),
    'packages/recorder/schema/sworn.schema.json': json(
      configJsonSchema({ alerts: alertsSchema, sinks: sinks.schema, destinations: destinations.schema }),
    ),
    'packages/recorder/schema/event.schema.json': json(eventJsonSchema()),
    'packages/govern/schema/agent-policy.schema.json': json(policyJsonSchema()),
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, advice]) => `| ${code} | ${advice} |`)
  return [
    '# Errors',
    '',
    'Reference; generated from `packages/verify/src/errors.ts` by `npm run docs`. Every error has a code, a message (what was expected, what was found), a place, and never a value.',
    'A *finding* of verification is not an error: see [format.md](format.md), findings.',
    '',
    '| code | what to do |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n')
}

if (process.argv[1]?.endsWith('testkit/docs.ts')) {
  for (const [path, content] of Object.entries(await generatedPages())) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    console.log(`wrote ${path}`)
  }
}

/** Generated pages whose file differs from what the code says now. */
export async function stalePages(): Promise<string[]> {
  const pages = Object.entries(await generatedPages())
  return pages.filter(([path, content]) => read(path) !== content).map(([path]) => path)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
