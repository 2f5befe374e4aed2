/**
 * `sworn proxy --api`: the routes of `sworn serve` beside a proxy, and the questions that its policy asks.
 *
 * Loaded with `--api` only: no other proxy listens.
 * @module
 */
import { type ApprovalApi, createApprovalApi, type Remembered } from '@sworn/govern/approvals'
import type { Sample } from '@sworn/govern/http'
import type { ClaimsCheck, IdentityDesk } from '@sworn/govern/identity'
import { openTokenFiles, type Server } from '@sworn/server'
import type { Io } from './frame/io.ts'
import { openPolicyRoutes } from './open-policy-routes.ts'
import type { Opened } from './open-recorder.ts'
import { type Front, openApi } from './open-server.ts'

export { HTTP_PRODUCER, readFront } from './open-server.ts'

export interface ProxyApi extends Server {
  /** Puts questions to whoever has the token that governs. */
  readonly channel: ApprovalApi['channel']
}

interface ApiParts {
  readonly remembered: () => readonly Remembered[]
  readonly identity: IdentityDesk
  /** Of access tokens, where an issuer is trusted. */
  readonly check: ClaimsCheck | undefined
  /** What else was counted here. */
  readonly samples: (() => readonly Sample[]) | undefined
}

/** @param remembered approvals that still hold @throws SwornError CONFIG_INVALID, IO_FAILED */
export async function openProxyApi(
  opened: Opened,
  io: Io,
  front: Front,
  { remembered, identity, check, samples }: ApiParts,
): Promise<ProxyApi> {
  const { recorder } = opened
  const tokens = openTokenFiles(opened.config.directories.state)
  const desk = createApprovalApi({
    tokens: tokens.filter(({ may }) => may === 'govern').map(({ token, name }) => ({ token, approver: name })),
    origins: front.access.origins ?? [],
    remembered,
    note: (event) => void recorder.record(event).catch(() => {}), // counted by the recorder
  })
  const policy = await openPolicyRoutes(opened, tokens, identity, check)
  const server = await openApi(opened, io, front, {
    tokens,
    ...(policy ? { rooms: [desk, policy], health: policy } : { rooms: [desk] }),
    samples: () => [...(policy?.samples() ?? []), ...(samples?.() ?? [])],
  })
  return { ...server, channel: desk.channel }
}
