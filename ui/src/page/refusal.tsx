/** Why something was not done, in the server's own words. */

import type { Command } from './tools'

export const Refusal = ({ refused }: Pick<Command, 'refused'>) =>
  refused === null ? null : (
    <p className="refusal" role="alert" data-code={refused.code}>
      {refused.message}
    </p>
  )
