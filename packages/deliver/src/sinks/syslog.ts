/**
 * RFC 5424 messages over UDP, TCP and TLS.
 *
 * Syslog has no acknowledgement: over TCP and TLS a batch is accepted when the kernel has taken it and the connection
 * still stands, over UDP when it was sent. What a receiver loses behind that is lost to this sink.
 * Source: RFC 5424 §6 (message), RFC 5425 (TLS), RFC 5426 (UDP), RFC 6587 §3.4.1 (octet counting).
 * @module
 */

import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Event } from '@sworn/dialects'
import { asText } from '@sworn/verify'
import type { Item, OpenSink, Outcome, Probed, Refusal, Sink } from '../sink.ts'

export interface SyslogOptions {
  readonly protocol: 'udp' | 'tcp' | 'tls'
  readonly host: string
  readonly port: number
  /** Own name in the messages. */
  readonly hostname: string
  /** 0 to 23; 13 is log audit. */
  readonly facility: number
  /** PEM of authorities to trust instead of the usual ones. */
  readonly ca?: string | undefined
  /** Names the enterprise in the structured data: `sworn@<number>`. */
  readonly enterprise: number
}

const TCP_LIMITS = { items: 500, bytes: 1 << 20 }
/** RFC 5426 §3.2 asks for 480 and allows what the network takes; longer ones are cut by some receivers. */
const UDP_LIMITS = { items: 100, bytes: 4 << 20 }
const MAX_DATAGRAM = 65_000
const SEVERITY: Readonly<Record<string, number>> = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 }
const IDLE_MS = 30_000

export function syslogSink(options: SyslogOptions): OpenSink {
  return async () => (options.protocol === 'udp' ? udpSink(options) : streamSink(options))
}

/** One message; the key and the hash are structured data, the body is the text. */
export function formatSyslog({ seq, entryHash, event, body }: Item, options: SyslogOptions): string {
  const time = typeof event.timestamp === 'string' ? event.timestamp : '-'
  const data = `[sworn@${options.enterprise} seq="${seq}" hash="${entryHash}"${sessionOf(event)}]`
  return `${header(event, time, options)} ${data} \ufeff${body}`
}

/** Without the structured data of an entry. */
function formatProbe(options: SyslogOptions): string {
  return `${header({ event_type: 'probe', severity: 'debug' }, '-', options)} - \ufeffsworn doctor: a probe, no event`
}

function header({ event_type, severity }: Event, time: string, { hostname, facility }: SyslogOptions): string {
  const priority = facility * 8 + (SEVERITY[asText(severity)] ?? 6)
  const name = event_type.replace(/[^\x21-\x7e]/g, '_').slice(0, 32)
  return `<${priority}>1 ${time} ${hostname.replace(/[^\x21-\x7e]/g, '_').slice(0, 255) || '-'} sworn ${process.pid} ${name}`
}

/** RFC 5424 §6.3.3: quote, backslash and bracket are escaped. */
function sessionOf({ session_id: session }: Event): string {
  return typeof session === 'string' ? ` session="${session.replace(/["\\\]]/g, '\\$&')}"` : ''
}

function streamSink(options: SyslogOptions): Sink {
  let socket: Socket | undefined
  return {
    limits: TCP_LIMITS,
    async send(items, signal): Promise<Outcome> {
      socket = isUsable(socket) ? socket : await open(options, signal)
      await write(socket, Buffer.concat(items.map((item) => framed(formatSyslog(item, options)))), signal)
      return {}
    },
    async probe(signal): Promise<Probed> {
      socket = isUsable(socket) ? socket : await open(options, signal)
      await write(socket, framed(formatProbe(options)), signal)
      return { shown: `sent over ${options.protocol}; syslog does not answer` }
    },
    async close() {
      socket?.destroySoon()
    },
  }
}

/** RFC 6587 §3.4.1: octet counting. */
function framed(text: string): Buffer {
  const message = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${message.length} `), message])
}

function isUsable(socket: Socket | undefined): socket is Socket {
  return socket?.writable === true && !socket.readableEnded
}

function open({ protocol, host, port, ca }: SyslogOptions, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = protocol === 'tls' ? connectTls({ host, port, ...(ca !== undefined && { ca }) }) : connect({ host, port })
    const stop = () => socket.destroy(Object.assign(new Error('stopped'), { code: 'ETIMEDOUT' }))
    signal.addEventListener('abort', stop, { once: true })
    socket.once('error', reject)
    socket.once(protocol === 'tls' ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', stop)
      socket.off('error', reject)
      socket.on('error', () => socket.destroy()) // the next write says so
      socket.resume() // receivers say nothing; the end of the connection is to be seen
      socket.setKeepAlive(true, IDLE_MS)
      socket.unref()
      resolve(socket)
    })
  })
}

/** Resolves when the kernel has all of it. */
function write(socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' }))
    const stop = () => socket.destroy()
    socket.once('close', fail)
    signal.addEventListener('abort', stop, { once: true })
    socket.write(bytes, (e) => {
      socket.off('close', fail)
      signal.removeEventListener('abort', stop)
      if (e) reject(e)
      else resolve()
    })
  })
}

function udpSink(options: SyslogOptions): Sink {
  const socket = createSocket(options.host.includes(':') ? 'udp6' : 'udp4')
  socket.on('error', () => {}) // told to the send that is under way
  socket.unref()
  const sendDatagram = (message: Buffer) =>
    new Promise<void>((resolve, reject) => socket.send(message, options.port, options.host, (e) => (e ? reject(e) : resolve())))
  return {
    limits: UDP_LIMITS,
    async send(items): Promise<Outcome> {
      const refused: Refusal[] = []
      for (const [index, item] of items.entries()) {
        const message = Buffer.from(formatSyslog(item, options))
        if (message.length > MAX_DATAGRAM) refused.push({ index, reason: `longer than a datagram of ${MAX_DATAGRAM} bytes` })
        else await sendDatagram(message)
      }
      return { refused }
    },
    async probe(): Promise<Probed> {
      await sendDatagram(Buffer.from(formatProbe(options)))
      return { shown: 'sent over udp; whether it arrived cannot be known' }
    },
    async close() {
      socket.close()
    },
  }
}
