/**
 * What is checked with zod, and what reads YAML: the schemas of events and of `sworn.yaml`, and one file's reader.
 *
 * Apart from the main export, because a process that records needs none of it.
 * @module
 */
export { readConfig } from './config/read.ts'
export { auditSchema, configJsonSchema, FRAMEWORK_DAYS } from './config/schema.ts'
export { eventJsonSchema, eventSchema } from './event/schema.ts'
