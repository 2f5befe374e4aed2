/**
 * The part of `@aws-sdk/client-s3` that is used, written out; it is installed beside sworn by whoever needs it.
 * @module
 */
import { hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type AwsClient, type AwsOptions, clientOptions, statusOf } from './aws.ts'
import { loadDriver } from './driver.ts'

/** Kept from change and removal until then. */
export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE'
  readonly until: Date
}

export interface Encryption {
  readonly kind: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  readonly keyId?: string | undefined
}

/** What is read while it is sent, each time anew. */
export interface StreamBody {
  readonly bytes: number
  /** SHA-256 of them, base64. */
  readonly sum: string
  open(): Readable
}

export interface NewObject {
  readonly body: Uint8Array | StreamBody
  readonly mediaType: string
  readonly metadata: Readonly<Record<string, string>>
  readonly retention?: Retention | undefined
  readonly encryption?: Encryption | undefined
}

export interface StoredObject {
  readonly body: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
}

/** The objects of one bucket. */
export interface ObjectStore {
  /** False when an object lies there already: nothing is replaced. */
  put(key: string, object: NewObject, signal: AbortSignal): Promise<boolean>
  /** Rejects for one of more than 16 MiB. */
  get(key: string, signal: AbortSignal): Promise<StoredObject>
  /** Its bytes, however many. */
  read(key: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** The keys with a prefix, in their order. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<string>
  close(): void
}

export interface S3Driver {
  open(bucket: string, options: AwsOptions): ObjectStore
}

type Command = new (input: object) => object
interface Module {
  readonly S3Client: new (options: object) => AwsClient
  readonly PutObjectCommand: Command
  readonly GetObjectCommand: Command
  readonly ListObjectsV2Command: Command
}
interface Put {
  readonly ETag?: string
  readonly ChecksumSHA256?: string
}
interface Got {
  readonly Body: AsyncIterable<Uint8Array>
  readonly Metadata?: Record<string, string>
}

interface Listed {
  readonly Contents?: readonly { readonly Key?: string }[]
  readonly NextContinuationToken?: string
}

const MAX_BYTES = 16 << 20
const TAKEN = 412
const PACKAGE = '@aws-sdk/client-s3'

/** @throws SwornError DRIVER_MISSING */
export async function loadS3(): Promise<S3Driver> {
  const { S3Client, PutObjectCommand, GetObjectCommand, ListObjectsV2Command } = await loadDriver<Module>(PACKAGE, PACKAGE)
  return {
    open(Bucket, options) {
      const client = new S3Client({ ...clientOptions(options), forcePathStyle: options.endpoint !== undefined })
      const ask = async (Key: string, abortSignal: AbortSignal) =>
        (await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal })) as Got
      return {
        async put(Key, object, abortSignal) {
          const { Body, ContentLength, sum } = toBody(object.body)
          const command = new PutObjectCommand({
            ...{ Bucket, Key, Body, ContentLength, IfNoneMatch: '*', ChecksumSHA256: sum },
            ...toInput(object),
          })
          try {
            checkTaken((await client.send(command, { abortSignal })) as Put, sum)
            return true
          } catch (e) {
            if (statusOf(e) === TAKEN) return false
            throw e
          } finally {
            if ('destroy' in Body) Body.destroy()
          }
        },
        get: async (Key, abortSignal) => await readWhole(await ask(Key, abortSignal)),
        async *read(Key, abortSignal) {
          yield* (await ask(Key, abortSignal)).Body
        },
        async *list(Prefix, abortSignal) {
          let ContinuationToken: string | undefined
          do {
            const command = new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken })
            const page = (await client.send(command, { abortSignal })) as Listed
            for (const { Key = '' } of page.Contents ?? []) yield Key
            ContinuationToken = page.NextContinuationToken
          } while (ContinuationToken !== undefined)
        },
        close: () => client.destroy(),
      }
    },
  }
}

function toBody(body: NewObject['body']): { Body: Uint8Array | Readable; ContentLength: number; sum: string } {
  if (body instanceof Uint8Array) return { Body: body, ContentLength: body.length, sum: hash('sha256', body, 'base64') }
  return { Body: body.open(), ContentLength: body.bytes, sum: body.sum }
}

function toInput({ mediaType, metadata, retention, encryption }: NewObject): object {
  return {
    ContentType: mediaType,
    Metadata: metadata,
    ...(retention && { ObjectLockMode: retention.mode, ObjectLockRetainUntilDate: retention.until }),
    ...(encryption && { ServerSideEncryption: encryption.kind }),
    ...(encryption?.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
  }
}

/** A 200 that names no object is none of S3's, or an error in disguise. */
function checkTaken({ ETag, ChecksumSHA256 }: Put, sum: string): void {
  if (ETag === undefined) throw failure('an answer without an ETag')
  if (ChecksumSHA256 !== undefined && ChecksumSHA256 !== sum) throw failure('an answer with another checksum')
}

async function readWhole({ Body, Metadata = {} }: Got): Promise<StoredObject> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of Body) {
    size += chunk.length
    if (size > MAX_BYTES) throw failure('an object of more than 16 MiB') // leaving the loop ends the connection
    chunks.push(chunk)
  }
  return { body: Buffer.concat(chunks), metadata: Metadata }
}

/** Says why in its code, as the errors of the system do. */
export function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
