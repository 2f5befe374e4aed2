/**
 * Calls that answer with a task: what `tasks/result` brings later is the outcome of that call.
 *
 * The answer to tools/call names the task, `tasks/result` asks for it by that name; both are records of one
 * call under one correlation_id. Source: MCP 2025-11-25 "Tasks", capture.md §4.1.
 * @module
 */
import { type Members, memberOf } from '../frames/read.ts'
import { type Pending, remember, type Session, type Task } from './session.ts'

/** Longest task id that is remembered: it is recorded. */
const MAX_TASK_ID = 256

/** Remembers the task that a tool call answered with, if it did; returns its id. */
export function rememberTask(session: Session, call: Pending, result: unknown): string | undefined {
  if (call.tool === undefined || call.task !== undefined) return undefined
  const named = memberOf(memberOf(result, 'task'), 'taskId')
  const id = named === undefined && memberOf(result, 'resultType') === 'task' ? memberOf(result, 'taskId') : named
  if (typeof id !== 'string' || id === '' || id.length > MAX_TASK_ID) return undefined
  const { tool, correlation, startedAt } = call
  remember(session.tasks, id, { id, tool, correlation, startedAt })
  return id
}

/** The call whose outcome this request asks for. */
export function findTask(session: Session, method: string, params: Members | undefined): Task | undefined {
  const id = method === 'tasks/result' ? memberOf(params, 'taskId') : undefined
  return typeof id === 'string' ? session.tasks.get(id) : undefined
}
