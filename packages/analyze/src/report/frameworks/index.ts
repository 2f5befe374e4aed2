/**
 * The frameworks there are, in the order of their help.
 * @module
 */
import type { Framework } from '../framework.ts'
import { euAiAct } from './eu-ai-act.ts'
import { gdpr } from './gdpr.ts'
import { hipaa } from './hipaa.ts'
import { iso42001 } from './iso-42001.ts'
import { nist80053 } from './nist-800-53.ts'
import { soc2 } from './soc2.ts'

export const FRAMEWORKS: readonly Framework[] = [euAiAct, soc2, gdpr, hipaa, nist80053, iso42001]
