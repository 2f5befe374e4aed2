/** Recorded data made safe to show; reports in analyze escape by the same set. @module */
export { escapeText } from '@sworn/analyze/escape'
