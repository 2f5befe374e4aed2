/**
 * The formats that are read and written, without filters and without what checks foreign logs.
 *
 * Apart from the main export, because an export loads neither.
 * @module
 */
export { AEGIS_COLUMNS, AEGIS_INSERT_SQL, AEGIS_TABLE_SQL, toAegisValues } from './codecs/aegis-rows.ts'
export type { Descriptor, Dialect, DialectOptions, DialectSigner, Writer, Written } from './dialect.ts'
export { type Event, MEMBER_PLACES, MEMBER_WORDS } from './members.ts'
export { DIALECTS } from './table.ts'
