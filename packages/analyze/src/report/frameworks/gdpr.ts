/** Regulation (EU) 2016/679: what a ledger shows of processing by agents. @module */
import type { Framework } from '../framework.ts'
import * as rules from './rules.ts'

const TEXT = 'Regulation (EU) 2016/679, OJ L 119, 4.5.2016'

export const gdpr: Framework = {
  id: 'gdpr',
  title: 'GDPR',
  edition: 'Regulation (EU) 2016/679, applies since 25 May 2018.',
  sources: ['https://eur-lex.europa.eu/eli/reg/2016/679/oj'],
  controls: [
    {
      id: 'Article 5(2)',
      title: 'Accountability',
      requires: 'The controller can demonstrate that the principles of Article 5(1) are kept.',
      source: `${TEXT}, Article 5(2)`,
      evidence: [rules.DECISIONS, rules.TOOL_CALLS],
      claims: ['chain', 'complete'],
      beyond: 'lawfulness, fairness and purpose: a decision of a policy is not a legal basis.',
    },
    {
      id: 'Article 15',
      title: 'Access by the data subject',
      requires: 'A person gets purposes, categories, recipients and a copy of the data that concern them.',
      source: `${TEXT}, Article 15(1), (3)`,
      evidence: [
        {
          shows: 'entries that name the person they concern',
          types: ['authorization_decision', 'tool_call_end', 'data_access'],
          where: 'user != null',
        },
      ],
      beyond: 'data about persons who are not the user of a call; `sworn query --text` finds mentions.',
    },
    {
      id: 'Article 17',
      title: 'Erasure',
      requires: 'Personal data are erased on request, with the exceptions of Article 17(3).',
      source: `${TEXT}, Article 17(1), (3)(b), (3)(e)`,
      evidence: [rules.ERASED],
      beyond: 'whether an exception applies, and requests that were never entered.',
    },
    {
      id: 'Article 25',
      title: 'Data protection by design',
      requires: 'Measures such as pseudonymisation and minimisation are built in.',
      source: `${TEXT}, Article 25(1), (2)`,
      evidence: [rules.REDACTED],
      beyond: 'that only necessary data are collected in the first place.',
    },
    {
      id: 'Article 30(1)',
      title: 'Records of processing',
      requires: 'A record has purposes, categories of persons and data, recipients, time limits, and measures.',
      source: `${TEXT}, Article 30(1)`,
      evidence: [rules.TOOL_CALLS, rules.DATA, rules.PRUNED],
      claims: ['chain'],
      beyond: 'the controller, its contacts and transfers; the table of processing below is a part of the record.',
    },
    {
      id: 'Article 32',
      title: 'Security of processing',
      requires: 'Confidentiality, integrity, availability and resilience are ensured and regularly tested.',
      source: `${TEXT}, Article 32(1)`,
      evidence: [rules.DENIALS, rules.SENSITIVE, rules.AUTHENTICATION],
      against: [rules.GAPS],
      claims: ['chain', 'signed'],
      beyond: 'measures outside the agent, and whether they fit the risk.',
    },
    {
      id: 'Article 33',
      title: 'Notification of breaches',
      requires: 'A breach is notified within 72 hours of becoming aware of it, and documented.',
      source: `${TEXT}, Article 33(1), (5)`,
      evidence: [rules.ALERTS, rules.SENSITIVE],
      beyond: 'when the controller became aware, and whether an alert was a breach.',
    },
  ],
}
