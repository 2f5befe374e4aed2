/**
 * The part of `nodemailer` that is used, written out; it is installed beside sworn by whoever needs it.
 * @module
 */
import { loadDriver } from './driver.ts'

export interface MailServer {
  readonly host: string
  readonly port: number
  /** `starttls` and `tls` send nothing before the connection is encrypted and its certificate holds. */
  readonly tls: 'starttls' | 'tls' | 'none'
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** PEM of authorities to trust instead of the usual ones. */
  readonly ca?: string | undefined
}

export interface Mail {
  /** Addresses alone, without names. */
  readonly from: string
  readonly to: readonly string[]
  /** One line. */
  readonly subject: string
  readonly text: string
  /** With angle brackets. */
  readonly messageId: string
}

export interface Mailer {
  /** Rejects when no recipient was accepted. */
  send(mail: Mail): Promise<{ readonly accepted: number; readonly rejected: number }>
  /** Connects, encrypts and signs in; sends nothing. */
  verify(): Promise<unknown>
}

export interface MailDriver {
  createMailer(server: MailServer): Mailer
}

interface Nodemailer {
  createTransport(options: object): {
    sendMail(mail: object): Promise<{ accepted: unknown[]; rejected: unknown[] }>
    verify(): Promise<unknown>
  }
}

const TIMEOUT_MS = 10_000

/** @throws SwornError DRIVER_MISSING */
export async function loadNodemailer(): Promise<MailDriver> {
  const { createTransport } = await loadDriver<Nodemailer>('nodemailer', 'nodemailer')
  return {
    createMailer(server) {
      const transport = createTransport(toTransport(server))
      return {
        async send({ from, to, subject, text, messageId }) {
          const { accepted, rejected } = await transport.sendMail({
            from: { name: '', address: from },
            to: to.map((address) => ({ name: '', address })),
            subject,
            text,
            messageId,
            headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: nobody's absence notice comes back
          })
          return { accepted: accepted.length, rejected: rejected.length }
        },
        verify: () => transport.verify(),
      }
    },
  }
}

function toTransport({ host, port, tls, username, password, ca }: MailServer): object {
  return {
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    ...(username !== undefined && { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
