/** A model server on loopback that Gemini CLI understands, by the script of the fake model. @module */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FakeModel, ModelRequest, Script } from '../../../../testkit/src/fake-model.ts'
import type { Turn } from '../../../../testkit/src/fake-model-dialects.ts'

/** Its question which model to take; an answer that is not this is asked for again, with growing pauses. */
const ROUTED: Turn = { text: JSON.stringify({ reasoning: 'x', model_choice: 'flash', complexity_score: 1, complexity_reasoning: 'x' }) }
const asksForJson = ({ body }: ModelRequest) =>
  (body.generationConfig as { responseMimeType?: string } | undefined)?.responseMimeType === 'application/json'

export async function startGeminiModel(script: Script): Promise<FakeModel> {
  const requests: ModelRequest[] = []
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming)
    const n = requests.push(request) - 1
    const said = asksForJson(request)
      ? ROUTED
      : typeof script === 'function'
        ? script(request, n)
        : (script[Math.min(n, script.length - 1)] ?? {})
    const text = JSON.stringify(contentOf(said))
    const isStream = request.path.endsWith(':streamGenerateContent')
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
    response.end(isStream ? `data: ${text}\r\n\r\n` : text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<ModelRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
  const tools = (body.tools ?? []).flatMap(({ functionDeclarations = [] }) => functionDeclarations)
  return { path: (incoming.url ?? '').split('?')[0] ?? '', model: 'm', body: { ...body, tools } }
}

function contentOf({ text, tools }: Turn): object {
  const calls = tools?.map(({ name, args }) => ({ functionCall: { name, args } })) ?? []
  const parts = [...(text === undefined ? [] : [{ text }]), ...calls]
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 }
  return { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }], usageMetadata, modelVersion: 'm' }
}
