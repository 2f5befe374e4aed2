/**
 * Writes a signature into the text of a policy; every other byte stays as it was. Source: AIP v1alpha2 §3.3.1.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { SwornError } from '@sworn/recorder'
import { isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { signPolicy } from '../identity/signature.ts'
import { parseYaml } from './yaml.ts'

/**
 * @param source as `loadPolicy`; YAML or JSON. A signature that it has is replaced
 * @param privateKey Ed25519
 * @returns the signed text; what else the policy says is for `loadPolicy` to check
 * @throws SwornError POLICY_INVALID when it has no `metadata.name`
 */
export function signPolicyText({ text, name }: { text: string; name: string }, privateKey: KeyObject): string {
  const { value, place } = parseYaml(text, name)
  const refuse = () => new SwornError('POLICY_INVALID', 'a name was expected', place(['metadata', 'name']))
  const lines = new LineCounter()
  const metadata = parseDocument(text, { lineCounter: lines }).get('metadata', true)
  const named = isMap(metadata) ? memberOf(metadata, 'name') : undefined
  if (!isMap(metadata) || !named) throw refuse()
  const signature = JSON.stringify(signPolicy(value as Readonly<Record<string, unknown>>, privateKey)) // it has members
  const present = memberOf(metadata, 'signature')
  if (present) return text.slice(0, present.from) + signature + text.slice(present.to)
  if (metadata.flow) return `${text.slice(0, named.to)}, "signature": ${signature}${text.slice(named.to)}`
  const line = `${' '.repeat(lines.linePos(named.key).col - 1)}signature: ${signature}\n`
  const end = text.indexOf('\n', named.to) + 1 // behind the name's comment
  return end > 0 ? text.slice(0, end) + line + text.slice(end) : `${text}\n${line}`
}

/** Offsets of a member: of its key, and from where to where its value stands. */
interface Place {
  readonly key: number
  readonly from: number
  readonly to: number
}

function memberOf(map: YAMLMap, name: string): Place | undefined {
  const { key, value } = map.items.find((item) => isScalar(item.key) && item.key.value === name) ?? ({} as Partial<Pair>)
  if (!isScalar(key) || !isScalar(value) || !key.range || !value.range) return undefined
  return { key: key.range[0], from: value.range[0], to: value.range[1] }
}
