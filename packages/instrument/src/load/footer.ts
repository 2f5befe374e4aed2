/**
 * A line at the end of a file of an SDK, by which the file hands over what it declares when it is evaluated.
 *
 * Pure text. The line does nothing but push to a list on `globalThis`; whoever instruments reads the list and hears of
 * what comes later (`arrivals.ts`). It needs no parser, and a name that is not there is undefined. A function that is
 * declared at the top of a file can be bound again: importers see it, because bindings of modules are live.
 * Source: spec capture §6, T2.
 * @module
 */

/** What one kind of file of a package hands over. */
export interface LoadedFile {
  /** The file's path inside its package, with slashes. */
  readonly file: RegExp
  /** Declared at the top of the file. */
  readonly names: readonly string[]
  /** Of the names, the functions that are bound again. */
  readonly rebind?: readonly string[]
}

/** The copy that a file belongs to. */
export interface Copy {
  readonly pkg: string
  readonly version?: string
  readonly path: string
  readonly format: 'esm' | 'cjs' | 'bundled'
}

/** `Symbol.for` this, on `globalThis`. */
export const ARRIVALS = 'sworn.instrument.arrivals'

export function footerOf(copy: Copy, { names, rebind = [] }: LoadedFile): string {
  const members = [
    ...names.map((name) => `get ${name}(){return typeof ${name}==="undefined"?void 0:${name}}`),
    ...rebind.map((name) => `set ${name}(to){${name}=to}`),
  ]
  const { pkg, version, path, format } = copy
  const said = Object.entries({ pkg, version, path, format }).filter(([, value]) => value !== undefined)
  const found = [...said.map(([name, value]) => `${name}:${JSON.stringify(value)}`), `module:{${members.join(',')}}`]
  return `\n;(globalThis[Symbol.for(${JSON.stringify(ARRIVALS)})]??=[]).push({${found.join(',')}});\n`
}
