/** What is told where something was refused: the reason's code, never what was judged. @module */
import { SwornError, type Verdict } from '@sworn/recorder'

export const refusalError = ({ reasonCode }: Verdict, at: string): SwornError => new SwornError('ACTION_DENIED', reasonCode, at)

/** For a model, which may try something else. */
export const refusalText = ({ reasonCode, rpcError }: Verdict): string => `${rpcError?.message ?? 'Forbidden'} (${reasonCode})`
