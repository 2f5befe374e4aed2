/**
 * Retention: how long entries are kept, legal holds, and what may go now. The recorder drops it.
 *
 * Apart from the main export, because it asks for no index.
 * @module
 */
export { createRetention, type Retention } from './classes.ts'
export { addHold, createHoldTest, type Hold, readHolds, releaseHold } from './holds.ts'
export { planRetention, type RetentionPlan, type Stop } from './plan.ts'
