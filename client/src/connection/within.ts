/** Limits of time. `AbortSignal.any` and `timeout` would do it, but React Native and older browsers lack them. */

import type { Environment } from './connection.js'

/** What `run` gives, unless that takes longer than so many ms or nobody waits any more: then it rejects at once. */
export const within = <Value>(
  { after }: Pick<Environment, 'after'>,
  ms: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> => {
  const abort = new AbortController()
  let stop = () => {}
  return new Promise<Value>((done, fail) => {
    const end = () => fail(signal?.reason)
    stop = after(ms, end)
    signal?.addEventListener('abort', end, abort)
    if (signal?.aborted) end()
    else run(abort.signal).then(done, fail)
  }).finally(() => {
    stop()
    // Also what is left of an answer that nobody reads on.
    abort.abort()
  })
}
