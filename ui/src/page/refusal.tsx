/** Why something was not done: in the reader's language where the code is known there, else in the server's words. */

import { useWords } from '../words/language'
import type { Command } from './tools'

export const Refusal = ({ refused }: Pick<Command, 'refused'>) => {
  const { refusals } = useWords()
  if (refused === null) return null
  const { code, message } = refused
  return (
    <p className="refusal" role="alert" data-code={code}>
      {(Object.hasOwn(refusals, code) && refusals[code]) || message}
    </p>
  )
}
