/** What an erased value is searched for as. @module */

/** Every way in which a value may stand in a file. */
export function formsOf(value: string): Buffer[] {
  const utf8 = Buffer.from(value)
  const escaped = JSON.stringify(value).slice(1, -1)
  const ascii = escaped.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), utf8])
      .toString('base64')
      .slice(4, -4),
  )
  const texts = [value, escaped, ascii, encodeURIComponent(value), utf8.toString('hex'), utf8.toString('hex').toUpperCase(), ...base64]
  return [
    ...texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')]),
    ...base64.map((text) => Buffer.from(text.replaceAll('+', '-').replaceAll('/', '_'))),
  ]
}
