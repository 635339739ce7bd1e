/** What a person can do on the page: shared by all that has buttons. */

import { createContext, useCallback, useContext, useRef, useState } from 'react'

import type { CommandAnswer, CommandInput, CommandName, Run } from '../commands'

export interface Tools {
  /** Who is signed in. */
  readonly userId: string | null
  readonly run: Run
  /** The room whose page is open. */
  readonly openRoom: string | null
  readonly setOpenRoom: (channelId: string | null) => void
}

const nothing: Tools = {
  userId: null,
  run: () => Promise.reject(new Error('the page has no tools')),
  openRoom: null,
  setOpenRoom: () => undefined,
}

export const ToolsContext = createContext(nothing)

export const useTools = (): Tools => useContext(ToolsContext)

export interface Command {
  readonly isRunning: boolean
  /** Why the last one was not done; null: it was, or there was none. */
  readonly refused: { readonly code: string; readonly message: string } | null
  /** Has it done, unless one is under way. Null: it was refused. */
  readonly start: <Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
  ) => Promise<CommandAnswer<Name> | null>
}

/** One thing at a time, and what became of the last. */
export const useCommand = (): Command => {
  const { run } = useTools()
  const [state, setState] = useState<Pick<Command, 'isRunning' | 'refused'>>({ isRunning: false, refused: null })
  // The state is of the last rendering; two clicks may come within one.
  const isRunning = useRef(false)
  const start = useCallback<Command['start']>(
    async (name, input) => {
      if (isRunning.current) return null
      isRunning.current = true
      setState({ isRunning: true, refused: null })
      const result = await run(name, input)
      isRunning.current = false
      setState({ isRunning: false, refused: result.is === 'refused' ? result : null })
      return result.is === 'answered' ? result.answer : null
    },
    [run],
  )
  return { ...state, start }
}
