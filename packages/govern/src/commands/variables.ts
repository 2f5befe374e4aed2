/** Which variables change what other programs do. @module */

/** The value is a command that some program will run. */
const COMMANDS =
  /^(GIT_(SSH_COMMAND|SSH|PAGER|EDITOR|SEQUENCE_EDITOR|EXTERNAL_DIFF|ASKPASS|PROXY_COMMAND)|PAGER|MANPAGER|SYSTEMD_PAGER|BAT_PAGER|EDITOR|VISUAL|LESSOPEN|LESSCLOSE|BROWSER|SSH_ASKPASS|SUDO_ASKPASS|PROMPT_COMMAND|RUSTC_WRAPPER|CC|CXX|LD|FZF_DEFAULT_COMMAND)$/
/** Code enters every program that starts, or the record of commands is lost. */
const DANGEROUS =
  /^(LD_(PRELOAD|AUDIT|LIBRARY_PATH)|DYLD_.*|BASH_ENV|ENV|PS4|BASH_(FUNC_.*|CMDS|ALIASES)|ZDOTDIR|GIT_CONFIG.*|GIT_EXEC_PATH|GIT_TEMPLATE_DIR|NODE_OPTIONS|PYTHONSTARTUP|PERL5OPT|PERL5LIB|RUBYOPT|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS)$/
const TRACES = /^(HISTFILE|HISTSIZE|HISTFILESIZE|HISTCONTROL|HISTIGNORE)$/
const HARMLESS = /^(LC_[A-Z]+|LANG|LANGUAGE|TZ|NO_COLOR|FORCE_COLOR|CLICOLOR|CI|TERM|DEBUG|VERBOSE|POSIXLY_CORRECT)$/
/** zsh evaluates what is assigned to them. */
const NUMBERS = /^(COLUMNS|LINES|OPTIND)$/
/** Lower-case names that programs read all the same. */
const READ_BY_PROGRAMS =
  /^(https?_proxy|ftp_proxy|all_proxy|no_proxy|npm_config_.*|path|fpath|cdpath|manpath|mailpath|module_path|fignore|prompt|precmd|preexec|chpwd|periodic|zsh\w+|\w+_functions|histchars|argv|(dis_)?(functions|aliases|galiases|saliases|builtins|reswords|patchars)|commands|nameddirs|options|widgets|keymaps|psvar|watch)$/

export type VariableKind = 'harmless' | 'number' | 'command' | 'dangerous' | 'traces' | 'other'

/** @param exported whether a program is certain to see it; a plain assignment may be to an exported variable */
export function classifyVariable(name: string, exported: boolean): VariableKind {
  if (COMMANDS.test(name)) return 'command'
  if (DANGEROUS.test(name)) return 'dangerous'
  if (TRACES.test(name)) return 'traces'
  if (HARMLESS.test(name)) return 'harmless'
  if (NUMBERS.test(name)) return 'number'
  return !exported && /^[a-z_][a-z0-9_]*$/.test(name) && !READ_BY_PROGRAMS.test(name) ? 'harmless' : 'other'
}

const SEARCHED = /^(PATH|IFS|PYTHONPATH|PYTHONHOME|NODE_PATH|RUBYLIB|CLASSPATH|path)$/

/** True when whoever sets it chooses which programs or code will be run. */
export function choosesPrograms(name: string): boolean {
  const kind = classifyVariable(name, true)
  return kind === 'command' || kind === 'dangerous' || SEARCHED.test(name)
}
