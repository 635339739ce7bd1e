/** One question to the server, and its answer as a value or as an error. */

import type { Environment } from '../connection/connection.js'
import type { Fetch } from '../connection/fetch_stream.js'
import { within } from '../connection/within.js'
import { errorOf, GuildhallError, NoAnswerError } from './errors.js'

/** The body of the answer. Throws a `GuildhallError`, or the reason of `signal`, which is heard at once. */
export const answerOf = async (
  ask: Fetch,
  url: URL,
  init: RequestInit,
  environment: Pick<Environment, 'after'>,
  ms: number,
  signal?: AbortSignal,
): Promise<object> => {
  try {
    return await within(environment, ms, signal, async (limit) => {
      const answer = await ask(url, { ...init, signal: limit })
      const body: unknown = await answer.json()
      if (!answer.ok) throw errorOf(answer.status, body)
      if (typeof body !== 'object' || body === null) throw body
      return body
    })
  } catch (error) {
    if (error instanceof GuildhallError || signal?.aborted) throw error
    throw new NoAnswerError(error)
  }
}
