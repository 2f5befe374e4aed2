/** Feeds the index of the ledger named by argv, in small pieces, until it is killed or done. */
import { openIndexDatabase } from '../../src/index/database.ts'
import { feedIndex } from '../../src/index/feed.ts'
import { findLedger } from '../../src/reading/index.ts'

const [directory] = process.argv.slice(2) as [string] // given by the test
const index = await openIndexDatabase(directory)
await feedIndex(index, findLedger(directory, '/'), { onProgress: () => void process.stdout.write('.') })
index.close()
