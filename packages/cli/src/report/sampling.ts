/**
 * What samples of evidence are drawn with: the newest checkpoint by a key that is known here, else the checked root.
 * @module
 */

import type { Sampling } from '@sworn/analyze/report'
import { type LineCheck, openLineCheck } from '@sworn/analyze/source'
import { parseVkey, type Report, SwornError } from '@sworn/verify'

/** Undefined where no root is known. */
export async function openSampling(directory: string | undefined, { levels, root, size }: Report): Promise<Sampling | undefined> {
  const check = await openCheck(directory, levels.signed)
  if (check) return { root: check.root, size: check.size, check }
  return root && { root, size }
}

async function openCheck(
  directory: string | undefined,
  { holds, known, vkey }: Report['levels']['signed'],
): Promise<LineCheck | undefined> {
  if (directory === undefined || !holds || !known || vkey === undefined) return undefined
  try {
    return await openLineCheck(directory, [parseVkey(vkey)])
  } catch (e) {
    if (SwornError.is(e, 'NOTE_UNVERIFIED')) return undefined // signed in the log, and no note beside it
    throw e
  }
}
