/** What stands for masked text: AIP's form, with the pattern's name as the policy spells it. @module */

export const marker = (name: string): string => `[REDACTED:${name}]`
export const encodedMarker = (name: string): string => marker(`${name}:encoded`)
