/** What `sworn --version` says. The number is that of package.json; a test holds the two together. @module */
export const VERSION = '0.1.0'
export const FORMAT = 'agent-audit-log/v1'
