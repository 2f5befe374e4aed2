/**
 * Questions of a policy put to the people of the configuration, by a process that is no proxy.
 *
 * The ways to them are opened for a question and closed behind it: an approval holds for its call alone.
 * @module
 */
import type { AskFn } from '@sworn/recorder'
import type { AskingIo, PlanOptions } from './open-approvals.ts'
import type { Opened } from './open-recorder.ts'

/** @param plan the ways that there are */
export function askEach(opened: Opened, io: AskingIo, plan: PlanOptions): AskFn {
  return async (request, record) => {
    const [{ planApprovals }, { createAsk }] = await Promise.all([import('./open-approvals.ts'), import('@sworn/govern/approvals')])
    const people = await planApprovals(opened, io, plan)
    try {
      return await createAsk((await people.open()).approvals)(request, record)
    } finally {
      await people.close()
    }
  }
}

/** Nobody is asked unless the configuration says who: a library has no terminal of its own. */
export function askConfigured(opened: Opened, io: AskingIo): AskFn {
  const ask = askEach(opened, io, { without: ['mcp'] })
  return async (request, record) => {
    if (opened.config.values.approvals !== undefined) return ask(request, record)
    const { settleApproval } = await import('@sworn/govern')
    return { verdict: settleApproval(request.verdict, 'unavailable'), members: {} }
  }
}
