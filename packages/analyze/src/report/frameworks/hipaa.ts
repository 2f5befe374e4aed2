/** The HIPAA Security Rule: audit controls, integrity, and who did what. @module */
import type { Framework } from '../framework.ts'
import * as rules from './rules.ts'

const TEXT = '45 CFR'
/** Six years with their leap days. */
const SIX_YEARS = 2192

export const hipaa: Framework = {
  id: 'hipaa',
  title: 'HIPAA Security Rule',
  edition: '45 CFR Part 164, Subpart C. Changes proposed in January 2025 (90 FR 898) are not in here.',
  sources: ['https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C'],
  controls: [
    {
      id: '164.308(a)(1)(ii)(D)',
      title: 'Review of activity',
      requires: 'Records of system activity are reviewed regularly.',
      source: `${TEXT} 164.308(a)(1)(ii)(D)`,
      evidence: [rules.ALERTS, rules.ANSWERED],
      beyond: 'that somebody reviewed them; this report can be a part of it.',
    },
    {
      id: '164.308(a)(5)(ii)(C)',
      title: 'Log-in monitoring',
      requires: 'Attempts to log in are monitored and discrepancies reported.',
      source: `${TEXT} 164.308(a)(5)(ii)(C)`,
      evidence: [rules.AUTHENTICATION, rules.IDENTITY],
      beyond: 'log-ins to systems behind the agent.',
    },
    {
      id: '164.312(a)(1)',
      title: 'Access control',
      requires: 'Only persons and programs with access rights get at protected health information.',
      source: `${TEXT} 164.312(a)(1)`,
      evidence: [rules.BY_USER, rules.DENIALS],
      claims: ['chain'],
      beyond: 'which entries concern protected health information.',
    },
    {
      id: '164.312(a)(2)(i)',
      title: 'Unique user identification',
      requires: 'Every user is identified and can be traced.',
      source: `${TEXT} 164.312(a)(2)(i)`,
      evidence: [rules.BY_USER],
      against: [rules.USER_UNKNOWN],
      beyond: 'that a name stands for one person.',
    },
    {
      id: '164.312(b)',
      title: 'Audit controls',
      requires: 'Activity in systems with protected health information is recorded and examined.',
      source: `${TEXT} 164.312(b)`,
      evidence: [rules.TOOL_CALLS, rules.DATA, rules.DECISIONS, rules.COVERAGE],
      against: [rules.GAPS, rules.UNCLEAN],
      claims: ['chain', 'complete'],
      beyond: 'activity that passes no layer that records.',
    },
    {
      id: '164.312(c)(1)',
      title: 'Integrity',
      requires: 'Protected health information is not altered or destroyed improperly.',
      source: `${TEXT} 164.312(c)(1)`,
      evidence: [{ shows: 'data that was changed', types: ['data_modification'] }, rules.CHECKPOINTS],
      claims: ['chain', 'tree', 'signed'],
      beyond: 'the integrity of the data themselves; the claims are of this ledger.',
    },
    {
      id: '164.312(d)',
      title: 'Authentication',
      requires: 'Who seeks access is who they claim to be.',
      source: `${TEXT} 164.312(d)`,
      evidence: [rules.AUTHENTICATION, rules.IDENTITY],
      beyond: 'authentication outside this ledger.',
    },
    {
      id: '164.316(b)(2)(i)',
      title: 'Six years of documentation',
      requires: 'Documentation is kept six years from when it was made or was last in force.',
      source: `${TEXT} 164.316(b)(2)(i)`,
      evidence: [rules.RECORDER],
      claims: ['chain', 'complete'],
      keptDays: SIX_YEARS,
      beyond: 'which entries are documentation in the sense of the rule.',
    },
  ],
}
