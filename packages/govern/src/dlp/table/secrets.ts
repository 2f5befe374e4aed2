/**
 * Secrets that neither the recorder's table nor secretlint's preset knows. Formats: the vendors' public documentation.
 *
 * Every expression begins at a token's edge with a literal and is linear on V8; a test times each on hostile text.
 * @module
 */
import { followedBy, type Pattern } from '@sworn/recorder'

const before = (set: RegExp, count: number, ...all: string[]) => all.map((text) => ({ text, near: followedBy(set, count) }))
const NAME = /[\w-]/
const ALNUM = /[A-Za-z0-9]/

export const SECRETS: readonly Pattern[] = [
  {
    name: 'aws_secret_key', // secretlint asks for a letter or digit at the end
    expression: /secret[_ .-]?access[_ .-]?key["']?\s{0,4}(?:=>|[:=])\s{0,4}["']?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    literals: [{ text: 'secret', anyCase: true, near: (text, _start, end) => /^[_ .-]?access/i.test(text.slice(end, end + 8)) }],
    check: (value) => !/^[0-9a-f]{40}$/.test(value),
  },
  { name: 'google_oauth', expression: /(?<![\w-])(?:GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,})/g, literals: before(NAME, 20, 'GOCSPX-', 'ya29.') },
  {
    name: 'azure_key',
    expression: /(?<![A-Za-z])(?:AccountKey|SharedAccessKey|SharedAccessSignature)=(?<secret>[^\s;"'<>]{16,})/g,
    literals: [{ text: 'AccountKey=' }, { text: 'SharedAccessKey=' }, { text: 'SharedAccessSignature=' }],
  },
  { name: 'pypi_token', expression: /(?<![\w-])pypi-AgE[\w-]{40,}/g, literals: before(NAME, 40, 'pypi-AgE') },
  {
    name: 'digitalocean_token',
    expression: /(?<!\w)do[opr]_v1_[a-f0-9]{64}(?!\w)/g,
    literals: before(/[a-f0-9]/, 64, 'dop_v1_', 'doo_v1_', 'dor_v1_'),
  },
  { name: 'atlassian_token', expression: /(?<![\w-])AT[AC]TT3x[\w=-]{40,}/g, literals: before(/[\w=-]/, 40, 'ATATT3x', 'ATCTT3x') },
  { name: 'age_key', expression: /(?<!\w)AGE-SECRET-KEY-1[A-Z0-9]{58}(?!\w)/g, literals: before(/[A-Z0-9]/, 58, 'AGE-SECRET-KEY-1') },
  {
    name: 'doppler_token',
    expression: /(?<![\w.])dp\.(?:pt|st|sa|ct|scim|audit)\.[\w.]{40,}/g,
    literals: [{ text: 'dp.', near: followedBy(/[\w.]/, 43) }],
  },
  { name: 'sentry_token', expression: /(?<!\w)sntry[su]_[\w+/=-]{40,}/g, literals: before(/[\w+/=-]/, 40, 'sntrys_', 'sntryu_') },
  { name: 'newrelic_key', expression: /(?<!\w)NRAK-[A-Z0-9]{27}(?!\w)/g, literals: before(/[A-Z0-9]/, 27, 'NRAK-') },
  {
    name: 'planetscale_token',
    expression: /(?<!\w)pscale_(?:tkn|pw|oauth)_[\w.-]{32,}/g,
    literals: [{ text: 'pscale_', near: followedBy(/[\w.-]/, 35) }],
  },
  {
    name: 'twilio_key',
    expression: /(?<!\w)SK[0-9a-f]{32}(?!\w)/g,
    literals: Array.from('0123456789abcdef', (digit) => ({ text: `SK${digit}`, near: followedBy(/[0-9a-f]/, 31) })),
  },
  {
    name: 'telegram_token',
    expression: /(?<![\w:])\d{8,10}:AA[\w-]{33}(?![\w-])/g,
    literals: [{ text: ':AA', near: followedBy(NAME, 33) }],
  },
  {
    name: 'discord_webhook',
    expression: /discord(?:app)?\.com\/api\/webhooks\/(?<secret>\d{10,20}\/[\w-]{40,})/g,
    literals: [{ text: '/api/webhooks/', near: followedBy(ALNUM, 10) }],
  },
]
