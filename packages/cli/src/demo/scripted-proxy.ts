/**
 * `sworn proxy` with a script at its terminal: it reads the question, types the answer, and keeps what was said in a
 * file. Only the hands on the keyboard are not real.
 * @module
 */
import { appendFileSync } from 'node:fs'
import { PassThrough, Writable } from 'node:stream'
import type { Terminal } from '@sworn/govern/approvals'
import { proxy } from '../commands/proxy.ts'
import { createNodeIo } from '../frame/node-io.ts'
import { runWith } from '../frame/run.ts'

const PROMPT = /yes (\d+) [\s\S]*> $/

/** Says no to whatever names `private`, and yes once to everything else. */
function openScripted(transcript: string): Terminal {
  const input = new PassThrough()
  let shown = ''
  const output = new Writable({
    write(bytes: Buffer, _encoding, done) {
      appendFileSync(transcript, bytes)
      shown += bytes.toString('utf8')
      const code = PROMPT.exec(shown)?.[1]
      if (code !== undefined) {
        const typed = `${shown.includes('private') ? 'no' : `yes ${code}`}\n`
        shown = ''
        appendFileSync(transcript, typed)
        input.write(typed)
      }
      done()
    },
  })
  return { input, output, close: () => void input.destroy() }
}

const [transcript = '', ...argv] = process.argv.slice(2)
const io = Object.create(createNodeIo(), { openTerminal: { value: () => openScripted(transcript) } })
process.exitCode = await runWith([{ name: 'proxy', about: '', load: async () => proxy }], argv, io)
