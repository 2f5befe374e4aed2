/**
 * The shape of a file of tools: Gantz's `tools:` list as its tutorial writes it, and what we add to it.
 * @module
 */
import { z } from 'zod'

const text = z.string().min(1).max(4096)
/** What the operating system takes. */
const path = text.regex(/^[^\0]*$/, 'text without NUL was expected')
/** Without `}}` in it, and usable as part of the name of a variable. */
const name = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'letters, digits and _ were expected, 64 at most')
  .refine((text) => text !== '__proto__', 'a name that readers of JSON do not leave out was expected')
const toolName = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'letters, digits, _, - and . were expected, 128 at most')
const value = z.union([z.string().max(4096), z.number(), z.boolean()])

const parameter = z.strictObject({
  name,
  type: z.enum(['string', 'integer', 'number', 'boolean']).default('string'),
  description: text.optional(),
  required: z.boolean().default(false),
  enum: z.array(value).min(1).max(1000).optional(),
  default: value.optional(),
  leading_dash: z.boolean().default(false),
})

const script = z
  .strictObject({
    shell: z.string().min(1).max(65_536).optional(),
    command: path.optional(),
    args: z.array(z.string().max(4096)).max(1000).optional(),
    working_dir: path.optional(),
    timeout: z
      .string()
      .regex(/^[1-9]\d{0,5}(ms|s|m)$/, 'a time such as 500ms, 30s or 5m was expected')
      .default('30s'),
    max_output: z
      .int()
      .min(1)
      .max(1 << 20)
      .default(1 << 20),
  })
  .refine(({ shell, command }) => (shell === undefined) !== (command === undefined), 'either shell or command was expected')
  .refine(({ shell, args }) => shell === undefined || args === undefined, 'args belong to command: a shell gets its values by name')

const tool = z.strictObject({
  name: toolName,
  description: text.default(''),
  audit: z.boolean().default(true),
  parameters: z.array(parameter).max(100).default([]),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, 'the name of a variable was expected'))
    .max(100)
    .default([]),
  script,
})

export const toolsSchema = z.strictObject({
  name: text.default('tools'),
  version: text.default('0'),
  audit: z.looseObject({}).optional(),
  tools: z.array(tool).min(1).max(500),
})

export type ToolDocument = z.infer<typeof toolsSchema>['tools'][number]

/** Names of members by the kind of place that they are in, for suggestions. */
export const KEYS = {
  top: Object.keys(toolsSchema.shape),
  tool: Object.keys(tool.shape),
  parameter: Object.keys(parameter.shape),
  script: Object.keys(script.shape),
} as const
