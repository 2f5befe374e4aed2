/** Objects in memory, in the place of the SDK; what a step says happens to its first request. */
import { buffer } from 'node:stream/consumers'
import type { S3Driver, StoredObject } from '../../src/sinks/s3-driver.ts'

export type StoredBody = StoredObject

export function openMemory(
  objects: Map<string, StoredBody>,
  fault: { next: 'none' | 'down' | 'lost answer' } = { next: 'none' },
): S3Driver {
  const meet = async <T>(act: () => T | Promise<T>): Promise<T> => {
    const { next } = fault
    fault.next = 'none'
    if (next === 'down') throw new Error('down')
    const done = await act()
    if (next === 'lost answer') throw new Error('the answer is lost')
    return done
  }
  const there = (key: string) => {
    const object = objects.get(key)
    if (object === undefined) throw new Error('nothing lies there')
    return object
  }
  return {
    open: () => ({
      put: (key, { body, metadata }) =>
        meet(async () => {
          if (objects.has(key)) return false
          objects.set(key, { body: body instanceof Uint8Array ? body : await buffer(body.open()), metadata })
          return true
        }),
      get: (key) => meet(() => there(key)),
      async *read(key) {
        yield await meet(() => there(key).body)
      },
      async *list(prefix) {
        yield* await meet(() => [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted())
      },
      close() {},
    }),
  }
}
