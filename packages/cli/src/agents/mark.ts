/** How a hook of ours is known in a client's configuration: by its command line. @module */

const END = '--installed'

/** The words of one hook. */
export function markOf(client: string, event: string): string {
  return `hook ${client} ${event} ${END}`
}

/** Whether a configuration may hold hooks of ours; cheap, and never false for one that does. */
export function mayHoldHooks(text: string, client: string): boolean {
  return text.includes(`hook ${client} `) && text.includes(END)
}
