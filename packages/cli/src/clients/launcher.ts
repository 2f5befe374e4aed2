/** What starts sworn again later. @module */
import { VERSION } from '../frame/version.ts'

/** A copy in npx's cache may be gone by then. */
export function launcher(self: readonly string[]): readonly string[] {
  return self.some((part) => part.includes('_npx')) ? ['npx', '-y', `sworn@${VERSION}`] : self
}
