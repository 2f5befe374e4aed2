/**
 * Reading a policy, its schema, and a policy in words.
 *
 * Apart from the main export, because a gate without a policy needs neither the reader of YAML nor the checker.
 * @module
 */
export { type FoundDifference, findDifferences } from '../differences.ts'
export { explainPolicy } from '../explain.ts'
export { isSignedPolicy, parsePolicyKey, signPolicy } from '../identity/signature.ts'
export { createMemoryCounters } from '../rate.ts'
export { type CaseOptions, type CaseResult, type PolicyCase, parseCases, runCases } from './cases.ts'
export { createLearner, type Learner } from './learn.ts'
export { type ActedOn, isSignatureFault, type LoadPolicyOptions, loadPolicy } from './load.ts'
export type { RecordedCall, RecordedEntry } from './recorded.ts'
export { createReplay, type Replayed } from './replay.ts'
export { type PolicyDocument, policyJsonSchema, policySchema } from './schema.ts'
export { signPolicyText } from './sign.ts'
export { type DescribedTools, readTools } from './tools.ts'
export { parseYaml, type Source } from './yaml.ts'
