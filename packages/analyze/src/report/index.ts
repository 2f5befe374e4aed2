/**
 * Reports and evidence for frameworks: all that a command or a page asks for, behind one door.
 * @module
 */
export type { Sampling } from './evidence.ts'
export type { Framework } from './framework.ts'
export { FRAMEWORKS } from './frameworks/index.ts'
export { formatHtml } from './html.ts'
export { toIntegrity } from './integrity.ts'
export { formatMarkdown } from './markdown.ts'
export { toDocument } from './pages/index.ts'
export { createReport, type ReportOptions, toScope } from './report.ts'
export type { Report } from './types.ts'
