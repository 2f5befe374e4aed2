/**
 * `sworn demo`: the main job against the small server that ships with sworn, in a fresh temporary directory.
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DemoPlan, runDemo } from '../demo/script.ts'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { runWith } from '../frame/run.ts'
import { verify } from './verify.ts'

export const demo = defineCommand({
  args: '',
  flags: {},
  example: 'sworn demo',
  async run(_args, _flags, io) {
    const place = mkdtempSync(join(tmpdir(), 'sworn-demo-'))
    const ledger = join(place, 'audit')
    const code = await runDemo(createPlan({ place, ledger, server: shipped('server', io), io }), io)
    await io.out(`\nThe ledger stays in ${ledger}; look at it with`)
    await io.out(`  SWORN_HOME=${join(place, 'home')} sworn verify ${ledger}\n  sworn query ${ledger} --decision deny`)
    return code
  },
})

/** A plan whose `sworn` runs in this process, but for the proxy. */
export function createPlan(options: Pick<DemoPlan, 'place' | 'ledger' | 'server'> & { readonly io: Io }): DemoPlan {
  const { io, ...rest } = options
  const home = join(rest.place, 'home')
  const inside: Io = Object.create(io, { env: { value: { ...io.env, SWORN_HOME: home } }, cwd: { value: rest.place } })
  return {
    ...rest,
    home,
    proxy: shipped('scripted-proxy', io),
    sworn: (argv) => runWith([{ name: 'verify', about: '', load: async () => verify }], argv, inside),
  }
}

/** How a program beside the demo is started; its file has the extension of this one: `.ts` in source, `.js` when built. */
function shipped(name: 'server' | 'scripted-proxy', io: Io): string[] {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const [node = process.execPath, ...flags] = io.self.slice(0, -1)
  return [node, ...flags, fileURLToPath(new URL(`../demo/${name}.${extension}`, import.meta.url))]
}
