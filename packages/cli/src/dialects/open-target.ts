/**
 * The target of `sworn export` for a dialect's name. Packages that only some exports need are loaded here.
 * @module
 */
import { basename } from 'node:path'
import { type Descriptor, DIALECTS, type DialectOptions } from '@sworn/dialects/formats'
import { SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Io } from '../frame/io.ts'
import { VERSION } from '../frame/version.ts'
import { FILE_FORMATS } from './file-formats.ts'
import { readSigner } from './signer.ts'
import { openFileTarget, openStdoutTarget, type Target } from './target.ts'

export const EXPORT_NAMES: readonly string[] = [...DIALECTS, ...FILE_FORMATS].map(({ name }) => name)

export interface TargetOptions {
  /** One of `EXPORT_NAMES`. */
  readonly name: string
  /** Absolute; stdout when absent. */
  readonly output: string | undefined
  readonly origin: string | undefined
  readonly signKey: string | undefined
  readonly io: Io
}

interface Opened {
  readonly target: Target
  readonly dialect: Descriptor
}

/** @throws SwornError KEY_INVALID when the dialect needs a key that is not there or not of its kind; DRIVER_MISSING; NODE_TOO_OLD */
export async function openTarget({ name, output, origin = 'sworn', signKey, io }: TargetOptions): Promise<Opened> {
  const signer = signKey === undefined ? undefined : readSigner(signKey, io.cwd)
  if (name === 'sahu' && signer === undefined)
    throw new SwornError('KEY_INVALID', 'an Ed25519 private key as PEM was expected: each of these receipts is signed', '--sign-key')
  const options = { primitives: nodePrimitives, version: VERSION, origin, signer }
  const format = FILE_FORMATS.find((one) => one.name === name)
  if (format) return { target: await openFormat(name, output, options), dialect: format }
  const dialect = DIALECTS.find((one) => one.name === name)
  if (!dialect) throw new SwornError('USAGE', 'a dialect was expected', '--dialect')
  if (output !== undefined) return { target: await openFileTarget(output, basename(output), dialect, options), dialect }
  if (dialect.sidecar) io.say('warn', `${name} says a part of each event only; -o FILE writes the rest beside it`)
  return { target: await openStdoutTarget(io.out, dialect, options), dialect }
}

async function openFormat(name: string, output: string | undefined, options: DialectOptions): Promise<Target> {
  if (output === undefined) throw new SwornError('USAGE', `${name} is a file: -o FILE was expected`, '--output')
  if (name === 'aegis-sqlite') return await (await import('./aegis-sqlite.ts')).openAegisTarget(output, basename(output), options)
  const [{ openParquetTarget }, { loadDuckdb }] = await Promise.all([import('./parquet.ts'), import('@sworn/deliver')])
  return openParquetTarget(output, basename(output), await loadDuckdb())
}
