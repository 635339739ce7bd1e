/** What a person can do on the page: shared by all that has buttons. */

import { type Answer, type CallName, GuildhallError, type Input } from '@guildhall/client'
import { useGuildhall } from '@guildhall/client/react'
import { createContext, useCallback, useContext, useRef, useState } from 'react'

export interface Tools {
  /** Who is signed in. */
  readonly userId: string | null
  /** Opens a room's page; null: the lobby. */
  readonly open: (channelId: string | null) => void
  /** Where Discord's own client has its rooms; null: not known yet. */
  readonly discordUrl: string | null
  /** That this person is about to be moved, or taken out, by what they have just pressed here. */
  readonly expectMove: () => void
  /** Whether what appears now has just come, and was not there when the page was opened. */
  readonly isSettled: () => boolean
}

const nothing: Tools = { userId: null, open: () => undefined, discordUrl: null, expectMove: () => undefined, isSettled: () => false }

export const ToolsContext = createContext(nothing)

export const useTools = (): Tools => useContext(ToolsContext)

/** Whether this came into the page just now: decided once, when it does. */
export const useFresh = (): boolean => {
  const { isSettled } = useTools()
  return useState(isSettled)[0]
}

/** A room in Discord's own client. */
export const roomInDiscord = (discordUrl: string | null, guildId: string, channelId: string): string =>
  new URL(`/channels/${guildId}/${channelId}`, discordUrl ?? 'https://discord.com').href

export interface Refused {
  readonly code: string
  readonly message: string
}

export interface Command {
  /** Until the page shows what it did, or should. */
  readonly isRunning: boolean
  /** Why the last one was not done; null: it was, or there was none. */
  readonly refused: Refused | null
  /** Has it done, unless one is under way. Null: it was refused. */
  readonly start: <Name extends CallName>(name: Name, input: Input<Name>) => Promise<Answer<Name> | null>
}

/** One thing at a time, and what became of the last. */
export const useCommand = (): Command => {
  const client = useGuildhall()
  const [state, setState] = useState<Pick<Command, 'isRunning' | 'refused'>>({ isRunning: false, refused: null })
  // The state is of the last rendering; two clicks may come within one.
  const isRunning = useRef(false)
  const start = useCallback<Command['start']>(
    async (name, input) => {
      if (isRunning.current) return null
      isRunning.current = true
      setState({ isRunning: true, refused: null })
      const end = (refused: Command['refused']) => {
        isRunning.current = false
        setState({ isRunning: false, refused })
      }
      try {
        const answer = await client.run(name, input)
        const { settled } = answer as { readonly settled?: Promise<void> }
        void Promise.resolve(settled).then(() => end(null))
        return answer
      } catch (error) {
        if (!(error instanceof GuildhallError)) throw error
        end(error)
        return null
      }
    },
    [client],
  )
  return { ...state, start }
}
