/**
 * The scan that is written first: sixteen secret patterns, compiled once, each run over the whole text.
 *
 * Modelled on the lists that agent loggers ship (pi-governance compiles them anew for each scan; this rival
 * is spared that).
 * @module
 */
const PATTERNS: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /aws_secret_access_key["'\s:=]{1,6}[A-Za-z0-9/+]{40}/gi,
  /\bgh[pousr]_[A-Za-z0-9]{36,}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{60,}\b/g,
  /\bsk-ant-[A-Za-z0-9_-]{20,}\b/g,
  /\bsk-(?:proj-)?[A-Za-z0-9]{20,}\b/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/g,
  /\b(?:postgres|mysql|mongodb|redis)(?:\+srv)?:\/\/[^\s:@/]+:[^\s@/]+@/g,
  /\bxox[baprs]-[A-Za-z0-9-]{10,}/g,
  /https:\/\/hooks\.slack\.com\/services\/[A-Za-z0-9/]{20,}/g,
  /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}\b/g,
  /\bnpm_[A-Za-z0-9]{36}\b/g,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\b/g,
  /\bAIza[0-9A-Za-z_-]{35}\b/g,
  /(?:password|passwd|secret|api_?key)["']?\s*[:=]\s*["'][^"'\s]{6,}["']/gi,
]

/** How many matches of all patterns `text` has. */
export function sequentialScan(text: string): number {
  let matches = 0
  for (const pattern of PATTERNS) for (const _ of text.matchAll(pattern)) matches++
  return matches
}
