/** docs/threat-model.md says what is found and what is not; every row names the test that shows it. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { titlesOf } from '../src/titles.ts'

const page = readFileSync('docs/threat-model.md', 'utf8')

/** `| claim | answer | [file](../path/file): title |` in the tables of a section. */
function rowsOf(section: string): { claim: string; file: string; title: string }[] {
  const [, text = ''] = page.split(`## ${section}\n`)
  const rows = text.split('\n## ')[0]!.matchAll(/^\| (?<claim>.+?) \|.*\| \[[^\]]+\]\((?<file>[^)]+)\): (?<title>.+?) \|$/gm)
  return [...rows].map(({ groups }) => ({ claim: groups!.claim!, file: join('docs', groups!.file!), title: groups!.title! }))
}

for (const section of ['What is found', 'What cannot be found']) {
  test(`each row of "${section}" in the threat model names a test that exists`, () => {
    const rows = rowsOf(section)
    const lines =
      page
        .split(`## ${section}\n`)[1]!
        .split('\n## ')[0]!
        .match(/^\| (?!---|what \|).+$/gm) ?? []
    assert.ok(rows.length > 2)
    assert.equal(rows.length, lines.length, 'every row names a test')
    for (const { file, title } of rows) assert.ok(titlesOf(file).includes(title), `${file}: ${title}`)
  })
}

test('the threat model has a row for every attack of the tamper test', () => {
  const file = 'testkit/e2e/tamper.test.ts'
  const [found, notFound] = [rowsOf('What is found'), rowsOf('What cannot be found')]
  for (const title of titlesOf(file)) {
    const rows = title.startsWith('NOT found') ? notFound : found
    assert.ok(
      rows.some((row) => row.file === file && row.title === title),
      title,
    )
  }
  assert.ok(notFound.every((row) => row.title.startsWith('NOT found')))
})
