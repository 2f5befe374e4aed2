/** Bracket expressions, on which versions of sed and awk disagree. @module */

/**
 * Whether the delimiter that ended this pattern may stand inside a bracket expression: some versions end the pattern
 * there, others read on, and what follows is code for the one and text for the other.
 */
export function hidesSlash(pattern: string): boolean {
  return /\[\^?\]|\[[^\]]*(\\|$)/.test(pattern.replace(/\[:\w+:\]/g, ''))
}
