/**
 * Mail over SMTP: the entries of a batch in one, text only.
 *
 * Encrypted unless the configuration says otherwise: without STARTTLS or with a certificate that does not hold nothing is
 * said, least of all the password. Nothing of an event gets into a header but the subject, one line and encoded. The
 * Message-ID is made of the keys of the batch, so that a repeat can be told. Source: RFC 5321 §4.2 (4yz again, 5yz
 * never), RFC 5322 §3.6.4 (Message-ID), RFC 3207 (STARTTLS), RFC 3834.
 * @module
 */
import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { loadNodemailer, type Mail, type MailDriver, type MailServer } from './email-driver.ts'
import { cut, type Template } from './template.ts'

export interface EmailOptions {
  readonly server: MailServer
  readonly from: string
  readonly to: readonly string[]
  readonly subject: Template
  readonly body: Template
  /** The ledger's. */
  readonly origin: string
  /** Default: the package next to sworn. */
  readonly driver?: () => Promise<MailDriver>
}

const LIMITS = { items: 50, bytes: 1 << 20 }
const MAX_SUBJECT = 200
const MAX_BODY = 10_000
const BETWEEN = `\n\n${'-'.repeat(20)}\n\n`

export function emailSink({ driver = loadNodemailer, server, ...options }: EmailOptions): OpenSink {
  return async () => {
    const mailer = (await driver()).createMailer(server)
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        const mail = toMail(items, options)
        try {
          const { accepted, rejected } = await unlessAborted(mailer.send(mail), signal)
          return { id: rejected === 0 ? mail.messageId : `${mail.messageId} ${accepted} of ${accepted + rejected} recipients` }
        } catch (e) {
          return judge(items, e)
        }
      },
      async probe(signal): Promise<Probed> {
        try {
          await unlessAborted(mailer.verify(), signal)
          return {
            shown: `connected${server.tls === 'none' ? '' : ', encrypted'}${server.username ? ', signed in' : ''}; nothing was sent`,
          }
        } catch (e) {
          const { code, reply } = fieldsOf(e)
          if (reply === undefined) throw Object.assign(new Error('the server was not reached'), { code })
          return { wrong: `SMTP ${reply}: ${code === 'EAUTH' ? 'user or password is not accepted' : code}` }
        }
      },
      close: async () => {}, // a connection lasts as long as its mail
    }
  }
}

/** A mail that is under way cannot be called back: it may arrive twice, under one Message-ID. */
function unlessAborted<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(Object.assign(new Error('stopped'), { code: 'ETIMEDOUT' }))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  return Promise.race([sending, stopped])
}

/** 53x is about signing in, which the operator mends. What is said to the recipients holds for every entry, what is said to the text may be about one. */
function judge(items: readonly Item[], e: unknown): Outcome {
  const { code, reply } = fieldsOf(e)
  if (reply === undefined) return allAgain(items, code)
  const reason = `SMTP ${reply}`
  if (!/^5[^3]/.test(reply)) return allAgain(items, reason)
  if (code === 'EENVELOPE') return { refused: items.map((_, index) => ({ index, reason })) }
  return code === 'EMESSAGE' ? { whole: reason } : allAgain(items, reason)
}

/** The text of a reply could hold what was sent. */
function fieldsOf(e: unknown): { code: string; reply: string | undefined } {
  const reply = e instanceof Error && 'responseCode' in e && typeof e.responseCode === 'number' ? String(e.responseCode) : undefined
  const code = e instanceof Error && 'originalCode' in e && typeof e.originalCode === 'string' ? e.originalCode : reasonOf(e) // ESOCKET says less
  return { code, reply }
}

function toMail(items: readonly Item[], { from, to, subject, body, origin }: Omit<EmailOptions, 'server'>): Mail {
  const [first, rest] = [items[0]!, items.length - 1]
  const about = cut(subject(first).replace(/\s+/g, ' ').trim() || first.event.event_type, MAX_SUBJECT)
  return {
    from,
    to,
    subject: rest === 0 ? about : `${about} (and ${rest} more)`,
    text: `${items.map((item) => cut(body(item), MAX_BODY)).join(BETWEEN)}\n`,
    messageId: messageIdOf(items, origin, from),
  }
}

/** The same entries in the same batch have the same id. */
function messageIdOf(items: readonly Item[], origin: string, from: string): string {
  const [first, last] = [items[0]!.seq, items.at(-1)!.seq]
  const key = items.length === 1 ? `${origin}/${first}` : `${origin}/${first}-${last}/${items.length}`
  return `<${key.replace(/[^\w!#$%&'*+/=?^`{|}~-]+/g, '.').replace(/^\.|\.$/g, '')}@${from.slice(from.lastIndexOf('@') + 1)}>`
}
