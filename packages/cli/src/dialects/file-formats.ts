/**
 * Formats that are files of their own kind and not lines: what they can say, for the manifest and the reference.
 * @module
 */
import { type Descriptor, DIALECTS, MEMBER_PLACES } from '@sworn/dialects/formats'

const ROWS = DIALECTS.find(({ name }) => name === 'aegis-rows')!

export const FILE_FORMATS: readonly (Descriptor & { readonly read: boolean })[] = [
  {
    name: 'aegis-sqlite',
    title: 'Aegis audit_log table',
    source: ROWS.source,
    mediaType: 'application/vnd.sqlite3',
    extension: 'db',
    names: ROWS.names,
    rest: ROWS.rest,
    loss: [...ROWS.loss, 'Needs Node 24.16 or newer, for its SQLite.'],
    read: true,
  },
  {
    name: 'parquet',
    title: 'Apache Parquet',
    source: 'DuckDB 1.5, COPY … (FORMAT parquet)',
    mediaType: 'application/vnd.apache.parquet',
    extension: 'parquet',
    names: MEMBER_PLACES,
    rest: 'column `own`',
    loss: ['Objects are JSON text in their column.', 'Needs `@duckdb/node-api` installed next to sworn.', 'It cannot be read back.'],
    read: false,
  },
]
