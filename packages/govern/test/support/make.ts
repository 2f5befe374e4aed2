/** Short ways to make what the tests judge. @module */
import type { Action } from '@sworn/recorder'
import { count } from '../../../../testkit/src/suite.ts'
import { createGate, type GateOptions, type Platform, type Policy, type Profile } from '../../src/index.ts'
import { loadPolicy } from '../../src/policy/index.ts'

/** A file system of nothing: no path exists, so no link is followed. */
export const emptyDisk: Platform = {
  home: '/home/ada',
  cwd: '/srv/place',
  realpath(path) {
    throw new Error(`no ${path}`)
  },
}

/** A disk on which `links` are the only links; every path exists. */
export function linkedDisk(links: Readonly<Record<string, string>>): Platform {
  const realpath = (path: string): string => {
    for (const [link, target] of Object.entries(links)) {
      if (path === link || path.startsWith(`${link}/`)) return realpath(target + path.slice(link.length))
    }
    return path
  }
  return { ...emptyDisk, realpath }
}

/** @param spec YAML lines of `spec`, not indented */
export function policyOf(spec: string, profile: Profile = 'strict'): Policy {
  return loadPolicy({ text: policyText(spec), name: 'agent.yaml' }, { profile })
}

export function policyText(spec: string): string {
  const lines = spec.split('\n').map((line) => `  ${line}`)
  return `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata:\n  name: test\nspec:\n${lines.join('\n')}\n`
}

export function gateOf(spec: string, options: Partial<GateOptions> = {}) {
  return createGate({ policy: policyOf(spec, options.profile), platform: emptyDisk, ...options })
}

export function call(name: string, input: unknown = {}): Action {
  return { kind: 'tool', name, input, ids: {} }
}

/** Counts for property tests, and the one seed that they use. */
export const runs = { seed: 20260728, numRuns: count({ fast: 50, ci: 500, full: 5000 }) }
