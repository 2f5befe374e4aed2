/**
 * secretlint's rule families as detectors: names, and the literals without which none of their expressions matches.
 *
 * The preset's rules are composed one by one; its comment filter is left out, so text that says `secretlint-disable`
 * switches nothing off. Left out too: `gcp`, which looks at files (the key inside one is a private key), and AWS
 * account numbers, which are no secret. A test holds the literals to the rules' own expressions.
 * @module
 */
import { type Detector, followedBy, followedWithin, hasUserInfo, type Literal, type Span } from '@sworn/recorder'
import { runRule } from './secretlint.ts'

type Prefilter = readonly Omit<Literal, 'owner'>[]

interface Family {
  /** The last part of the rule's id. */
  readonly rule: string
  /** Only findings of this message. */
  readonly message?: string
  /** Of the finding: as in our own table where both look for the same. */
  readonly name: string
  readonly literals: Prefilter
  /** Cuts a finding down to what is secret in it. */
  readonly narrow?: (text: string, span: Span) => Span | undefined
}

/** Prefixes with at least `count` characters of `set` behind. */
const before = (set: RegExp, count: number, ...prefixes: string[]): Prefilter =>
  prefixes.map((text) => ({ text, near: followedBy(set, count) }))
const ALNUM = /[A-Za-z0-9]/
const NAME = /[\w-]/
const SCHEMES = ['mongodb://', 'mongodb+srv://', 'mysql://', 'mysqlx://', 'postgres://', 'postgresql://']

