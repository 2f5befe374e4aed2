/**
 * Alerts: rules over the entries of a ledger, live and over history.
 *
 * Apart from the main export; the thread that looks as the ledger grows is started through `@sworn/analyze/alerter`, which
 * loads no rules.
 * @module
 */
export { SEVERITIES, type Severity } from '../columns.ts'
export { type Alert, describeAlert, toAlertEvent } from './alert.ts'
export { BUILT_IN, rulesOf } from './built-in.ts'
export { createEngine, type Engine, type EngineState } from './engine.ts'
export { findAlerts, type HistoryOptions } from './history.ts'
export { lookBackMs } from './look-back.ts'
export type { Action, AlertsSection, Rule } from './rule.ts'
