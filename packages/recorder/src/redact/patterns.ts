/**
 * The table of value patterns: what a secret looks like, and the literals without which it cannot occur.
 *
 * Every expression is linear on V8: it begins at a token's edge (a look-behind over the class it repeats), so no
 * character is visited by two attempts, and nothing unbounded stands beside its own class. A test times each on
 * hostile text. `card` also passes Luhn's check.
 * @module
 */

import type { Literal } from './literals.ts'
import { followedBy, followedWithin, hasUserInfo, looksLikeCard, looksLikeSsn, standsAlone } from './near.ts'

export interface Pattern {
  readonly name: string
  /** Global; when it has a group `secret`, only that group is masked. */
  readonly expression: RegExp
  /** At least one occurs wherever the pattern matches; none: every text is tried. */
  readonly literals: readonly Omit<Literal, 'owner'>[]
  readonly check?: (match: string) => boolean
  /** false: only when named in the options. */
  readonly usual?: boolean
}

/** Literals with at least `count` characters of `set` behind each. */
const before = (set: RegExp, count: number, ...all: string[]) => all.map((text) => ({ text, near: followedBy(set, count) }))
const ALNUM = /[A-Za-z0-9]/
const NAME = /[\w-]/

export const PATTERNS: readonly Pattern[] = [
  {
    name: 'aws_access_key',
    expression: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
    literals: before(/[A-Z2-7]/, 16, 'AKIA', 'ASIA', 'ABIA', 'ACCA'),
  },
  {
    name: 'aws_secret_key',
    expression: /aws[_ .-]?(?:secret|sk)[\w .-]{0,30}["']?\s{0,4}[:=]\s{0,4}["']?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])/gi,
    literals: [{ text: 'aws', anyCase: true, near: (text, _start, end) => /^[_ .-]?(?:secret|sk)/i.test(text.slice(end, end + 8)) }],
  },
  {
    name: 'github_token',
    expression: /(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})/g,
    literals: [...before(ALNUM, 30, 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'), ...before(/\w/, 22, 'github_pat_')],
  },
  { name: 'anthropic_key', expression: /(?<![\w-])sk-ant-[\w-]{20,}/g, literals: before(NAME, 20, 'sk-ant-') },
  {
    name: 'openai_key',
    expression: /(?<![\w-])sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,}|[A-Za-z0-9]{40,})/g,
    literals: before(NAME, 20, 'sk-'),
  },
  { name: 'jwt', expression: /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*(?:\.[\w-]+){0,2}/g, literals: before(NAME, 8, 'eyJ') },
  {
    name: 'private_key',
    expression: /-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END [A-Z ]{1,40}-----|[\s\S]*$)/g,
    literals: [{ text: '-----BEGIN ', near: followedWithin('PRIVATE KEY', 64) }],
  },
  {
    name: 'database_url',
    expression: /(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/[^\s:/@"'<>]*:(?<secret>[^\s/@"'<>]+)@/g,
    literals: [{ text: '://', near: hasUserInfo }],
  },
  {
    name: 'slack_token',
    expression: /(?<![\w-])xox[a-eoprs]-[\w%-]{10,}/g,
    literals: before(/[\w%-]/, 10, 'xoxa-', 'xoxb-', 'xoxc-', 'xoxd-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-'),
  },
  {
    name: 'slack_webhook',
    expression: /hooks\.slack\.com\/(?<secret>(?:services|workflows)\/[\w/-]{10,})/g,
    literals: [{ text: 'hooks.slack.com/' }],
  },
  {
    name: 'stripe_key',
    expression: /(?<![A-Za-z0-9_])(?:[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,})/g,
    literals: before(ALNUM, 10, 'sk_live_', 'rk_live_', 'sk_test_', 'rk_test_', 'whsec_'),
  },
  { name: 'npm_token', expression: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{30,}/g, literals: before(ALNUM, 30, 'npm_') },
  { name: 'gitlab_token', expression: /(?<![\w-])glpat-[\w-]{20,}/g, literals: before(NAME, 20, 'glpat-') },
  { name: 'sendgrid_key', expression: /(?<![\w-])SG\.[\w-]{16,}\.[\w-]{16,}/g, literals: before(NAME, 16, 'SG.') },
  { name: 'google_api_key', expression: /(?<![\w-])AIza[\w-]{35}(?![A-Za-z0-9-])/g, literals: before(NAME, 35, 'AIza') },
  {
    name: 'bearer',
    expression: /(?<![A-Za-z0-9])Bearer[ \t]{1,8}(?<secret>[\w.~+/-]{16,}=*)/gi, // a word, or YOUR_TOKEN_HERE, is none; no word is that long
    literals: [
      { text: 'bearer', anyCase: true, near: (text, _start, end) => text[end] === ' ' || text[end] === '\t' || text[end] === '\\' },
    ],
    check: (value) => value.length >= 32 || /\d/.test(value) || (/[a-z]/.test(value) && /[A-Z]/.test(value.slice(1))),
  },
  {
    name: 'ssn',
    expression: /(?<!\d)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?!\d)/g,
    literals: [{ text: '#-#', digits: true, near: looksLikeSsn }],
  },
  {
    name: 'credit_card',
    // not inside hex ids or names; the n of an escaped \n may stand before it
    expression: /(?<!(?<!\\)\w)[2-6](?:\d{12,18}|\d{3}[ -]\d{4}[ -]\d{4}[ -]\d{4}|\d{3}[ -]\d{6}[ -]\d{5})(?!\w)/g,
    literals: [
      { text: '#'.repeat(13), digits: true, near: standsAlone },
      { text: '# #', digits: true, near: looksLikeCard },
      { text: '#-#', digits: true, near: looksLikeCard },
    ],
    check: passesLuhn,
  },
  {
    name: 'email',
    expression: /(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/g,
    literals: [],
    usual: false,
  },
  {
    name: 'phone',
    expression: /(?<![\w+])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})[ .-]\d{3,4}[ .-]?\d{3,4}(?!\w)/g,
    literals: [],
    usual: false,
  },
  {
    name: 'ipv4',
    expression: /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])/g,
    literals: [],
    usual: false,
  },
]

/** Luhn's check over the digits of `text`. Source: ISO/IEC 7812-1 annex B. */
export function passesLuhn(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return digits.length >= 13 && sum % 10 === 0
}
