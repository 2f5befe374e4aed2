/**
 * Reading a policy, its schema, and a policy in words.
 *
 * Apart from the main export, because a gate without a policy needs neither the reader of YAML nor the checker.
 * @module
 */
export { explainPolicy } from '../explain.ts'
export { isSignedPolicy, parsePolicyKey, signPolicy } from '../identity/signature.ts'
export { type ActedOn, isSignatureFault, type LoadPolicyOptions, loadPolicy } from './load.ts'
export { type PolicyDocument, policyJsonSchema, policySchema } from './schema.ts'
