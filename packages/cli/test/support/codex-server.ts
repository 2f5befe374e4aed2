/** What the real Codex says of its hooks, and trusts, through its own app-server: as `/hooks` does. @module */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { endWithTests } from '../../../../testkit/src/children.ts'

export interface ListedHook {
  readonly key: string
  readonly currentHash: string
  readonly trustStatus: string
}

interface Asking {
  readonly program: string
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** Every hook of the folder; trusted afterwards, when `trusts`. */
export async function listCodexHooks({ program, cwd, env }: Asking, trusts: boolean): Promise<readonly ListedHook[]> {
  const child = endWithTests(spawn(program, ['app-server'], { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] }))
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`)
  async function ask(id: number, method: string, params: object): Promise<{ readonly data?: readonly { hooks: readonly ListedHook[] }[] }> {
    say({ id, method, params })
    for (;;) {
      const { value, done } = await answers.next()
      if (done) throw new Error(`Codex ended before it answered ${method}`)
      const answer = JSON.parse(value)
      if (answer.id !== id) continue
      if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
      return answer.result
    }
  }
  try {
    await ask(1, 'initialize', { clientInfo: { name: 'test', version: '0' }, capabilities: { experimentalApi: true } })
    say({ method: 'initialized' })
    const hooks = (await ask(2, 'hooks/list', { cwds: [cwd] })).data?.flatMap((folder) => folder.hooks) ?? []
    const value = Object.fromEntries(hooks.map(({ key, currentHash }) => [key, { trusted_hash: currentHash }]))
    if (trusts) await ask(3, 'config/value/write', { keyPath: 'hooks.state', value, mergeStrategy: 'upsert' })
    return hooks
  } finally {
    child.kill()
  }
}
