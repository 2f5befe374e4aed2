/** ISO/IEC 42001:2023: controls of Annex A that a ledger has evidence for. @module */
import type { Framework } from '../framework.ts'
import * as rules from './rules.ts'

const TEXT = 'ISO/IEC 42001:2023'

export const iso42001: Framework = {
  id: 'iso-42001',
  title: 'ISO/IEC 42001',
  edition:
    'ISO/IEC 42001:2023, Annex A. Requirements are in our words: the text is not free. Standards on AI logging (ISO/IEC 24970, prEN 18229-1) were drafts when this was written and are not in here.',
  sources: ['https://www.iso.org/standard/81230.html'],
  controls: [
    {
      id: 'A.3.3',
      title: 'Reporting of concerns',
      requires: 'Concerns about an AI system can be reported over its life.',
      source: `${TEXT}, Annex A, A.3.3`,
      evidence: [rules.ALERTS, rules.STOPPED],
      beyond: 'concerns that people reported elsewhere.',
    },
    {
      id: 'A.6.2.6',
      title: 'Operation and monitoring',
      requires: 'What is needed to operate the system is defined, with monitoring of performance and of errors.',
      source: `${TEXT}, Annex A, A.6.2.6`,
      evidence: [rules.TOOL_CALLS, rules.MODEL_CALLS, rules.SESSIONS, rules.LIMITS],
      against: [rules.GAPS],
      beyond: 'the definition, and repairs.',
    },
    {
      id: 'A.6.2.8',
      title: 'Recording of event logs',
      requires: 'It is determined in which phases logs are kept, at least while the system is in use.',
      source: `${TEXT}, Annex A, A.6.2.8`,
      evidence: [rules.RECORDER, rules.TOOL_CALLS, rules.COVERAGE],
      against: [rules.GAPS, rules.UNCLEAN],
      claims: ['chain', 'complete'],
      beyond: 'the determination itself.',
    },
    {
      id: 'A.8.4',
      title: 'Communication of incidents',
      requires: 'There is a plan to tell users of incidents.',
      source: `${TEXT}, Annex A, A.8.4`,
      evidence: [rules.ALERTS],
      beyond: 'the plan, and that users were told.',
    },
    {
      id: 'A.9.2',
      title: 'Processes for responsible use',
      requires: 'Processes for responsible use are defined and documented.',
      source: `${TEXT}, Annex A, A.9.2`,
      evidence: [rules.ASKED, rules.ANSWERED, rules.DECISIONS],
      against: [rules.UNANSWERED],
      beyond: 'the documents.',
    },
    {
      id: 'A.9.4',
      title: 'Intended use',
      requires: 'The system is used as intended and as its documentation says.',
      source: `${TEXT}, Annex A, A.9.4`,
      evidence: [rules.DENIALS, rules.CONFIG],
      against: [rules.LET_THROUGH],
      beyond: 'what the intended use is.',
    },
  ],
}
