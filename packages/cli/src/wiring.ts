/**
 * Configuration values as the options of the parts that are opened with them.
 * @module
 */
import { dlpScanner } from '@sworn/govern'
import {
  type AuditBlock,
  createVault,
  type LoadedConfig,
  type OpenPortOptions,
  type previousLog,
  type RecorderOptions,
  type RecorderSettings,
  type RecordingPort,
  type RedactOptions,
} from '@sworn/recorder'
import { VERSION } from './frame/version.ts'

/** A new ledger's predecessor: what `previousLog` of the recorder found. */
export type PreviousLog = ReturnType<typeof previousLog>

export interface AgentIdentity {
  readonly name: string
  readonly version?: string
  readonly framework?: string
  readonly model?: string
}

/** Who acts, and how we know. */
export interface Identity {
  readonly user?: string
  readonly user_source: 'config' | 'env' | 'os' | 'none'
  readonly agent?: AgentIdentity
}

export function toPortOptions({ values, directories }: LoadedConfig, previousLog: PreviousLog | undefined): OpenPortOptions {
  return {
    path: values.log_path,
    home: directories.state,
    version: VERSION,
    scanner: { name: dlpScanner.name, version: dlpScanner.version, hash: dlpScanner.hash },
    ...(values.hash && { hash: values.hash }),
    ...(values.signing === 'record' && { recordSignatures: 'all' }),
    ...(previousLog && { previousLog }),
    ...(values.rotate_bytes && { rotateBytes: values.rotate_bytes }),
    ...(values.shared_file_system && { sharedFileSystem: true }),
    ...(values.signing_key && { signingKey: values.signing_key }),
  }
}

export function toRecorderOptions(config: LoadedConfig, port: RecordingPort, identity: Identity): RecorderOptions {
  const { queue } = config.values
  return {
    port,
    ...(identity.user && { user: identity.user }),
    userSource: identity.user_source,
    ...(identity.agent && { agent: identity.agent }),
    ...toSettings(config),
    ...(queue && { queue: toQueue(queue) }),
    vault: createVault({ home: config.directories.state, info: port.info }),
  }
}

/** What a reload may change. */
export function toSettings({ values }: LoadedConfig): RecorderSettings {
  return {
    redact: toRedactOptions(values.redact ?? []),
    ...(values.events && { events: values.events }),
    ...(values.log_level && { logLevel: values.log_level }),
    onAuditFailure: values.on_audit_failure,
  }
}

function toRedactOptions(redact: NonNullable<AuditBlock['redact']>): RedactOptions {
  const keys = redact.filter((rule) => typeof rule === 'string')
  return { scanner: dlpScanner, keys, paths: redact.filter((rule) => typeof rule !== 'string') }
}

function toQueue({ max, when_full }: NonNullable<AuditBlock['queue']>): NonNullable<RecorderOptions['queue']> {
  return { ...(max !== undefined && { max }), ...(when_full !== undefined && { whenFull: when_full }) }
}
