/** Documentation is part of the code: generated pages are current, TypeScript fences compile, links lead somewhere. @module */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { stalePages } from '../docs.ts'

const pages = ['README.md', 'AGENTS.md', 'DEPENDENCIES.md', ...globSync('docs/**/*.md'), ...globSync('packages/*/README.md')].filter((p) =>
  existsSync(p),
)

/** The fenced blocks of a page in one language. */
function fences(page: string, language: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((m) => m[1]!)
}

test('generated pages are what the code says: npm run docs', async () => {
  assert.deepEqual(await stalePages(), [])
})

test('every TypeScript fence of the documentation compiles', () => {
  const dir = mkdtempSync('testkit/.fences-')
  try {
    const files = pages.flatMap((page) =>
      fences(page, 'ts').map((code, n) => {
        const file = join(dir, `${page.replaceAll('/', '_')}.${n}.ts`)
        writeFileSync(file, /^(import|export) /m.test(code) ? code : `${code}\nexport {}\n`)
        return file
      }),
    )
    const config = ts.readConfigFile('tsconfig.base.json', ts.sys.readFile).config
    const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, noEmit: true, noUnusedLocals: false }, '.')
    const found = ts.getPreEmitDiagnostics(ts.createProgram(files, options))
    assert.deepEqual(
      found.map((d) => `${d.file?.fileName} ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`),
      [],
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('JSON and YAML fences parse', async () => {
  const { parseAllDocuments } = await import('yaml')
  for (const page of pages) {
    for (const code of fences(page, 'json')) assert.doesNotThrow(() => JSON.parse(code), page)
    for (const code of fences(page, 'yaml'))
      for (const doc of parseAllDocuments(code)) assert.deepEqual('errors' in doc ? doc.errors : [], [], page)
  }
})

test('every relative link leads to a file', () => {
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((m) => join(dirname(page), m[1]!))
      .filter((target) => !existsSync(target))
      .map((target) => `${page} → ${target}`),
  )
  assert.deepEqual(broken, [])
})
