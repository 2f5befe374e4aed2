/**
 * Secrets to plant: one for each usual value pattern and each key rule of the recorder's own tables.
 *
 * Put together at run time, so that no scanner takes this file for a leak.
 * @module
 */
import { DEFAULT_KEYS } from '@sworn/recorder'
import { PATTERNS } from '../../../packages/recorder/src/redact/patterns.ts'

const letters = (count: number, salt: string) =>
  Array.from({ length: count }, (_, i) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[(i * 7 + salt.length * 3) % 26]).join('')

/** pattern -> [text with the secret in it, the secret]. */
const SAMPLES: Readonly<Record<string, (id: string) => readonly [string, string]>> = {
  aws_access_key: (id) => whole(`AKIA${letters(16, id)}`),
  aws_secret_key: (id) => inside('aws_secret_access_key = ', letters(40, id), ''),
  github_token: (id) => whole(`ghp_${letters(36, id)}`),
  anthropic_key: (id) => whole(`sk-ant-api03-${letters(30, id)}`),
  openai_key: (id) => whole(`sk-proj-${letters(40, id)}`),
  jwt: (id) => whole(`eyJ${letters(20, id)}.eyJ${letters(20, id)}.${letters(20, id)}`),
  private_key: (id) => inside('-----BEGIN PRIVATE KEY-----\n', letters(64, id), '\n-----END PRIVATE KEY-----'),
  database_url: (id) => inside('postgres://app:', `pw${letters(12, id)}`, '@db.example:5432/app'),
  slack_token: (id) => whole(`xoxb-${letters(24, id)}`),
  slack_webhook: (id) => inside('https://hooks.slack.com/', `services/T0/B0/${letters(24, id)}`, ''),
  stripe_key: (id) => whole(`sk_live_${letters(24, id)}`),
  npm_token: (id) => whole(`npm_${letters(36, id)}`),
  gitlab_token: (id) => whole(`glpat-${letters(20, id)}`),
  sendgrid_key: (id) => whole(`SG.${letters(22, id)}.${letters(43, id)}`),
  google_api_key: (id) => whole(`AIza${letters(35, id)}`),
  bearer: (id) => inside('Bearer ', letters(40, `${id}b`), ''),
  ssn: () => whole('219-09-9999'),
  credit_card: () => whole('4111 1111 1111 1111'),
}

const whole = (secret: string) => [secret, secret] as const
const inside = (before: string, secret: string, after: string) => [before + secret + after, secret] as const

export interface Planted {
  /** The pattern or the key rule. */
  readonly rule: string
  readonly secret: string
  /** As it stands in a text. */
  readonly text: string
  /** As it stands under a key; absent for patterns. */
  readonly key?: string
}

/** @throws Error when a usual pattern of the table has no sample here */
export function plantedByPattern(): Planted[] {
  return PATTERNS.filter((pattern) => pattern.usual !== false).map(({ name }, i) => {
    const sample = SAMPLES[name]
    if (!sample) throw new Error(`no sample for the pattern ${name}`)
    const [text, secret] = sample('x'.repeat(i))
    return { rule: name, text, secret }
  })
}

/** Values that only their key gives away. */
export function plantedByKey(): Planted[] {
  return DEFAULT_KEYS.map((key, i) => {
    const secret = `planted ${letters(14, 'y'.repeat(i))} ${i}`
    return { rule: key, key, text: secret, secret }
  })
}

/** Every way in which `secret` may stand in bytes: raw, JSON, hex, base64 at each alignment. */
export function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const aligned = [0, 1, 2].map((skip) => {
    const whole = bytes.subarray(skip, skip + 3 * Math.floor((bytes.length - skip) / 3))
    return whole.toString('base64')
  })
  const hex = bytes.toString('hex')
  return [secret, JSON.stringify(secret).slice(1, -1), hex, hex.toUpperCase(), encodeURIComponent(secret), ...aligned]
}
