/** Tool calls are counted once, however many saw them, also over restarts, where somebody tells which entries are about one. @module */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventItem, makePlace, openAt } from '../../../testkit/src/sink-contract.ts'
import { openMetrics } from '../src/metrics/index.ts'
import type { ActionObserver, OpenObserver } from '../src/metrics/tally.ts'

/** One call for each `target`, whoever tells of it. */
const byTarget: OpenObserver = (stored): ActionObserver => {
  if (stored !== undefined && !Array.isArray(stored)) throw new TypeError('a list was expected')
  const [seen, denied] = (stored ?? [[], []]).map((names: readonly string[]) => new Set(names)) as [Set<unknown>, Set<unknown>]
  return {
    observe({ target, decision }) {
      const first = !seen.has(target)
      const refuses = decision === 'deny' && !denied.has(target)
      seen.add(target)
      if (refuses) denied.add(target)
      return { first, begins: first, refuses }
    },
    stored: () => [[...seen], [...denied]],
  }
}

let number = 0
function tell(ledger: ReturnType<typeof openAt>, type: string, target: string, decision?: string): void {
  const { eventId, json: _, ...item } = eventItem(number++)
  const json = JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', event_type: type, target, decision, event_id: eventId })
  ledger.append([{ ...item, eventId, json, eventType: type, sessionId: undefined }])
}

test('a call that two see is one call and one refusal, whenever the counting is stopped; the decisions stay two', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const file = join(place.path, 'metrics', 'counts.json')
  const options = { path: place.path, origin: ledger.info.origin, openObserver: byTarget }
  const count = async (openObserver?: OpenObserver) => {
    const metrics = openMetrics({ ...options, ...(openObserver && { openObserver }) })
    const text = await metrics.text(60_000)
    await metrics.close()
    return ['sworn_actions_total', 'sworn_actions_denied_total', 'aip_authorization_decisions_total{decision="deny"}'].map((name) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length),
      ),
    )
  }
  tell(ledger, 'authorization_decision', 'a', 'allow')
  assert.deepEqual(await count(), [1, 0, 0])
  tell(ledger, 'authorization_decision', 'a', 'deny')
  assert.deepEqual(await count(), [1, 1, 1])
  tell(ledger, 'authorization_decision', 'a', 'deny')
  tell(ledger, 'tool_call_start', 'b')
  tell(ledger, 'tool_call_end', 'b')
  tell(ledger, 'data_access', 'c')
  assert.deepEqual(await count(), [2, 1, 2])
  const { actions, ...before } = JSON.parse(readFileSync(file, 'utf8'))
  for (const left of [before, { ...before, actions: { ...actions, observed: 'torn' } }]) {
    writeFileSync(file, JSON.stringify(left)) // of an older version, and of nobody
    assert.deepEqual(await count(), [2, 1, 2])
  }
  const without = openMetrics({ path: place.path, origin: ledger.info.origin })
  assert.doesNotMatch(await without.text(60_000), /sworn_actions/)
  await without.close()
  ledger.close()
})
