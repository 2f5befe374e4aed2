/** What a file of tools says, checked and ready to run. @module */

export type Argument = string | number | boolean

export interface Parameter {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly required: boolean
  readonly values?: readonly Argument[]
  /** Stands for an argument that is not given; absent: the empty text. */
  readonly fallback?: Argument
  /** True takes a value that begins with `-` where a program could read it as an option. */
  readonly leadingDash: boolean
}

/** A word of a command: literal text and names of parameters in turn, literal first. */
export type Template = readonly string[]

/** A word that begins with values: a program could read it as an option. */
export interface Head {
  /** In turn; where one is empty the next begins the word. */
  readonly parameters: readonly string[]
  /** A `-` of the script follows them. */
  readonly dash: boolean
}

/** What is started, without a value in it. */
export type Script =
  | { readonly form: 'shell'; readonly text: string }
  | { readonly form: 'command'; readonly command: string; readonly args: readonly Template[] }

export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly script: Script
  readonly heads: readonly Head[]
  /** Names of variables that it may see besides those that every tool sees. */
  readonly variables: readonly string[]
  /** Absolute. */
  readonly directory: string
  readonly timeoutMs: number
  readonly outputBytes: number
  /** False: its allowed calls are not recorded. */
  readonly audit: boolean
}

export interface ToolFile {
  /** It has an `audit:` block: the configuration of the recorder. */
  readonly configures: boolean
  readonly name: string
  readonly version: string
  readonly tools: readonly Tool[]
}
