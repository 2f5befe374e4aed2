/**
 * What the hand-over asks of the operating system, as values, so that tests can be another one.
 *
 * The lock of a ledger is a listening endpoint: the kernel frees it when its holder dies, and nothing
 * depends on age. Names come from the directory's device and inode, so every path to one ledger
 * leads to one lock. Source: docs/format.md, several processes.
 * @module
 */
import { createHash } from 'node:crypto'
import { readFileSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Platform {
  readonly kind: 'linux' | 'darwin' | 'win32'
  /** Identifies this boot of this machine; empty when unknown. */
  readonly bootId: string
  /** 0700 directory of this user, for socket files whose path would be too long. */
  readonly runtimeDirectory: string
  /** Undefined where files have no owner. */
  readonly uid: number | undefined
  /** True when other machines may see the same files. */
  readonly isShared: (directory: string) => boolean
}

/** Where one ledger's lock and data endpoint are. */
export interface Places {
  readonly directory: string
  /** Name of the abstract socket or pipe; on macOS the prefix of socket files. */
  readonly lockAddress: string
  /** Path of the data socket, or the name of the data pipe. */
  readonly dataAddress: string
  readonly lockFile: string
}

/** Longest socket path that every supported Node and kernel takes whole. */
const MAX_SOCKET_PATH = 100
/** Characters of the name where a path has to stay short. */
const SHORT_NAME = 16
/** statfs types of NFS, SMB, CIFS, SMB2, 9p, FUSE, AFS, Ceph. */
const SHARED_TYPES: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x5346414f, 0x00c36400])

/** The platform this process runs on. */
export function nodePlatform(env: NodeJS.ProcessEnv = process.env): Platform {
  const uid = process.getuid?.()
  const kind = process.platform === 'win32' ? 'win32' : process.platform === 'linux' ? 'linux' : 'darwin'
  return {
    kind,
    bootId: kind === 'linux' ? readBootId() : '',
    runtimeDirectory: join(env.XDG_RUNTIME_DIR || tmpdir(), uid === undefined ? 'sworn' : `sworn-${uid}`),
    uid,
    isShared: (directory) => SHARED_TYPES.has(statfsSync(directory).type),
  }
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'ascii').trim()
  } catch {
    return '' // a sandbox without /proc: the check of the boot is skipped, the lock still holds
  }
}

/** The addresses of the ledger in `directory`, which exists. */
export function findPlaces(directory: string, platform: Platform): Places {
  const { dev, ino } = statSync(directory, { bigint: true })
  const name = createHash('sha256').update(`${dev} ${ino}`, 'ascii').digest('hex').slice(0, 32)
  const own = join(directory, 'log.sock')
  const short = Buffer.byteLength(own) <= MAX_SOCKET_PATH
  const socket = short ? own : join(platform.runtimeDirectory, `${name}.sock`)
  return {
    directory,
    lockAddress: lockAddress(name, platform),
    dataAddress: platform.kind === 'win32' ? `\\\\.\\pipe\\sworn-${name}-data` : socket,
    lockFile: join(directory, 'log.lock'),
  }
}

function lockAddress(name: string, platform: Platform): string {
  switch (platform.kind) {
    case 'linux':
      return `\0sworn/${name}`
    case 'win32':
      return `\\\\.\\pipe\\sworn-${name}`
    case 'darwin':
      return join(platform.runtimeDirectory, name.slice(0, SHORT_NAME)) // the prefix of the candidates' names
  }
}
