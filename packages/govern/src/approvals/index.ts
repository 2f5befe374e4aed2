/**
 * Approvals: `action: ask` put to people by several channels at once, settled once, recorded whole.
 *
 * The gate only says `ask`. Whoever holds one begins an approval, records `requested`, asks, settles the verdict
 * with `settleApproval`, and adds `members` to the decision record: `createAsk` does so for a guard, the proxy itself.
 * @module
 */
export { type ApprovalAnswer, settleApproval } from '../approval.ts'
export { parseAnswer } from './answer.ts'
export { type Approvals, type ApprovalsOptions, createApprovals } from './approvals.ts'
export { createAsk } from './ask.ts'
export { type ApprovalApi, type ApprovalApiOptions, createApprovalApi } from './channels/api.ts'
export { type ClientDesk, createClientDesk, type Seat } from './channels/client-desk.ts'
export { openControllingTerminal } from './channels/controlling-terminal.ts'
export { createDialogChannel, type DialogChannelOptions } from './channels/dialog.ts'
export { type Desktop, findDialog, hasDisplay } from './channels/dialogs.ts'
export * from './channels/mcp.ts'
export { canElicit, INPUT_KEY, parseRetry, toInputRequired } from './channels/mcp-messages.ts'
export {
  createSealedChannel,
  type SealedChannel,
  type SealedChannelOptions,
  sealedEvent,
  settledBy,
  toAskedQuestion,
} from './channels/sealed.ts'
export { createTerminalChannel, type Terminal, type TerminalChannelOptions } from './channels/terminal.ts'
export { createWebhookChannel, type WebhookChannelOptions } from './channels/webhook.ts'
export { isSignedWebhook, parseWebhookSecret, signWebhook } from './channels/webhook-signature.ts'
export type { RedactFn } from './question.ts'
export { hashShown } from './show.ts'
export type * from './types.ts'
export { findUnsettled, type RecordedEvent, type UnsettledApproval } from './unsettled.ts'
