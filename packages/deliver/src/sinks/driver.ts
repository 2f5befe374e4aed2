/**
 * Clients of other systems: installed next to sworn by whoever needs them, and loaded when a sink is opened.
 * @module
 */
import { SwornError } from '@sworn/verify'

/** The module `name`. @param install the packages that npm is to be told. @throws SwornError DRIVER_MISSING */
export async function loadDriver<T>(name: string, install: string): Promise<T> {
  try {
    return (await import(name)) as T // the module that is named
  } catch (cause) {
    throw new SwornError('DRIVER_MISSING', `npm install ${install}, next to sworn`, name, { cause })
  }
}
