/** Configuration: where it stands, what it may say, what is in force. @module */
export { type Directories, findDirectories, type Platform } from './directories.ts'
export { type ConfigFile, type LoadedConfig, type LoadOptions, loadConfig, type Origin, type OriginKind } from './load.ts'
export { readConfig } from './read.ts'
export { AUDIT_KEYS, type AuditBlock, type AuditKey, auditSchema, configJsonSchema } from './schema.ts'
export { didYouMean, findSuggestion } from './suggest.ts'
export { type ConfigRefusal, hashConfig, type TrustedFiles } from './trust.ts'
export { readTextFile, readTrusted, rememberTrusted } from './trust-store.ts'
