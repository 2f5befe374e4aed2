/** Makes a ledger of five closed segments and an active one, the first of them written `days` ago: `old-ledger.ts PATH HOME [DAYS]`. */
import { randomUUID } from 'node:crypto'
import { type Ledger, openLedger } from '@sworn/recorder'

const DAY = 86_400_000
const DAYS = 10

/** One event a day, of alice and bob in turn; a segment closes every second day. */
export function makeOldLedger(path: string, home: string, days = 400): void {
  let now = Date.now() - days * DAY
  const ledger = openLedger({ path, home, now: () => now, rotateMs: 2 * DAY - 1 })
  for (let n = 0; n < DAYS; n++) {
    append(ledger, now, n)
    now += DAY
    while (ledger.nextTickAt() <= now) ledger.tick()
  }
  ledger.close()
}

function append(ledger: Ledger, now: number, n: number): void {
  const eventId = randomUUID()
  const event = {
    timestamp: new Date(now).toISOString(),
    event_type: 'data_access',
    user: n % 2 === 0 ? 'alice' : 'bob',
    target: `crm/${n}`,
    event_id: eventId,
  }
  const [answer] = ledger.append([{ json: JSON.stringify(event), eventId, eventType: 'data_access', level: 'sync', producerId: 'p' }])
  if (answer instanceof Error) throw answer
}

const [, script, path, home, days] = process.argv
if (script === import.meta.filename && path && home) makeOldLedger(path, home, days === undefined ? undefined : Number(days))
