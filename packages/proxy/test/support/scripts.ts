/** What a client does with a server, step by step, and what it got: the same over every transport. @module */
import type { Command, Peer } from './peers.ts'

export type Step = (peer: Peer) => Promise<unknown>
export type Script = Readonly<Record<string, Step>>

export const tool =
  (name: string, input: Record<string, unknown> = {}): Step =>
  (peer) =>
    peer.callTool({ name, arguments: input })

/** The long call is cancelled once its first progress shows that it runs. */
const cancelled: Step = (peer) => {
  const stop = new AbortController()
  const input = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 50 } }
  return peer.callTool(input, { signal: stop.signal, onprogress: () => stop.abort('enough') })
}

/** Asks for progress. Which reports arrive before the result is up to the SDK; the lines themselves are compared in volume.test.ts. */
const progress =
  (name: string, input: Record<string, unknown>): Step =>
  (peer) =>
    peer.callTool({ name, arguments: input }, { onprogress: () => {} })

export const common: Script = {
  tools: (p) => p.listTools(),
  ping: (p) => p.ping(),
  who: async (p) => p.server(),
  unknown: tool('no-such-tool'),
}
const both: Step = async (p) => Promise.all([tool('echo', { message: 'a' })(p), tool('get-sum', { a: 1, b: 2 })(p)])

/** For server-everything of the reference servers. */
export const everything: Script = {
  ...common,
  both,
  prompts: (p) => p.listPrompts(),
  prompt: (p) => p.getPrompt({ name: 'args-prompt', arguments: { city: 'Bern' } }),
  resources: (p) => p.listResources(),
  resource: (p) => p.readResource({ uri: 'demo://resource/static/document/features.md' }),
  missing: (p) => p.readResource({ uri: 'demo://nothing' }),
  image: tool('get-tiny-image'),
  structured: tool('get-structured-content', { location: 'Chicago' }),
  annotated: tool('get-annotated-message', { messageType: 'error', includeImage: true }),
  links: tool('get-resource-links', { count: 3 }),
  roots: tool('get-roots-list'),
  sampling: tool('trigger-sampling-request', { prompt: 'hi', maxTokens: 10 }),
  elicitation: tool('trigger-elicitation-request'),
  progress: progress('trigger-long-running-operation', { duration: 0.02, steps: 2 }),
  cancelled,
}

/** For the server of the testkit in the 2026-07-28 era. */
export const modern: Script = {
  tools: (p) => p.listTools(),
  who: async (p) => p.server(),
  version: async (p) => p.version(),
  echo: tool('echo', { words: 'ü\u2028' }),
  sum: tool('sum', { of: [1, 2] }),
  fail: tool('fail'),
  unknown: tool('nothing'),
  note: (p) => p.readResource({ uri: 'note://one' }),
  deploy: tool('deploy', { env: 'test' }),
  count: progress('count', { to: 5 }),
  cancelled: (p) => {
    const stop = new AbortController()
    const result = p.callTool({ name: 'sleep', arguments: {} }, { signal: stop.signal })
    stop.abort('enough')
    return result
  },
  after: tool('echo', { words: 'still here' }),
}

export async function play<To extends Command | URL>(
  open: (to: To) => Promise<Peer>,
  to: To,
  script: Script,
): Promise<Record<string, unknown>> {
  const peer = await open(to)
  const answers: Record<string, unknown> = {}
  for (const [name, step] of Object.entries(script)) answers[name] = await step(peer).catch((e: Error) => ({ failed: e.message }))
  await peer.close()
  return answers
}
