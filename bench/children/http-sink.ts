/** A server that takes whatever is posted, after so many milliseconds. Says its address. @module */
import { createServer } from 'node:http'
import { sayAddress } from '../harness/http-child.ts'

const delayMs = Number(process.argv[2] ?? 0)

await sayAddress(
  createServer((request, response) => {
    const answer = () => void response.end('{}')
    request.resume().on('end', () => (delayMs > 0 ? setTimeout(answer, delayMs) : answer()))
  }),
)
