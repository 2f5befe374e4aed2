/**
 * Personal data: e-mail, telephone, addresses of machines, account numbers. None of it is looked for unless asked
 * for by name: an address in a command is no reason to stop it.
 *
 * Sources: RFC 5321 §4.5.3, E.164, RFC 4291 §2.2, ISO 13616 (mod 97).
 * @module
 */
import { isIPv6 } from 'node:net'
import { type Detector, type Span, tableDetector } from '@sworn/recorder'

/** Length of an account number by country, from the IBAN registry. */
const IBAN_LENGTHS =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
const LENGTHS: ReadonlyMap<string, number> = new Map(IBAN_LENGTHS.split(' ').map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]))

const EMAIL = /(?<![\w.%+-]|:\/\/)[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/g
const PHONE =
  /(?<![\w+.-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){2,3}|\(\d{3}\) ?\d{3}[ .-]\d{4}|[2-9]\d{2}([ .-])[2-9]\d{2}\1\d{4})(?![\w-]|\.\d)/g
const IPV6 = /(?<![\w:.])[0-9A-Fa-f:]{6,39}(?:\.\d{1,3}){0,3}(?![\w:.]|%25)/g
const IBAN = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Za-z0-9])/g

export const personalDetectors: readonly Detector[] = [
  tableDetector('ssn'),
  tableDetector('credit_card'),
  bare('iban', IBAN, (text) => /[A-Z]{2}\d\d/.test(text), ibanWithin),
  bare('email', EMAIL, (text) => text.includes('@'), whole),
  bare(
    'phone',
    PHONE,
    (text) => /\d{3}/.test(text),
    (found) => (digitsOf(found) <= 15 ? whole(found) : 0),
  ),
  { ...tableDetector('ipv4'), literals: [{ text: '#.#', digits: true }] },
  bare(
    'ipv6',
    IPV6,
    (text) => /:[0-9A-Fa-f]{0,4}:/.test(text),
    (found) => (/\d/.test(found) && isIPv6(found) ? found.length : 0),
  ),
]

/** @param length of a match, how many of its characters count; 0: none of it */
function bare(name: string, expression: RegExp, mayFind: (text: string) => boolean, length: (found: string) => number): Detector {
  const find = (text: string): readonly Span[] => {
    if (!mayFind(text)) return []
    return Array.from(text.matchAll(expression)).flatMap((match) => {
      const chars = length(match[0])
      return chars === 0 ? [] : [{ start: match.index, end: match.index + chars, pattern: name }]
    })
  }
  return { name, literals: [], mayFind, find }
}

function whole(found: string): number {
  return found.length
}

function digitsOf(found: string): number {
  return found.replace(/\D/g, '').length
}

/** How much of `found` is an account number: words of capitals may follow it. */
function ibanWithin(found: string): number {
  const length = LENGTHS.get(found.slice(0, 2)) ?? 0
  let end = 0
  for (let seen = 0; end < found.length && seen < length; end++) if (found[end] !== ' ') seen++
  return length > 0 && passesMod97(found.slice(0, end).replaceAll(' ', ''), length) ? end : 0
}

/** ISO 13616: the number, its first four characters moved to the end, is 1 modulo 97. */
export function passesMod97(iban: string, length: number = LENGTHS.get(iban.slice(0, 2)) ?? 0): boolean {
  if (iban.length !== length || length === 0) return false
  const digits = Array.from(iban.slice(4) + iban.slice(0, 4), (char) => Number.parseInt(char, 36)).join('')
  return Array.from(digits).reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0) === 1
}
