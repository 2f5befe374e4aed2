/**
 * Tools as their server describes them, from a file: what `schema_hash` is compared with outside of a session.
 *
 * Hostile input: an answer to `tools/list`, its result, or the list alone; pages stand one a line.
 * @module
 */
import { SwornError } from '@sworn/recorder'
import { hashTool } from '../tool-hashes.ts'

/** Hashes of each tool, by its name; a later description of a name replaces an earlier one. */
export type DescribedTools = ReadonlyMap<string, readonly string[]>

/** @throws SwornError POLICY_INVALID when no tool is described */
export function readTools(source: { readonly text: string; readonly name: string }): DescribedTools {
  const tools = parse(source.text).flatMap(toolsOf)
  if (tools.length > 0) return new Map(tools.map((tool) => [tool.name, hashTool(tool)]))
  throw new SwornError('POLICY_INVALID', 'the answer to tools/list was expected, as JSON: {"tools": [{"name": …}]}', source.name)
}

function parse(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text)]
  } catch {
    return text.split('\n').flatMap(parseLine)
  }
}

function parseLine(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return [] // a line that is no answer, of what a session showed
  }
}

function toolsOf(value: unknown): readonly ({ readonly name: string } & object)[] {
  const list = Array.isArray(value) ? value : (memberOf(memberOf(value, 'result'), 'tools') ?? memberOf(value, 'tools'))
  return Array.isArray(list) ? list.filter(isTool) : []
}

function isTool(value: unknown): value is { readonly name: string } {
  return typeof memberOf(value, 'name') === 'string'
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined // an object, by the test before
}
