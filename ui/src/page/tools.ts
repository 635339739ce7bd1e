/** What a person can do on the page: shared by all that has buttons. */

import { type Answer, type CallName, GuildhallError, type Input } from '@guildhall/client'
import { useGuildhall } from '@guildhall/client/react'
import { createContext, useCallback, useContext, useRef, useState } from 'react'

export interface Tools {
  /** Who is signed in. */
  readonly userId: string | null
  /** The room whose page is open. */
  readonly openRoom: string | null
  readonly setOpenRoom: (channelId: string | null) => void
}

const nothing: Tools = { userId: null, openRoom: null, setOpenRoom: () => undefined }

export const ToolsContext = createContext(nothing)

export const useTools = (): Tools => useContext(ToolsContext)

export interface Command {
  /** Until the page shows what it did, or should. */
  readonly isRunning: boolean
  /** Why the last one was not done; null: it was, or there was none. */
  readonly refused: { readonly code: string; readonly message: string } | null
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
