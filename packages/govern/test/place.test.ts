/** Where a path leads: the few lookups find what looking up every part finds, and one judgement looks each name up once. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lookOnce, type Platform, resolveLinks, toPlace } from '../src/paths/place.ts'
import { runs } from './support/make.ts'

const CWD = '/w/x'
const name = fc.constantFrom('a', 'b', 'c', 'w', 'x')
const place = fc.array(name, { minLength: 1, maxLength: 6 }).map((names) => `/${names.join('/')}`)
const links = fc.dictionary(place, place, { maxKeys: 4 })
const files = fc.array(place, { maxLength: 6 })

/** A disk of folders and links: what is below a file's place is not there, and a link may lead nowhere or round in a circle. */
function diskOf(targets: Readonly<Record<string, string>>, there: readonly string[]): Platform {
  const known = new Set(['/', '/w', CWD, ...[...there, ...Object.keys(targets)].flatMap((one) => parentsOf(one))])
  const walk = (path: string, depth: number): string => {
    if (depth > 20) throw new Error('a circle')
    let at = ''
    for (const segment of path.split('/').filter(Boolean)) {
      const next = `${at}/${segment}`
      if (!known.has(next)) throw new Error('nothing there')
      at = targets[next] === undefined ? next : walk(targets[next], depth + 1)
    }
    return at === '' ? '/' : at
  }
  const realpath = (path: string) => walk(path, 0)
  const parent = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/'
  const exists = (path: string) => path === '/' || known.has(`${realpath(parent(path)).replace(/^\/$/, '')}/${path.split('/').at(-1)}`)
  return { home: '/w', cwd: CWD, realpath, exists }
}

function parentsOf(path: string): string[] {
  const segments = path.split('/').filter(Boolean)
  return segments.map((_, i) => `/${segments.slice(0, i + 1).join('/')}`)
}

/** The longest part that has a real path, found by asking for every one. */
function resolveByAsking(path: string, { realpath }: Platform): string {
  const segments = path.split('/')
  for (let count = segments.length; count > 0; count--) {
    try {
      return toPlace([realpath(segments.slice(0, count).join('/') || '/'), ...segments.slice(count)].join('/'), '/')
    } catch {
      // shorter
    }
  }
  return path
}

test('a path leads where asking for every part of it says, also past links that lead nowhere', () => {
  fc.assert(
    fc.property(links, files, place, fc.boolean(), (targets, there, path, relative) => {
      const disk = diskOf(targets, there)
      const asked = relative ? path.slice(1) : path
      assert.equal(resolveLinks(asked, disk), resolveByAsking(relative ? CWD + path : path, disk))
      assert.equal(resolveLinks(asked, lookOnce(disk)), resolveLinks(asked, disk))
    }),
    { ...runs, numRuns: runs.numRuns * 10 },
  )
})

test('names that no file system has, and hundreds of folders that are not there, cost few lookups', () => {
  let lookups = 0
  const disk: Platform = {
    home: '/w',
    cwd: CWD,
    realCwd: CWD,
    realpath: (path) => path,
    exists: (path) => {
      lookups++
      return path === '/w' || path === CWD
    },
  }
  assert.equal(resolveLinks(`${'x'.repeat(300)}/y`, disk), `${CWD}/${'x'.repeat(300)}/y`)
  resolveLinks(`${'a/'.repeat(2000)}b`, disk)
  assert.ok(lookups < 8, `${lookups} lookups`)
})

test('in one judgement each name is looked up once, and the next one looks again', () => {
  const asked: string[] = []
  const disk: Platform = {
    home: '/w',
    cwd: CWD,
    realpath(path) {
      asked.push(path)
      return path
    },
  }
  const look = lookOnce(disk)
  for (let n = 0; n < 3; n++) resolveLinks('/w/a', look)
  assert.deepEqual(asked, ['/w/a'])
  resolveLinks('/w/a', lookOnce(disk))
  assert.deepEqual(asked, ['/w/a', '/w/a'])
})

test('a place has no empty, `.` or `..` segment, whatever was written; one that has none stays as it is', () => {
  const segment = fc.constantFrom('a', '.b', '...', 'c.d', '', '.', '..')
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 8 }), fc.boolean(), (segments, isRelative) => {
      const written = `${isRelative ? 'r/' : '/'}${segments.join('/')}`
      const found = toPlace(written, CWD)
      const expected: string[] = isRelative ? [...CWD.split('/').filter(Boolean), 'r'] : []
      for (const one of segments) {
        if (one === '..') expected.pop()
        else if (one !== '' && one !== '.') expected.push(one)
      }
      assert.equal(found, `/${expected.join('/')}`)
      assert.equal(toPlace(found, CWD), found)
    }),
    runs,
  )
})
