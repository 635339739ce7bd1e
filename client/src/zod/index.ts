/**
 * `@guildhall/client/zod`: what goes over the wire as zod schemas, for your own server functions.
 *
 * Each has the name that it has in the server's OpenAPI document, which it is made of. What is asked
 * for is checked as strictly as by the server; in answers and events, fields that later servers add
 * are dropped.
 */

import { type CallName, calls } from '../commands/calls.js'
import { operations } from '../generated/schemas.js'

export * from '../generated/schemas.js'

type Part<Which extends 'input' | 'answer'> = {
  readonly [Name in CallName]: (typeof operations)[(typeof calls)[Name]][Which]
}

const partsOf = <Which extends 'input' | 'answer'>(which: Which): Part<Which> =>
  Object.fromEntries(Object.entries(calls).map(([name, operation]) => [name, operations[operation][which]])) as never

/** What each command takes, by the names that commands have here: `inputs['rooms.create']`. */
export const inputs = /*@__PURE__*/ partsOf('input')
/** What each command gives where it is not refused. */
export const answers = /*@__PURE__*/ partsOf('answer')
