/** Titles of tests as they stand in a file's text: what a page that names a test is held to. @module */
import { readFileSync } from 'node:fs'

export function titlesOf(file: string): string[] {
  const calls = readFileSync(file, 'utf8').matchAll(/\b(?:test|it|attack)\(\s*(?<quote>['"`])(?<title>.+?)\k<quote>,/g)
  return [...calls].map(({ groups }) => groups!.title!)
}
