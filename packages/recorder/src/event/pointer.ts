/** JSON pointers as they stand in notes and errors. Source: RFC 6901. @module */

/** `parent` with one more reference token; a token longer than 100 characters is cut. */
export function below(parent: string, token: string | number): string {
  const text = String(token).slice(0, 100)
  return `${parent}/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
