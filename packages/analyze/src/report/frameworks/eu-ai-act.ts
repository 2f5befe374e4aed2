/** Regulation (EU) 2024/1689: logging, human oversight, and keeping logs. @module */
import type { Framework } from '../framework.ts'
import * as rules from './rules.ts'

const TEXT = 'Regulation (EU) 2024/1689, OJ L, 2024/1689, 12.7.2024'

export const euAiAct: Framework = {
  id: 'eu-ai-act',
  title: 'EU AI Act',
  edition:
    'Regulation (EU) 2024/1689. Obligations of high-risk systems were to apply from 2 August 2026 (Article 113); the amendment adopted in June 2026 (Digital Omnibus on AI) moves them to 2 December 2027 for Annex III and to 2 August 2028 for Annex I. The consolidated text on EUR-Lex is what counts.',
  sources: ['https://eur-lex.europa.eu/eli/reg/2024/1689/oj'],
  controls: [
    {
      id: 'Article 12(1)',
      title: 'Automatic recording of events',
      requires: 'A high-risk system allows events to be recorded automatically over its lifetime.',
      source: `${TEXT}, Article 12(1)`,
      evidence: [rules.TOOL_CALLS, rules.MODEL_CALLS, rules.RECORDER, rules.COVERAGE],
      against: [rules.GAPS, rules.UNCLEAN],
      claims: ['chain', 'complete'],
      beyond: 'that everything the system does passes a layer that records.',
    },
    {
      id: 'Article 12(2)(a)',
      title: 'Situations of risk and substantial modification',
      requires: 'Events are recorded that help to identify situations of risk (Article 79(1)) or a substantial modification.',
      source: `${TEXT}, Article 12(2)(a)`,
      evidence: [rules.HIGH_RISK, rules.DENIALS, rules.ALERTS, rules.CONFIG],
      against: [rules.CONFIG_REFUSED],
      claims: ['chain'],
      beyond: 'whether a change is substantial, and changes of a model behind the same name.',
    },
    {
      id: 'Article 12(2)(b)',
      title: 'Post-market monitoring',
      requires: 'Events are recorded that support the post-market monitoring of Article 72.',
      source: `${TEXT}, Articles 12(2)(b), 72`,
      evidence: [rules.TOOL_CALLS, rules.MODEL_CALLS, rules.ALERTS],
      beyond: 'the monitoring plan, and what is done with what it finds.',
    },
    {
      id: 'Article 12(2)(c)',
      title: 'Monitoring of operation',
      requires: 'Events are recorded that let deployers monitor the operation (Article 26(5)).',
      source: `${TEXT}, Articles 12(2)(c), 26(5)`,
      evidence: [rules.SESSIONS, rules.DECISIONS, rules.TOOL_CALLS],
      beyond: 'that somebody monitors.',
    },
    {
      id: 'Article 12(3)',
      title: 'Remote biometric identification',
      requires:
        'Systems of Annex III point 1(a) record the period of each use, the reference database, the input that matched, and who verified the result.',
      source: `${TEXT}, Articles 12(3), 14(5)`,
      evidence: [
        rules.SESSIONS,
        {
          shows: 'access to a reference database, with the person who verified',
          types: ['data_access'],
          where: 'target != null && user != null && metadata.reference_database != null',
        },
      ],
      beyond: 'whether the system is one of Annex III point 1(a); for others this control asks for nothing.',
    },
    {
      id: 'Article 14',
      title: 'Human oversight',
      requires: 'People can oversee the system while it is used, understand what they are asked, and stop it.',
      source: `${TEXT}, Article 14(1), (4)`,
      evidence: [rules.ASKED, rules.ANSWERED, rules.STOPPED],
      against: [rules.UNANSWERED],
      claims: ['chain'],
      beyond: 'that those who answer are competent, trained and not biased towards what is proposed.',
    },
    {
      id: 'Article 15(5)',
      title: 'Cybersecurity',
      requires: 'The system resists attempts of others to alter its use, outputs or performance.',
      source: `${TEXT}, Article 15(5)`,
      evidence: [rules.DENIALS, rules.SENSITIVE, rules.AUTHENTICATION, rules.IDENTITY],
      against: [rules.CONFIG_REFUSED],
      claims: ['chain', 'signed'],
      beyond: 'attacks on training data and models.',
    },
    {
      id: 'Article 19(1)',
      title: 'Providers keep logs',
      requires: 'Providers keep the logs under their control for at least six months, unless other law says otherwise.',
      source: `${TEXT}, Article 19(1)`,
      evidence: [rules.RECORDER],
      claims: ['chain', 'complete'],
      keptDays: 183,
      beyond: 'that older entries are kept from now on; financial institutions keep logs under their own law (Article 19(2)).',
    },
    {
      id: 'Article 26(5)',
      title: 'Deployers monitor and inform',
      requires: 'Deployers monitor the operation and inform provider and authority of risks and serious incidents.',
      source: `${TEXT}, Articles 26(5), 73`,
      evidence: [rules.ALERTS, rules.ANSWERED],
      beyond: 'that somebody was informed.',
    },
    {
      id: 'Article 26(6)',
      title: 'Deployers keep logs',
      requires: 'Deployers keep the logs under their control for at least six months, unless other law says otherwise.',
      source: `${TEXT}, Article 26(6)`,
      evidence: [rules.RECORDER],
      claims: ['chain', 'complete'],
      keptDays: 183,
      beyond: 'that older entries are kept from now on.',
    },
  ],
}
