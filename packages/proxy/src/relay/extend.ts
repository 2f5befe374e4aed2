/**
 * Options of one transport out of those that all share.
 * @module
 */
import type { RelayOptions } from './options.ts'

/** Both together, in a new object; a getter stays one, so that a policy can change between two calls. */
export function extendRelay<More extends object>(options: RelayOptions, more: More): RelayOptions & More {
  return Object.defineProperties({ ...more }, Object.getOwnPropertyDescriptors(options)) as RelayOptions & More // the members of both
}
