/** Every channel keeps the contract: it answers, is withdrawn, fails, hangs, answers twice, answers for another. @module */
import { channelContract } from './support/channel-contract.ts'
import {
  apiDriver,
  dialogDriver,
  elicitationDriver,
  inputRequiredDriver,
  terminalDriver,
  webhookDriver,
} from './support/channel-drivers.ts'

channelContract('approval API', apiDriver)
channelContract('webhook', webhookDriver)
channelContract('terminal', terminalDriver)
channelContract('desktop dialog', dialogDriver)
channelContract('MCP elicitation', elicitationDriver)
channelContract('MCP input_required', inputRequiredDriver)
