/**
 * Loopback servers that speak to the clients of AWS: S3's conditional writes and CloudWatch's PutLogEvents. Each request
 * must carry a signature that this file computes for itself, from the text of Signature Version 4.
 */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { type HttpPeer, openHttpPeer, type Posted } from './http-peer.ts'

export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
export const REGION = 'eu-central-1'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** Of a body that was not read before it was sent: the checksum beside it is signed in its place. */
const STREAMED = 'UNSIGNED-PAYLOAD'

/** Source: AWS, "Create a signed AWS API request". */
export function assertSigned({ method, path, headers, body }: Posted, service: string): void {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    )
  assert.ok(match, 'no signature')
  const [, id, day = '', region = '', named, signed = '', signature] = match
  assert.deepEqual([id, region, named], [CREDENTIALS.accessKeyId, REGION, service])
  const [uri = '', query = ''] = path.split('?')
  const payload = headers['x-amz-content-sha256'] ?? sha256(body)
  if (payload !== STREAMED || headers['x-amz-checksum-sha256'] === undefined)
    assert.equal(payload, sha256(body), 'another payload was signed')
  const fields = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`)
  const canonical = [method, uri, query.split('&').toSorted().join('&'), fields.join(''), signed, payload].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${CREDENTIALS.secretAccessKey}`)
  assert.equal(signature, hmac(key, text).toString('hex'), 'another signature')
}

export interface Stored {
  readonly body: string
  readonly headers: Posted['headers']
}

export interface S3Peer extends HttpPeer {
  /** key -> what lies there; in the order of its making. */
  readonly objects: Map<string, Stored>
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Record<string, string>
}

const error = (status: number, code: string): Answer => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`,
  headers: { 'content-type': 'application/xml' },
})

/** One bucket, `audit`, addressed by path. @param answer in the place of what it would do */
export async function openS3Peer(answer: (posted: Posted) => Answer | undefined = () => undefined): Promise<S3Peer> {
  const objects = new Map<string, Stored>()
  const peer = await openHttpPeer({
    lie: '<?xml version="1.0"?><Error><Code>InternalError</Code></Error>',
    accept(posted) {
      assertSigned(posted, 's3')
      return answer(posted) ?? store(objects, posted)
    },
  })
  return { ...peer, objects }
}

function store(objects: Map<string, Stored>, { method, path, headers, body }: Posted): Answer {
  if (method === 'GET' && path.includes('list-type=2')) return list(objects, new URL(path, 'http://s3').searchParams)
  const match = /^\/audit\/([^?]+)/.exec(path)
  if (!match) return error(404, 'NoSuchBucket')
  const key = decodeURIComponent(match[1]!)
  const there = objects.get(key)
  if (method === 'GET') return there ? toAnswer(there) : error(404, 'NoSuchKey')
  const sum = createHash('sha256').update(body).digest('base64')
  if (headers['x-amz-checksum-sha256'] !== sum) return error(400, 'BadDigest')
  if (there && headers['if-none-match'] === '*') return error(412, 'PreconditionFailed')
  objects.set(key, { body, headers })
  return { status: 200, body: '', headers: { etag: '"e"', 'x-amz-checksum-sha256': sum } }
}

/** Two keys a page. */
function list(objects: S3Peer['objects'], query: URLSearchParams): Answer {
  const from = Number(query.get('continuation-token') ?? 0)
  const keys = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).toSorted()
  const page = keys.slice(from, from + 2).map((key) => `<Contents><Key>${key}</Key></Contents>`)
  const isCut = from + 2 < keys.length
  const next = isCut ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : ''
  const body = `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isCut}</IsTruncated>${page.join('')}${next}</ListBucketResult>`
  return { status: 200, body, headers: { 'content-type': 'application/xml' } }
}

function toAnswer({ body, headers }: Stored) {
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
  return { status: 200, body, headers: Object.fromEntries(metadata) as Record<string, string> } // a header that is no list
}

export interface LogsPeer extends HttpPeer {
  /** stream -> messages, as they came. */
  readonly streams: Map<string, string[]>
}

interface PutLogEvents {
  readonly logGroupName: string
  readonly logStreamName: string
  readonly logEvents: { timestamp: number; message: string }[]
}

const DAY_MS = 86_400_000

/** The group `/sworn/audit`; refuses as the service documents. @param now of its clock; absent: no event is too old or too new */
export async function openLogsPeer(now?: number): Promise<LogsPeer> {
  const streams = new Map<string, string[]>()
  const answer = (status: number, body: object) => ({
    status,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': '00000000-0000-4000-8000-000000000000' },
  })
  const refuse = (type: string) => answer(400, { __type: type, message: 'm' })
  const peer = await openHttpPeer({
    accept(posted) {
      assertSigned(posted, 'logs')
      const request: PutLogEvents = JSON.parse(posted.body)
      if (request.logGroupName !== '/sworn/audit') return refuse('ResourceNotFoundException')
      if (posted.headers['x-amz-target'] === 'Logs_20140328.CreateLogStream') {
        if (streams.has(request.logStreamName)) return refuse('ResourceAlreadyExistsException')
        streams.set(request.logStreamName, [])
        return answer(200, {})
      }
      const stream = streams.get(request.logStreamName)
      if (!stream) return refuse('ResourceNotFoundException')
      if (!isTaken(request.logEvents)) return refuse('InvalidParameterException')
      const { kept, rejected } = judge(request.logEvents, now)
      stream.push(...kept)
      return answer(200, { nextSequenceToken: '1', ...(rejected && { rejectedLogEventsInfo: rejected }) })
    },
  })
  return { ...peer, streams }
}

/** The limits of a request, as documented. */
export function isTaken(events: PutLogEvents['logEvents']): boolean {
  const bytes = events.map(({ message }) => Buffer.byteLength(message) + 26)
  const times = events.map(({ timestamp }) => timestamp)
  const isChronological = times.every((time, i) => i === 0 || times[i - 1]! <= time)
  const sum = bytes.reduce((total, size) => total + size, 0)
  return events.length > 0 && events.length <= 10_000 && sum <= 1_048_576 && isChronological && times.at(-1)! - times[0]! < DAY_MS
}

function judge(events: PutLogEvents['logEvents'], now: number | undefined) {
  const old = now === undefined ? 0 : events.filter(({ timestamp }) => timestamp < now - 14 * DAY_MS).length
  const late = now === undefined ? events.length : events.filter(({ timestamp }) => timestamp <= now + 2 * 3_600_000).length
  const kept = events.slice(old, late).map(({ message }) => message)
  const isWhole = kept.length === events.length
  const rejected = {
    ...(old > 0 && { tooOldLogEventEndIndex: old }),
    ...(late < events.length && { tooNewLogEventStartIndex: late }),
  }
  return { kept, rejected: isWhole ? undefined : rejected }
}
