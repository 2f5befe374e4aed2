/**
 * The plugin of a client whose hooks run in its own process: a file of ours, whole.
 *
 * It tells each hook to `sworn hook` and obeys. Whatever is no answer refuses the call: no process, an exit code that is
 * not ours, a text that is no JSON, a minute without an end. Exit code 3 means that the configuration lets it go on.
 * Plain JavaScript that Node and Bun run, with no import but theirs; of the client's own objects only the arguments of a call
 * are changed, where sworn masks them.
 * @module
 */

export type PluginName = 'opencode' | 'pi'

/** @param start the words that start sworn @param flags for `sworn hook` */
export function formatPlugin(name: PluginName, start: readonly string[], flags: readonly string[]): string {
  return [
    `// sworn hook ${name} --installed: written by \`sworn install ${name}\`, taken away by \`sworn uninstall ${name}\`.`,
    helperOf([...start, 'hook', name], ['--installed', ...flags]),
    BODIES[name],
  ].join('\n')
}

function helperOf(words: readonly string[], flags: readonly string[]): string {
  return [
    "import { spawn } from 'node:child_process'\n",
    `const [program, ...words] = ${JSON.stringify(words)}`,
    `const flags = ${JSON.stringify(flags)}\n`,
    HELPER,
  ].join('\n')
}

const HELPER = `/** Resolves with sworn's answer: { reason } of a refusal, { input } instead of what was told, or neither. */
function tell(event, payload, cwd) {
  return new Promise((resolve) => {
    const refuse = (reason = 'sworn did not answer, so the call was refused') => resolve({ reason })
    let out = ''
    const child = spawn(program, [...words, event, ...flags], { cwd, stdio: ['pipe', 'pipe', 'ignore'] })
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
    for (const end of ['error', 'close']) child.on(end, () => clearTimeout(late))
    child.on('error', () => refuse())
    child.stdin.on('error', () => {})
    child.stdout.on('data', (chunk) => (out += chunk))
    child.on('close', (code) => {
      try {
        if (code === 3 || (code === 0 && out === '')) return resolve({})
        const { decision, reason, input } = code === 0 ? JSON.parse(out) : {}
        if (decision === 'rewrite' && typeof input === 'object' && input !== null) resolve({ input })
        else refuse(decision === 'deny' ? reason : undefined)
      } catch {
        refuse()
      }
    })
    child.stdin.end(payload)
  })
}

/** What cannot be told is refused, like what is not answered. */
async function ask(event, members) {
  try {
    return await tell(event, JSON.stringify({ ...members, hook_event_name: event }), members.cwd)
  } catch {
    return { reason: 'sworn cannot be told, so the call was refused' }
  }
}

/** The object stays the client's, with other members; \`__proto__\` is a name like any other. */
function change(args, input) {
  for (const name of Object.keys(args)) if (!Object.hasOwn(input, name)) delete args[name]
  const member = { enumerable: true, configurable: true, writable: true }
  for (const [name, value] of Object.entries(input)) Object.defineProperty(args, name, { ...member, value })
}
`

const BODIES: Readonly<Record<PluginName, string>> = {
  opencode: `import { spawnSync } from 'node:child_process'

/** The same without an answer, for what the client does not wait for: it may end right after. */
function tellNow(event, members) {
  const input = JSON.stringify({ ...members, hook_event_name: event })
  spawnSync(program, [...words, event, ...flags], { cwd: members.cwd, input, stdio: ['pipe', 'ignore', 'ignore'], timeout: 10_000 })
}

export const Sworn = async ({ directory: cwd }) => ({
  'tool.execute.before': async ({ tool, sessionID, callID }, { args }) => {
    const call = { session_id: sessionID, tool_use_id: callID, tool_name: tool, tool_input: args, cwd }
    const { reason, input } = await ask('tool.execute.before', call)
    if (reason !== undefined) throw new Error(reason)
    if (input !== undefined) change(args, input)
  },
  'tool.execute.after': async ({ tool, sessionID, callID, args }, { output }) => {
    const call = { session_id: sessionID, tool_use_id: callID, tool_name: tool, tool_input: args, cwd }
    await ask('tool.execute.after', { ...call, tool_response: output })
  },
  'chat.message': async ({ sessionID }, { parts = [] }) => {
    const prompt = parts.flatMap(({ type, text }) => (type === 'text' ? [text] : [])).join('\\n')
    await ask('chat.message', { session_id: sessionID, prompt, cwd })
  },
  event: async ({ event: { type, properties = {} } }) => {
    const told = ['session.created', 'session.idle', 'session.compacted', 'session.error', 'session.deleted']
    const session = properties.sessionID ?? properties.info?.id
    if (!told.includes(type) || session === undefined) return
    tellNow(type, { session_id: session, reason: properties.info?.parentID, error: properties.error, cwd })
  },
})
`,
  pi: `export default function (pi) {
  const about = (ctx, members) => ({ session_id: ctx.sessionManager.getSessionId(), cwd: ctx.cwd, ...members })
  const callOf = ({ toolCallId, toolName, input }) => ({ tool_use_id: toolCallId, tool_name: toolName, tool_input: input })
  pi.on('tool_call', async (event, ctx) => {
    const { reason, input } = await ask('tool_call', about(ctx, callOf(event)))
    if (reason !== undefined) return { block: true, reason }
    if (input !== undefined) change(event.input, input)
  })
  pi.on('tool_result', async (event, ctx) => {
    await ask('tool_result', about(ctx, { ...callOf(event), tool_response: event.content, is_error: event.isError }))
  })
  pi.on('before_agent_start', async ({ prompt }, ctx) => {
    await ask('before_agent_start', about(ctx, { prompt }))
  })
  for (const name of ['session_start', 'session_compact', 'agent_end', 'session_shutdown'])
    pi.on(name, async ({ reason }, ctx) => {
      await ask(name, about(ctx, { reason }))
    })
}
`,
}
