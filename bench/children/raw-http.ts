/** The least that can stand between client and server over HTTP in Node: streams piped both ways. @module */
import { Agent, createServer, request } from 'node:http'
import { sayAddress } from '../harness/http-child.ts'

const { hostname, port, pathname: path } = new URL(process.argv[2]!)
const agent = new Agent({ keepAlive: true, noDelay: true })

const server = createServer({ noDelay: true }, (incoming, response) => {
  const outgoing = request({ hostname, port, path, method: incoming.method!, headers: incoming.headers, agent }, (reply) => {
    response.writeHead(reply.statusCode!, reply.headers)
    reply.pipe(response)
  })
  outgoing.on('error', () => response.destroy())
  incoming.pipe(outgoing)
})
await sayAddress(server)
