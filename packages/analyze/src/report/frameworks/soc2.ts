/** SOC 2: the common criteria that a ledger of agents' actions has evidence for. @module */
import type { Framework } from '../framework.ts'
import * as rules from './rules.ts'

const TEXT = 'AICPA Trust Services Criteria (TSP section 100, 2017, points of focus revised 2022)'

export const soc2: Framework = {
  id: 'soc2',
  title: 'SOC 2',
  edition: `${TEXT}. For a type II report the population must be complete: see the claims of the verification and the gaps.`,
  sources: ['https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022'],
  controls: [
    {
      id: 'CC6.1',
      title: 'Logical access',
      requires: 'Access to information is restricted by software, infrastructure and architecture for logical access.',
      source: `${TEXT}, CC6.1`,
      evidence: [rules.BY_USER, rules.DENIALS, rules.AUTHENTICATION],
      against: [rules.USER_UNKNOWN],
      claims: ['chain', 'complete'],
      keptDays: 365,
      beyond: 'that access was given to the right people. One year is what the AIP audit guide asks for, not the criterion.',
    },
    {
      id: 'CC6.8',
      title: 'Unauthorized software',
      requires: 'Introduction of unauthorized or malicious software is prevented or detected, and acted upon.',
      source: `${TEXT}, CC6.8`,
      evidence: [
        {
          shows: 'commands and tools that were refused as dangerous or changed',
          types: ['authorization_decision'],
          where: 'decision == "deny" && reason_code in ["command_dangerous", "command_needs_review", "schema_mismatch", "protected_path"]',
        },
      ],
      beyond: 'software that reached the machine by other ways than an agent.',
    },
    {
      id: 'CC7.2',
      title: 'Monitoring for anomalies',
      requires: 'System components are monitored for anomalies that are signs of malicious acts, disasters and errors.',
      source: `${TEXT}, CC7.2`,
      evidence: [rules.TOOL_CALLS, rules.DENIALS, rules.ALERTS, rules.SENSITIVE],
      against: [rules.GAPS, rules.UNCLEAN],
      claims: ['chain', 'complete'],
      keptDays: 365,
      beyond: 'that somebody looks at what is found.',
    },
    {
      id: 'CC7.3',
      title: 'Evaluation of security events',
      requires: 'Security events are evaluated to tell whether they are failures to meet objectives, and acted upon.',
      source: `${TEXT}, CC7.3`,
      evidence: [rules.ALERTS, rules.ANSWERED],
      against: [rules.UNANSWERED],
      beyond: 'the evaluation itself, unless it was recorded.',
    },
    {
      id: 'CC8.1',
      title: 'Change management',
      requires: 'Changes to infrastructure, data, software and procedures are authorized, documented, tested and approved.',
      source: `${TEXT}, CC8.1`,
      evidence: [rules.CONFIG, { shows: 'data that was changed', types: ['data_modification'] }],
      against: [rules.CONFIG_REFUSED],
      claims: ['chain'],
      beyond: 'who approved a change of policy before it came into force.',
    },
  ],
}
