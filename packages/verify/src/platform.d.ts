/** All that this package asks of its host besides ECMAScript. Adding a line here needs a reason. */
declare class TextEncoder {
  encode(s: string): Uint8Array<ArrayBuffer>
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(b: Uint8Array): string
}
