/** What the options of several sinks share. @module */
import { readFileSync } from 'node:fs'
import { SwornError } from '@sworn/verify'
import { z } from 'zod'

export const text = z.string().min(1).max(4096)

export const secret = {
  secret: text.optional().describe('Better a variable, or secret_file.'),
  secret_file: text.optional().describe('A file that only its owner can read.'),
}

export const token = {
  token: text.optional().describe('Better a variable, or token_file.'),
  token_file: text.optional().describe('A file that only its owner can read.'),
}

export const http = {
  url: text,
  addresses: z
    .array(z.enum(['public', 'private', 'loopback', 'link_local']))
    .min(1)
    .optional()
    .describe('Which addresses may be reached; default all but link_local.'),
  ca_file: text.optional().describe('PEM of authorities to trust instead of the usual ones.'),
}

export const headers = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/),
    z
      .string()
      .max(4096)
      .regex(/^[\t\x20-\x7e\x80-\xff]*$/),
  )
  .optional()

/** @throws SwornError IO_FAILED */
export function readPem(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the certificates cannot be read', path, { cause })
  }
}
