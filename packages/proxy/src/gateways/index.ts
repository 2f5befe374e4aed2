/** What gateways in front of models log, as events. @module */
export { createLitellmRoute, GATEWAY_LIMITS, type GatewayLimits, type GatewayRoute, LITELLM_PATH } from './route.ts'
