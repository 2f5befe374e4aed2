/** Packages of `testkit/peers`, which are installed apart from the workspace. @module */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const urlOf = (name: string) => new URL(`../peers/${name}/`, import.meta.url)

/** Where an application that uses it would stand. */
export const peerFolder = (name: string): string => fileURLToPath(urlOf(name))

/** For `skip`: how to install it, false where it is. */
export function missing(name: string): string | false {
  return !existsSync(`${peerFolder(name)}node_modules`) && `NOT RUN: npm ci --ignore-scripts --prefix testkit/peers/${name}`
}

/** What `packages.mjs` there hands out; the caller says what it is. */
export async function loadPeer<T>(name: string): Promise<T> {
  return import(new URL('packages.mjs', urlOf(name)).href)
}
