/** Making a room of one's own. */

import { type SubmitEvent, useId, useState } from 'react'

import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'

/** As long as Discord lets a name be. */
const NAME_MAX = 100

export const NewRoom = ({ guildId }: { readonly guildId: string }) => {
  const [isOpen, setOpen] = useState(false)
  if (isOpen) return <NewRoomForm guildId={guildId} close={() => setOpen(false)} />
  return (
    <button className="button" type="button" data-action="new-room" onClick={() => setOpen(true)}>
      New room
    </button>
  )
}

interface FormProps {
  readonly guildId: string
  readonly close: () => void
}

const NewRoomForm = ({ guildId, close }: FormProps) => {
  const { setOpenRoom } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [name, setName] = useState('')
  const [isPrivate, setPrivate] = useState(true)
  const id = useId()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const room = await start('createRoom', { guildId, name, private: isPrivate })
    if (room === null) return
    setOpenRoom(room.channelId)
    close()
  }
  return (
    <form className="new-room" aria-label="New room" onSubmit={(event) => void submit(event)}>
      <label htmlFor={`${id}-name`}>Name</label>
      <input
        id={`${id}-name`}
        className="field"
        type="text"
        required
        // Blanks alone are no name.
        pattern=".*\S.*"
        title="Not blanks alone"
        maxLength={NAME_MAX}
        autoComplete="off"
        autoFocus
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <label className="choice">
        <input type="checkbox" checked={isPrivate} onChange={(event) => setPrivate(event.target.checked)} />
        Private: only those with an invite see it
      </label>
      <div className="buttons">
        <button className="button" type="submit" disabled={isRunning} data-action="create-room">
          {isRunning ? 'Creating…' : 'Create room'}
        </button>
        <button className="button" type="button" disabled={isRunning} onClick={close}>
          Cancel
        </button>
      </div>
      <Refusal refused={refused} />
    </form>
  )
}
