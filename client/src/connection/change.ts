/** What a connection tells, in order. All changes of one call are one moment. */

import type { GuildEvent, GuildPicture, Payload, Status, User } from '../wire.js'
import type { Picture } from '../store/picture.js'
import type { State } from './machine.js'

/** Why nothing comes, or why what came is whole again. */
export type Reason =
  | Payload<'snapshot'>['reason']
  | Payload<'bye'>['reason']
  | 'resumed'
  /** Nothing has been asked yet, or nobody asks. */
  | 'not_started'
  | 'broken'
  | 'silent'
  | 'offline'
  | 'unauthorized'
  | 'not_found'
  | 'invalid'
  | 'closed'
  | 'another_account'
  /** Discord, or the server's link to it, is down: what is shown may be old. */
  | 'discord_down'
  | 'link_down'

export type Change =
  | {
      readonly is: 'snapshot'
      readonly guilds: readonly GuildPicture[]
      readonly cursor: string | undefined
    }
  /** What another tab knows. */
  | { readonly is: 'picture'; readonly picture: Picture; readonly cursor: string | undefined }
  | { readonly is: 'group'; readonly events: readonly GuildEvent[]; readonly cursor: string | undefined }
  | { readonly is: 'status'; readonly status: Status }
  | { readonly is: 'settled'; readonly keys: readonly string[] }
  | { readonly is: 'phase'; readonly phase: State; readonly reason: Reason; /** Left out: now. */ readonly since?: number }
  | { readonly is: 'user'; readonly user: User }
  /** The server's time minus ours, ms; and a cursor up to which nothing else was to be told. */
  | { readonly is: 'clock'; readonly offset: number; readonly cursor: string | undefined }
  | { readonly is: 'forgotten' }

export type Feed = (changes: readonly Change[]) => void
