/** Making a room of one's own. */

import type { Guild } from '@guildhall/client'
import { type SubmitEvent, useEffect, useId, useState } from 'react'

import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'

/** As long as Discord lets a name be. */
const NAME_MAX = 100

export const NewRoom = ({ guild }: { readonly guild: Guild }) => {
  const [state, setState] = useState<'closed' | 'open' | 'cancelled'>('closed')
  const [made, setMade] = useState<string | null>(null)
  if (state === 'open') {
    return (
      <NewRoomForm
        guildId={guild.id}
        close={(channelId) => {
          setMade(channelId)
          setState(channelId === null ? 'cancelled' : 'closed')
        }}
      />
    )
  }
  return (
    <>
      {made !== null && <BeingMade key={made} isThere={guild.rooms.has(made)} />}
      <button
        className="button"
        type="button"
        data-action="new-room"
        // Whoever has cancelled goes on where they were.
        autoFocus={state === 'cancelled'}
        onClick={() => setState('open')}
      >
        New room
      </button>
    </>
  )
}

/** From the answer until the room is on the page, which may take Discord a moment. */
const BeingMade = ({ isThere }: { readonly isThere: boolean }) => {
  const [came, setCame] = useState(isThere)
  useEffect(() => {
    if (isThere) setCame(true)
  }, [isThere])
  return came ? null : (
    <p className="small" role="status">
      Your room is being made…
    </p>
  )
}

interface FormProps {
  readonly guildId: string
  /** With the room that was made; null: none was. */
  readonly close: (channelId: string | null) => void
}

const NewRoomForm = ({ guildId, close }: FormProps) => {
  const { setOpenRoom } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [name, setName] = useState('')
  const [isPrivate, setPrivate] = useState(true)
  const id = useId()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const room = await start('rooms.create', { guildId, name, private: isPrivate })
    if (room === null) return
    setOpenRoom(room.channelId)
    close(room.channelId)
  }
  return (
    <form
      className="new-room"
      aria-label="New room"
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => event.key === 'Escape' && !isRunning && close(null)}
    >
      <label htmlFor={`${id}-name`}>Name</label>
      <input
        id={`${id}-name`}
        className="field"
        type="text"
        required
        // Blanks alone are no name.
        pattern=".*\S.*"
        title="A name, not only blanks"
        maxLength={NAME_MAX}
        autoComplete="off"
        autoFocus
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <label className="choice">
        <input type="checkbox" checked={isPrivate} onChange={(event) => setPrivate(event.target.checked)} />
        Private: only those with an invite see it and come in
      </label>
      <div className="buttons">
        <button className="button submit" type="submit" disabled={isRunning} data-action="create-room">
          {isRunning ? 'Creating…' : 'Create room'}
        </button>
        <button className="button" type="button" disabled={isRunning} onClick={() => close(null)}>
          Cancel
        </button>
      </div>
      <Refusal refused={refused} />
    </form>
  )
}
