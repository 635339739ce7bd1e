/** What the page has done in Discord: `POST api/rpc/NAME`. Addresses are relative to the page's root. */

import type { components } from './generated/api'
import { schemas } from './generated/events'
import { read } from './schema'

type Components = components['schemas']

/** The commands of the page, and the schema of each one's answer. */
const answers = {
  connectUserToVoiceChannel: 'CommandOutcome',
  createRoom: 'CreatedRoom',
  createInvite: 'CreatedInvite',
  joinRoom: 'JoinedRoom',
  revokeInvite: 'CommandOutcome',
  lockRoom: 'CommandOutcome',
  hideRoom: 'CommandOutcome',
  closeRoom: 'CommandOutcome',
} as const satisfies Readonly<Record<string, keyof Components>>

export type CommandName = keyof typeof answers
export type CommandInput<Name extends CommandName> = Components[`${Capitalize<Name>}Input`]
export type CommandAnswer<Name extends CommandName> = Components[(typeof answers)[Name]]

export type Result<Answer> =
  | { readonly is: 'answered'; readonly answer: Answer }
  /** In a word and in a sentence for people: why not. */
  | { readonly is: 'refused'; readonly code: string; readonly message: string }

export type Run = <Name extends CommandName>(
  name: Name,
  input: CommandInput<Name>,
) => Promise<Result<CommandAnswer<Name>>>

/** The server waits for Discord for half a minute at most. */
const ANSWER_WITHIN_MS = 35_000

const noAnswer = {
  is: 'refused',
  code: 'no_answer',
  message: 'The server did not answer. Look whether it was done before you try again.',
} as const

/** Has one thing done, once. */
export const runAt =
  (root: URL): Run =>
  async (name, input) => {
    try {
      const answer = await fetch(new URL(`api/rpc/${name}`, root), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      const body: unknown = await answer.json()
      if (!answer.ok) return refusal(body)
      // Types and schemas are of one document; the compiler cannot see it through the lookup.
      const told = read({ $ref: answers[name] }, body, name, { schemas, extra: [] })
      return { is: 'answered', answer: told as CommandAnswer<typeof name> }
    } catch {
      return noAnswer
    }
  }

/** `{error: {code, message}}`; anything else is no answer of ours. */
const refusal = (body: unknown): Result<never> => {
  const error = field(body, 'error')
  const code = field(error, 'code')
  const message = field(error, 'message')
  return typeof code === 'string' && typeof message === 'string' ? { is: 'refused', code, message } : noAnswer
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
