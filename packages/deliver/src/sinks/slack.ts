/**
 * Slack and what speaks its incoming webhooks: alerts for people, several in one message, one message a second.
 *
 * Values of events can neither mention anybody nor make links: `&`, `<` and `>` are escaped, nothing is parsed besides
 * the template's own markup, and `@channel` is broken up for receivers that read it in plain text. There are no ids: a
 * repeat after a lost answer is seen twice. Source: Slack, "Sending messages using incoming webhooks", "Formatting text
 * for app surfaces" (section text 3,000 characters, message text 40,000), "Rate limits" (one a second).
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { createSender, type HttpOptions, parseUrl } from '../http.ts'
import { type Answer, judgeStatus, wrongAnswer } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { cut, type Template } from './template.ts'

/** `url` is a secret: whoever has it may post. */
export interface SlackOptions extends HttpOptions {
  readonly subject: Template
  readonly body: Template
  /** Milliseconds from one message to the next. */
  readonly paceMs: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const LIMITS = { items: 10, bytes: 1 << 20 }
const MAX_SECTION = 3000
const MAX_MESSAGE = 40_000
const HEADERS = { 'content-type': 'application/json' }
/** What a webhook that exists says to a message without text. */
const NO_TEXT = /^(no_text|missing_text_or_fallback_or_attachments|invalid_payload)/

/** @throws SwornError CONFIG_INVALID for a URL that is none; it is not repeated */
export function slackSink(options: SlackOptions): OpenSink {
  parseUrl(options.url)
  const { paceMs, now } = options
  return async () => {
    const sender = createSender(options)
    let free = 0
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        try {
          await wait(Math.max(0, free - performance.now()), undefined, { signal, ref: false })
          const answer = await sender.post(JSON.stringify(toMessage(items, options)), HEADERS, signal)
          free = performance.now() + paceMs
          return judgeStatus(items, answer, now()) ?? believeOk(items, answer)
        } catch (e) {
          return allAgain(items, reasonOf(e))
        }
      },
      async probe(signal): Promise<Probed> {
        const answer = await sender.post('{"text":""}', HEADERS, signal)
        const isThere = answer.status === 200 || (answer.status === 400 && NO_TEXT.test(answer.text))
        return isThere ? { shown: 'the webhook is there; nothing was posted' } : wrongAnswer(answer)
      },
      close: async () => sender.close(),
    }
  }
}

function believeOk(items: readonly Item[], { status, text }: Answer): Outcome {
  return text.trim() === 'ok' ? {} : allAgain(items, `HTTP ${status} without ok`)
}

function toMessage(items: readonly Item[], { subject, body }: SlackOptions): object {
  const texts = items.map((item) => `*${subject(item, escapeSlack)}*\n${body(item, escapeSlack)}`)
  return {
    text: cutEscaped(texts.join('\n\n'), MAX_MESSAGE), // for notifications, and receivers without blocks
    blocks: texts.map((text) => ({ type: 'section', text: { type: 'mrkdwn', text: cutEscaped(text, MAX_SECTION), verbatim: true } })),
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escapeSlack(value: string): string {
  return value.replace(/[&<>]/g, (char) => ENTITIES[char]!).replace(/@(?=channel|here|everyone)/gi, '@\u2060') // a word joiner
}

/** Without a part of an entity at the end. */
function cutEscaped(text: string, max: number): string {
  return cut(text, max).replace(/&[a-z]{0,3}…$/, '…')
}
