/**
 * The collector as a configuration names it.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { checkWhole, collectorSink } from './collector.ts'
import { collectorHoldings } from './collector-holdings.ts'
import { sinkType } from './sink-type.ts'
import { http, readPem, token } from './values.ts'

export const collector = sinkType(
  'collector',
  'another sworn, that checks each line, keeps a mirror and cosigns',
  { ...http, ...token },
  ({ url, addresses, ca_file: ca, token: value, token_file: file, ...rest }, { secret, now, ledgerPath }) => {
    checkWhole(rest)
    const found = secret(value, file)
    if (found === undefined) throw new SwornError('CONFIG_INVALID', 'the token of a collector was expected', 'audit.sinks.token')
    const common = { url, addresses, ca: readPem(ca), token: found, ledgerPath }
    return { open: collectorSink({ ...common, name: rest.name ?? 'collector', now }), holdings: collectorHoldings(common), records: 'all' }
  },
)