const FAMILIES: readonly Family[] = [
  {
    rule: 'aws',
    message: 'AWSAccessKeyID',
    name: 'aws_access_key',
    literals: [...before(/[A-Z0-9]/, 16, 'AKIA', 'ASIA', 'AGPA', 'AIDA', 'AROA', 'AIPA', 'ANPA', 'ANVA'), ...before(/[A-Z0-9]/, 17, 'A3T')],
  },
  {
    rule: 'aws',
    message: 'AWSSecretAccessKey',
    name: 'aws_secret_key',
    literals: [{ text: 'secret', anyCase: true, near: (text, _start, end) => /^_?access_?key/i.test(text.slice(end, end + 12)) }],
    narrow: awsSecretOf,
  },
  { rule: 'privatekey', name: 'private_key', literals: [{ text: '-----BEGIN', near: followedWithin('PRIVATE KEY', 64) }] },
  { rule: 'npm', message: 'NPM_ACCESS_TOKEN', name: 'npm_token', literals: before(/\w/, 36, 'npm_') },
  {
    rule: 'npm',
    message: 'PackageJSON_xOauthToken',
    name: 'github_oauth_url',
    literals: [{ text: ':x-oauth-basic@' }],
    narrow: (text, span) => ({ ...span, start: text.indexOf('://', span.start) + 3, end: text.indexOf('@github.com/', span.start) }),
  },
  { rule: 'basicauth', name: 'database_url', literals: [{ text: '://', near: hasUserInfo }], narrow: passwordOf },
  {
    rule: 'database-connection-string',
    name: 'database_url',
    literals: SCHEMES.map((text) => ({ text, anyCase: true, near: hasSign })),
    narrow: passwordOf,
  },
  {
    rule: 'slack',
    message: 'SLACK_TOKEN',
    name: 'slack_token',
    literals: before(ALNUM, 1, 'xoxb-', 'xoxp-', 'xapp-', 'xoxa-', 'xoxo-', 'xoxr-'),
  },
  {
    rule: 'slack',
    message: 'IncomingWebhook',
    name: 'slack_webhook',
    literals: [{ text: 'hooks.slack.com/', anyCase: true }],
    narrow: (text, span) => ({ ...span, start: text.toLowerCase().indexOf('slack.com/', span.start) + 10 }),
  },
  { rule: 'sendgrid', name: 'sendgrid_key', literals: before(/\w/, 1, 'SG.') },
  { rule: 'shopify', name: 'shopify_token', literals: before(ALNUM, 32, 'shppa_', 'shpca_', 'shpat_', 'shpss_') },
  { rule: 'stripe', name: 'stripe_key', literals: before(ALNUM, 24, 'sk_live_', 'sk_test_', 'rk_live_', 'rk_test_') },
  {
    rule: 'github',
    name: 'github_token',
    literals: [...before(/\w/, 1, 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_').map(long(7)), ...before(/\w/, 82, 'github_pat_')],
  },
  { rule: 'gitlab', name: 'gitlab_token', literals: before(NAME, 20, 'glpat-') },
  { rule: 'grafana', name: 'grafana_token', literals: [...before(/[A-Za-z0-9+/]/, 32, 'glc_'), ...before(ALNUM, 32, 'glsa_')] },
  { rule: 'openai', name: 'openai_key', literals: before(NAME, 48, 'sk-') },
  { rule: 'anthropic', name: 'anthropic_key', literals: before(NAME, 90, 'sk-ant-') },
  { rule: 'groq', name: 'groq_key', literals: before(ALNUM, 52, 'gsk_') },
  { rule: 'huggingface', name: 'huggingface_token', literals: before(/[A-Za-z]/, 34, 'hf_') },
  { rule: 'linear', name: 'linear_key', literals: before(/\w/, 32, 'lin_api_') },
  { rule: 'notion', name: 'notion_token', literals: before(ALNUM, 46, 'ntn_') },
  { rule: '1password', name: 'onepassword_token', literals: before(/[A-Za-z0-9+/=]/, 100, 'ops_ey') },
  { rule: 'hashicorp-vault', name: 'vault_token', literals: before(NAME, 90, 'hvs.', 'hvb.', 'hvr.') },
  { rule: 'vercel', name: 'vercel_token', literals: before(ALNUM, 20, 'vcp_', 'vci_', 'vca_', 'vcr_', 'vck_') },
  { rule: 'databricks', name: 'databricks_token', literals: before(/[A-Fa-f0-9]/, 32, 'dapi') },
  { rule: 'docker', name: 'docker_token', literals: before(NAME, 27, 'dckr_pat_') },
  { rule: 'figma', name: 'figma_token', literals: before(NAME, 40, 'figd_') },
  { rule: 'cloudflare', name: 'cloudflare_token', literals: before(ALNUM, 48, 'cfk_', 'cfut_', 'cfat_') },
  { rule: 'tailscale', name: 'tailscale_key', literals: before(NAME, 20, 'tskey-') },
]

/** Every rule that is run, once. */
export const FAMILY_RULES: readonly string[] = [...new Set(FAMILIES.map(({ rule }) => rule))]

/** One detector a row; two rows of one name are looked for together. */
export const familyDetectors: readonly Detector[] = FAMILIES.map(({ rule, message, name, literals, narrow }) => ({
  name,
  literals,
  find: (text) =>
    runRule(rule, text, message).flatMap(({ start, end }) => {
      const span = { start, end, pattern: name }
      const secret = narrow ? narrow(text, span) : span
      return secret && secret.start < secret.end ? [secret] : []
    }),
}))

/** What decides: for the hash of the pattern set. */
export const familySignature: string = JSON.stringify(
  FAMILIES.map(({ rule, message, name, literals }) => [rule, message, name, literals.map(({ text }) => text)]),
)

/** After a prefix of few characters: at least `count` that a token has, dots among them. */
function long(count: number): (literal: Prefilter[number]) => Prefilter[number] {
  return (literal) => ({ ...literal, near: followedBy(/[\w.-]/, count) })
}

/** For a scheme: an at sign before a slash or a blank. User and password have at most 301 characters. */
function hasSign(text: string, _start: number, end: number): boolean {
  return /^[^@/\s]{1,310}@/.test(text.slice(end, end + 320))
}

const AWS_SECRET = /[:=>]\s*["']?([A-Za-z0-9/+=]{40})/y

/** The rule says where the name begins, and how long the value is. A value of hexadecimal digits alone is a git commit. */
function awsSecretOf(text: string, span: Span): Span | undefined {
  AWS_SECRET.lastIndex = span.start + text.slice(span.start, span.start + 40).search(/[:=]/)
  const value = AWS_SECRET.exec(text)?.[1]
  if (value === undefined || /^[0-9a-f]{40}$/.test(value)) return undefined
  return { ...span, start: AWS_SECRET.lastIndex - 40, end: AWS_SECRET.lastIndex }
}

/** The password of `scheme://user:password@host`. */
function passwordOf(text: string, span: Span): Span | undefined {
  const authority = text.indexOf('://', span.start) + 3
  const start = text.indexOf(':', authority) + 1
  const end = text.indexOf('@', start)
  return authority > 2 && start > 0 && end > start && end < span.end ? { ...span, start, end } : undefined
}
