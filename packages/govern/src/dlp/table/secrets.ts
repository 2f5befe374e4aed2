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
const HEX = /[0-9a-f]/

/** A blank, also as JSON text writes it, and a word that is not lower case throughout. */
function looksBasic(text: string, _start: number, end: number): boolean {
  return /^(?:[ \t]|\\t|\\u0009){1,8}[A-Za-z0-9+/][a-z]*[A-Z0-9+/=]/.test(text.slice(end, end + 256))
}

function isSet(text: string, _start: number, end: number): boolean {
  return /^(?:\s|\\[nrt]|\\u00\w\w){0,4}=/.test(text.slice(end, end + 32))
}

/** `name:password` in base64. */
function isBasic(value: string): boolean {
  return /^[\x20-\x7e]+:[\x20-\x7e]*$/.test(Buffer.from(value, 'base64').toString('latin1'))
}

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
  {
    name: 'teams_webhook',
    expression: /webhook\.office\.com\/webhookb2\/(?<secret>[\w@/-]{36,})/g,
    literals: [{ text: '.office.com/webhookb2/' }],
  },
  {
    name: 'gitlab_token', // those that are no personal access tokens
    expression: /(?<![\w-])gl(?:ptt|dt|rt|soat|cbt|ft|imt|agent|oas)-[\w-]{20,}/g,
    literals: before(NAME, 20, 'glptt-', 'gldt-', 'glrt-', 'glsoat-', 'glcbt-', 'glft-', 'glimt-', 'glagent-', 'gloas-'),
  },
  { name: 'docker_token', expression: /(?<![\w-])dckr_oat_[\w-]{27,}/g, literals: before(NAME, 27, 'dckr_oat_') },
  { name: 'atlassian_token', expression: /(?<![\w-])ATBB[A-Za-z0-9]{32}(?!\w)/g, literals: before(ALNUM, 32, 'ATBB') },
  { name: 'google_oauth', expression: /(?<![\w/])1\/\/0[\w-]{40,}/g, literals: before(NAME, 40, '1//0') },
  {
    name: 'azure_key', // signed storage addresses
    expression: /[?&]sig=(?<secret>[\w%+/-]{40,}=?)/g,
    literals: before(/[\w%+/-]/, 40, '?sig=', '&sig='),
  },
  {
    name: 'azure_secret',
    expression: /(?<![\w~.-])[\w~.-]{3}[78]Q~[\w~.-]{31,34}(?![\w~.-])/g,
    literals: before(/[\w~.-]/, 31, '7Q~', '8Q~'),
  },
  { name: 'openrouter_key', expression: /(?<![\w-])sk-or-v1-[0-9a-f]{64}(?!\w)/g, literals: before(HEX, 64, 'sk-or-v1-') },
  { name: 'langfuse_key', expression: /(?<![\w-])sk-lf-[0-9a-f-]{36}(?!\w)/g, literals: before(/[0-9a-f-]/, 36, 'sk-lf-') },
  {
    name: 'langsmith_key',
    expression: /(?<!\w)lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}(?!\w)/g,
    literals: before(HEX, 32, 'lsv2_pt_', 'lsv2_sk_'),
  },
  { name: 'replicate_token', expression: /(?<!\w)r8_[A-Za-z0-9]{37}(?!\w)/g, literals: before(ALNUM, 37, 'r8_') },
  { name: 'xai_key', expression: /(?<![\w-])xai-[A-Za-z0-9]{70,}/g, literals: before(ALNUM, 70, 'xai-') },
  { name: 'perplexity_key', expression: /(?<![\w-])pplx-[A-Za-z0-9]{40,}/g, literals: before(ALNUM, 40, 'pplx-') },
  { name: 'nvidia_key', expression: /(?<![\w-])nvapi-[\w-]{60,}/g, literals: before(NAME, 60, 'nvapi-') },
  {
    name: 'tavily_key',
    expression: /(?<![\w-])tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,}/g,
    literals: [{ text: 'tvly-', near: followedBy(NAME, 28) }],
  },
  { name: 'pinecone_key', expression: /(?<!\w)pcsk_\w{60,}/g, literals: before(/\w/, 60, 'pcsk_') },
  {
    name: 'fireworks_key',
    expression: /(?<!\w)fw_[A-Za-z0-9]{22,}(?!\w)/g,
    literals: before(ALNUM, 22, 'fw_'),
    check: (value) => /\d/.test(value),
  },
  {
    name: 'supabase_key',
    expression: /(?<!\w)(?:sbp_[0-9a-f]{40}(?!\w)|sb_secret_[\w-]{24,})/g,
    literals: [...before(HEX, 40, 'sbp_'), ...before(NAME, 24, 'sb_secret_')],
  },
  {
    name: 'resend_key',
    expression: /(?<!\w)re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}(?!\w)/g,
    literals: before(ALNUM, 8, 're_'),
    check: (value) => /\d/.test(value),
  },
  { name: 'posthog_key', expression: /(?<!\w)phx_[A-Za-z0-9]{40,}/g, literals: before(ALNUM, 40, 'phx_') },
  { name: 'rubygems_key', expression: /(?<!\w)rubygems_[0-9a-f]{48}(?!\w)/g, literals: before(HEX, 48, 'rubygems_') },
  {
    name: 'crates_token',
    expression: /(?<!\w)cio[A-Za-z0-9]{32}(?!\w)/g,
    literals: before(ALNUM, 32, 'cio'),
    check: (value) => /\d/.test(value) && /[A-Z]/.test(value),
  },
  {
    name: 'nuget_key',
    expression: /(?<!\w)oy2[a-z0-9]{43}(?!\w)/g,
    literals: before(/[a-z0-9]/, 43, 'oy2'),
  },
  { name: 'postman_key', expression: /(?<![\w-])PMAK-[0-9a-f]{24}-[0-9a-f]{34}(?!\w)/g, literals: before(HEX, 24, 'PMAK-') },
  { name: 'square_token', expression: /(?<![\w-])sq0(?:atp|csp)-[\w-]{22,}/g, literals: before(NAME, 22, 'sq0atp-', 'sq0csp-') },
  {
    name: 'braintree_token',
    expression: /access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}(?!\w)/g,
    literals: [{ text: 'access_token$' }],
  },
  {
    name: 'brevo_key',
    expression: /(?<![\w-])xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}(?!\w)/g,
    literals: before(HEX, 64, 'xkeysib-'),
  },
  { name: 'mailgun_key', expression: /(?<![\w-])key-[0-9a-f]{32}(?![\w-])/g, literals: before(HEX, 32, 'key-') },
  {
    name: 'terraform_token',
    expression: /(?<!\w)[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}/g,
    literals: [{ text: '.atlasv1.', near: followedBy(NAME, 60) }],
  },
  { name: 'pulumi_token', expression: /(?<![\w-])pul-[0-9a-f]{40}(?!\w)/g, literals: before(HEX, 40, 'pul-') },
  { name: 'artifactory_token', expression: /(?<!\w)AKCp[A-Za-z0-9]{60,}(?!\w)/g, literals: before(ALNUM, 60, 'AKCp') },
  {
    name: 'facebook_token',
    expression: /(?<!\w)EAA[A-Za-z0-9]{80,}(?!\w)/g,
    literals: before(ALNUM, 80, 'EAA'),
    check: (value) => /\d/.test(value),
  },
  {
    name: 'basic_auth',
    expression: /(?<![A-Za-z0-9])Basic[ \t]{1,8}(?<secret>[A-Za-z0-9+/]{8,}={0,2})/gi,
    literals: [{ text: 'basic', anyCase: true, near: looksBasic }],
    check: isBasic,
  },
  {
    name: 'password_hash',
    expression:
      /(?<![\w$])\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|(?:[156]|apr1)\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22,86}|g?y\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}|argon2(?:id|i|d)\$[\w=,$+/]{40,})/g,
    literals: [...['$2a$', '$2b$', '$2x$', '$2y$', '$1$', '$5$', '$6$', '$apr1$', '$y$', '$gy$', '$argon2'].map((text) => ({ text }))],
  },
  {
    name: 'wireguard_key',
    expression: /(?:PrivateKey|PresharedKey)\s{0,4}=\s{0,4}(?<secret>[A-Za-z0-9+/]{43}=)/g,
    literals: ['PrivateKey', 'PresharedKey'].map((text) => ({ text, near: isSet })),
  },
  {
    name: 'putty_key',
    expression: /Private-Lines: \d{1,4}(?:\r?\n|\\n)(?<secret>[A-Za-z0-9+/=\s\\]{16,}?)(?=Private-MAC|$)/g,
    literals: [{ text: 'Private-Lines: ' }],
  },
]
