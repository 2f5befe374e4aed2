/**
 * A small MCP server for `sworn demo`: four file tools in one directory. It knows nothing of sworn.
 * @module
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const root = resolve(process.argv[2] ?? '.')

/** A path inside the directory. */
function inside(path: string): string {
  const full = resolve(root, path)
  if (full !== root && !full.startsWith(root + sep)) throw new Error('outside of the directory')
  return full
}

const say = (text: string) => ({ content: [{ type: 'text' as const, text }] })

function createServer(): McpServer {
  const server = new McpServer({ name: 'sworn-demo-files', version: '1.0.0' })
  const path = z.string()
  server.registerTool('read_text_file', { description: 'Read a file', inputSchema: z.object({ path }) }, async (args) =>
    say(await readFile(inside(args.path), 'utf8')),
  )
  server.registerTool('list_directory', { description: 'List a directory', inputSchema: z.object({ path }) }, async (args) =>
    say((await readdir(inside(args.path))).join('\n')),
  )
  server.registerTool('create_directory', { description: 'Create a directory', inputSchema: z.object({ path }) }, async (args) => {
    await mkdir(inside(args.path))
    return say('created')
  })
  server.registerTool('write_file', { description: 'Write a file', inputSchema: z.object({ path, content: z.string() }) }, async (args) => {
    await writeFile(inside(args.path), args.content)
    return say('written')
  })
  return server
}

serveStdio(createServer)
