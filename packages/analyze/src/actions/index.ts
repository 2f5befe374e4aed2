/** Actions over the entries of their observers: which are one, and what nobody saw. @module */
export { createObservations, type Observations, type Observed } from './observations.ts'
export { createUnseen, type Unseen, type UnseenBuilder, type UnseenCall } from './unseen.ts'
