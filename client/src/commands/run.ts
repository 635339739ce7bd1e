/** Has things done, each once: `POST api/rpc/NAME`. */

import type { Environment } from '../connection/connection.js'
import type { Fetch } from '../connection/fetch_stream.js'
import { within } from '../connection/within.js'
import type { Stop } from '../store/store.js'
import { answerOf } from './answer.js'
import { aboutGuilds, type Answer, type CallName, calls, type Input, type Question, questions } from './calls.js'
import { GuildhallError, NoAnswerError, UnauthorizedError } from './errors.js'

export interface CallOptions {
  /** The same key makes a repeated command one; a new one for each command where it is left out. */
  readonly key?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Settled {
  /** Done when the picture shows what the command did, or has had a second to. */
  readonly settled: Promise<void>
}

/** The answer of a command comes with a promise for its effect. */
export type Result<Name extends CallName> = Name extends Question ? Answer<Name> : Answer<Name> & Settled

export type Run<NamesGuild extends boolean = false> = <Name extends CallName>(
  name: Name,
  input: Input<Name, NamesGuild>,
  options?: CallOptions,
) => Promise<Result<Name>>

export interface RunParts {
  readonly root: URL
  readonly ask: Fetch
  readonly guild: string | undefined
  readonly newKey: () => string
  readonly environment: Environment
  readonly onSettled: (listener: (keys: readonly string[]) => void) => Stop
  /** A 401 came. True: there is a session again, so try again. */
  readonly onUnauthorized: () => Promise<boolean>
}

/** The server waits for Discord for half a minute at most. */
const ANSWER_WITHIN_MS = 35_000
const SETTLES_WITHIN_MS = 1_000
const TRIES = 3
const LONGEST_WAIT_S = 5

export const runWith =
  (parts: RunParts): Run<boolean> =>
  async (name, input, options = {}) => {
    const isCommand = !questions.includes(name)
    // A guild that is undefined is left out as much as one that is not there.
    const { guildId = parts.guild } = input as { readonly guildId?: string | undefined }
    const body = JSON.stringify(aboutGuilds.includes(name) ? { ...input, guildId } : input)
    const key = options.key ?? parts.newKey()
    const headers: HeadersInit = isCommand ? { 'idempotency-key': key } : {}
    // From before it is sent: its effect may be told faster than its answer.
    const watch = isCommand ? watchFor(key, parts) : undefined
    try {
      const answer = await ask(name, { method: 'POST', headers, body }, options.signal, parts)
      return (watch ? { ...answer, settled: watch.settled() } : answer) as Result<typeof name>
    } catch (error) {
      watch?.drop()
      throw error
    }
  }

/** Tries again by itself where the same key makes that harmless. */
const ask = async (name: CallName, init: RequestInit, signal: AbortSignal | undefined, parts: RunParts): Promise<object> => {
  const { environment } = parts
  const url = new URL(`api/rpc/${calls[name]}`, parts.root)
  let vouched = false
  for (let tried = 1; ; tried += 1) {
    try {
      return await answerOf(parts.ask, url, init, environment, ANSWER_WITHIN_MS, signal)
    } catch (error) {
      if (signal?.aborted || !(error instanceof GuildhallError)) throw error
      if (error instanceof UnauthorizedError && !vouched && (await parts.onUnauthorized().catch(() => false))) {
        vouched = true
        continue
      }
      if (tried === TRIES || !mayPass(error)) throw error
      // Whoever gives up meanwhile is told by the next try, which asks nothing.
      await within(environment, waitOf(error, tried, environment.random()), signal, forever).catch(() => {})
    }
  }
}

const forever = () => new Promise<never>(() => {})

const mayPass = (error: GuildhallError): boolean =>
  error instanceof NoAnswerError ||
  (error.code === 'unavailable' && error.status === 503 && (error.retryAfter ?? 0) <= LONGEST_WAIT_S)

const waitOf = ({ retryAfter }: GuildhallError, tried: number, chance: number): number =>
  1_000 * ((retryAfter ?? 0) + chance * 2 ** (tried - 1))

/** Waits for the word that this key is done; a stream that is away says none. */
const watchFor = (key: string, { onSettled, environment }: RunParts) => {
  let end = () => {}
  const told = new Promise<void>((done) => {
    end = done
  })
  const stop = onSettled((keys) => {
    if (keys.includes(key)) end()
  })
  void told.then(stop)
  return {
    drop: end,
    settled: (): Promise<void> => {
      void told.then(environment.after(SETTLES_WITHIN_MS, end))
      return told
    },
  }
}
