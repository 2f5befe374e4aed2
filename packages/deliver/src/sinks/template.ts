/**
 * Texts for people with placeholders: `{{tool}}`, `{{metadata.rule}}`, `{{key}}` for `origin/seq`.
 *
 * What an event does not have is empty; a line whose placeholders are all empty is left out. There are no conditions,
 * loops or functions. Values come from whoever was recorded: each is one line, cut, without characters that hide or
 * reorder text, and escaped for the place where it is shown; the template itself is the operator's and stays as it is.
 * @module
 */
import { isJsonObject, type JsonValue } from '@sworn/verify'
import { z } from 'zod'
import type { Item } from '../sink.ts'

/** @param escaped for the place where it is shown */
export type Template = (item: Item, escaped?: (value: string) => string) => string

const PLACEHOLDER = /\{\{\s*([A-Za-z_]\w{0,63}(?:\.[\w-]{1,64}){0,7})\s*\}\}/g
const MAX_PLACEHOLDERS = 64
const MAX_VALUE = 1000
const MAX_TEXT = 4096

/** A configuration's template; what is none is refused when it is read. */
export const template = z
  .string()
  .min(1)
  .max(MAX_TEXT)
  .refine(isTemplate, `at most ${MAX_PLACEHOLDERS} placeholders like {{tool}} or {{metadata.rule}} were expected`)

function isTemplate(text: string): boolean {
  const placeholders = text.match(PLACEHOLDER)?.length ?? 0
  return placeholders <= MAX_PLACEHOLDERS && !/\{\{|\}\}/.test(text.replaceAll(PLACEHOLDER, ''))
}

/** @param text one that `template` takes */
export function createTemplate(text: string): Template {
  const lines = text.split('\n')
  return (item, escaped = (value) => value) =>
    lines.flatMap((line) => renderLine(line, (path) => escaped(shownValue(valueAt(item, path))))).join('\n')
}

function renderLine(line: string, shownAt: (path: string) => string): string[] {
  const values: string[] = []
  const rendered = line.replace(PLACEHOLDER, (_, path: string) => {
    const value = shownAt(path)
    values.push(value)
    return value
  })
  if (!values.includes('')) return [rendered]
  return values.some((value) => value !== '') ? [rendered.replace(/ {2,}/g, ' ').trim()] : []
}

function valueAt({ event, key }: Item, path: string): JsonValue | undefined {
  if (path === 'key') return key
  let value: JsonValue | undefined = event as JsonValue // an event without undefined members is JSON
  for (const name of path.split('.')) {
    if (!(isJsonObject(value) || Array.isArray(value)) || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, JsonValue>>)[name] // its own member
  }
  return value
}

/** Control, format and surrogate characters, separators of lines, and whatever shows as nothing. */
const UNSAFE = /[\p{Cf}\p{Cs}]|\p{Default_Ignorable_Code_Point}/gu

function shownValue(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const line = cut(text, MAX_VALUE).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
  return line.replace(UNSAFE, '\ufffd').trim()
}

/** At most `max` UTF-16 units, without half a character at the end. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  return `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
