/** Actions over the entries of their observers: which are one, and what nobody saw. @module */
export { createFollower, type Followed, type Follower, type StoredFollower } from './follow.ts'
export { createObservations, type Observations, type Observed, type StoredObservations } from './observations.ts'
export { createSilentHooks, MAX_SESSIONS, type SilentBuilder, type SilentHooks, type Telling, tellingOf } from './silent.ts'
export { createUnseen, type Unseen, type UnseenBuilder, type UnseenCall } from './unseen.ts'
