/**
 * Where writing is more than changing a file: what the system, a shell or a tool obeys, and devices.
 *
 * Spellings only: links and `..` behind a variable are for the path rules, which get every path.
 * @module
 */

const HARMLESS = /^\/dev\/(null|stdout|stderr|stdin|tty|zero|full|fd\/\d+)$/
const NETWORK = /^\/dev\/(tcp|udp)\//
const SYSTEM =
  /^\/(etc|usr|bin|sbin|lib|lib32|lib64|libx32|boot|sys|proc|dev|var|root|opt|run|snap|srv|System|Library|Applications|private|Windows)(\/|$)|^[A-Za-z]:[\\/]+Windows/i
const TEMPORARY = /^\/(var\/tmp|var\/folders|private\/tmp|private\/var\/folders|dev\/shm|run\/user)\//
/** Files and folders, anywhere, whose content is obeyed by a shell, a scheduler, ssh, git or an agent. */
const OBEYED =
  /(^|\/)(\.(bash|zsh|k|csh|tcsh)rc|\.bash_(profile|login|logout|aliases)|\.z(shenv|profile|login|logout)|\.profile|\.inputrc|\.envrc|\.xinitrc|\.xprofile|\.netrc|\.npmrc|\.pypirc|\.gitconfig|\.gitmodules|\.vimrc|\.exrc|\.emacs|\.screenrc|\.tmux\.conf|authorized_keys|\.(bash|zsh|sh|python|node_repl)_history|sudoers|crontab|id_(rsa|dsa|ecdsa|ed25519)|sworn\.ya?ml|agent\.ya?ml|\.mcp\.json)$|(^|\/)(\.ssh|\.gnupg|\.aws|\.kube|\.docker|\.git|\.claude|\.codex|\.gemini|\.cursor|\.local\/bin)(\/|$)|(^|\/)(\.config|autostart|LaunchAgents|LaunchDaemons|cron\.[a-z]+)\//

/** 'none': no effect outside the process. 'network': bash opens a connection. */
export type Place = 'none' | 'ordinary' | 'system' | 'network'

/** @param path as written; `~`, `$HOME` and `.` segments are read, nothing is looked up */
export function classifyPlace(path: string): Place {
  if (path === '') return 'ordinary'
  const plain = collapse(path.replace(/^(\$HOME|\$\{HOME\})(?=\/|$)/, '~'))
  if (NETWORK.test(plain)) return 'network'
  if (HARMLESS.test(plain)) return 'none'
  if (plain === '/' || plain === '~' || plain === '/home' || plain === '/Users') return 'system'
  if (TEMPORARY.test(plain)) return 'ordinary'
  return SYSTEM.test(plain) || OBEYED.test(plain) ? 'system' : 'ordinary'
}

function collapse(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '.' || (part === '' && parts.length > 0)) continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') {
      if (parts.length > 1 || parts[0] !== '') parts.pop()
    } else parts.push(part)
  }
  return parts.length === 1 && parts[0] === '' ? '/' : parts.join('/')
}
