/**
 * What the hand-over asks of the operating system, as values, so that tests can be another one.
 *
 * The lock of a ledger is a listening endpoint: the kernel frees it when its holder dies, and nothing
 * depends on age. Names come from the directory's device and inode, so every path to one ledger
 * leads to one lock. Source: docs/format.md, several processes.
 * @module
 */
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'

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
  /** The name of the network file system a directory lies on; undefined on a local one. */
  readonly networkFileSystem: (directory: string) => string | undefined
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
const FUSE = 0x65735546
/** statfs types of NFS, SMB, CIFS, SMB2, 9p, FUSE, AFS, Ceph. */
const SHARED_TYPES: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, FUSE, 0x5346414f, 0x00c36400])

/** Those on which neither locks nor syncs can be relied on. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
])
/** FUSE mounts that lead to another machine, by their type in mountinfo. */
const NETWORK_FUSE = /^fuse\.(?:s3fs|sshfs|rclone|goofys|gcsfuse|mount-s3|blobfuse2?|glusterfs|ceph)$/

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
    networkFileSystem: (directory) =>
      kind === 'linux' ? networkName(statfsSync(directory).type, () => mountType(realpathSync(directory), readMounts())) : undefined,
  }
}

/** By statfs type; FUSE is asked for the type of its mount. */
export function networkName(type: number, mount: () => string): string | undefined {
  if (type !== FUSE) return NETWORK_TYPES.get(type)
  const name = mount()
  return NETWORK_FUSE.test(name) ? name : undefined
}

/** The file system type that /proc/self/mountinfo names for `directory`; empty when it names none. */
export function mountType(directory: string, mounts: string): string {
  const found = mounts.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const point = before.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? ''
    const within = point === '/' || directory === point || directory.startsWith(`${point}/`)
    return point !== '' && within ? [{ point, type: after.split(' ')[0] ?? '' }] : []
  })
  return found.reduce((best, mount) => (mount.point.length >= best.point.length ? mount : best), { point: '', type: '' }).type
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return ''
  }
}

/** Locks do not reach other machines there, and a sync may not reach the disk. @throws SwornError IO_FAILED */
export function checkLocal(places: Places, platform: Platform): void {
  const name = platform.networkFileSystem(places.directory)
  if (name === undefined) return
  throw new SwornError(
    'IO_FAILED',
    `a local file system was expected, found ${name}, where neither locks nor syncs can be relied on (audit.shared_file_system takes it)`,
    places.directory,
  )
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
