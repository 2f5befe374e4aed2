/**
 * `esbuild({ plugins: [instrumented()] })`: SDKs inside a bundle say that they are there.
 *
 * A bundle has no packages that anybody could find; the footers are what hands the SDKs in it over to `instrument()`,
 * or to `sworn/register`, whenever that runs. Nothing is recorded by the plugin itself.
 * @module
 */
import { readFileSync } from 'node:fs'
import { ADAPTERS } from '../table.ts'
import { createFooters, placeOf } from './copies.ts'

/** The part of esbuild's plugin interface that is used. */
export interface EsbuildPlugin {
  readonly name: string
  setup(build: {
    onLoad(
      options: { readonly filter: RegExp; readonly namespace: string },
      load: (file: { readonly path: string }) => { readonly contents: string; readonly loader: 'js' } | undefined,
    ): void
  }): void
}

export function instrumented(): EsbuildPlugin {
  return {
    name: 'sworn',
    setup(build) {
      const footerFor = createFooters(ADAPTERS.flatMap(({ targets }) => targets))
      build.onLoad({ filter: /[\\/]node_modules[\\/].*\.[mc]?js$/, namespace: 'file' }, ({ path }) => {
        const footer = footerFor(path, { format: 'bundled', named: placeOf(path) })
        return footer === undefined ? undefined : { contents: readFileSync(path, 'utf8') + footer, loader: 'js' }
      })
    },
  }
}
