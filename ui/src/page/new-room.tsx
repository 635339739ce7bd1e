/** Making a room of one's own, in a dialog. */

import type { Guild, Room } from '@guildhall/client'
import { type SubmitEvent, useId, useState } from 'react'

import { useAllWords } from '../words/later'
import { Modal } from './modal'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'

/** As long as Discord lets a name be. */
export const NAME_MAX = 100
/** As many as Discord lets a limit be; what it is unless one says otherwise. */
export const LIMIT_MAX = 99
const LIMIT = 4

interface NewRoomProps {
  readonly guild: Guild
  /** Theirs, if there is one already. */
  readonly mine: Room | undefined
  readonly close: () => void
}

export const NewRoom = ({ guild, mine, close }: NewRoomProps) => {
  const words = useAllWords()
  const { open } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [name, setName] = useState('')
  const [limit, setLimit] = useState(LIMIT)
  const [isPrivate, setPrivate] = useState(true)
  const id = useId()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const room = await start('rooms.create', { guildId: guild.id, name, limit, private: isPrivate })
    if (room === null) return
    close()
    open(room.channelId)
  }
  return (
    <Modal name="new-room" labelledBy={`${id}-title`} close={() => isRunning || close()}>
      <h2 id={`${id}-title`}>
        <bdi>{words.newRoomIn(guild.name)}</bdi>
      </h2>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {mine !== undefined && <p className="hint">{words.haveRoom(mine.name)}</p>}
        <div className="field-row">
          <div className="field-wrap">
            <label htmlFor={`${id}-name`}>{words.name}</label>
            <input
              id={`${id}-name`}
              className="field"
              type="text"
              required
              // Blanks alone are no name.
              pattern=".*\S.*"
              title={words.nameHint}
              maxLength={NAME_MAX}
              autoComplete="off"
              data-focus
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </div>
          <div className="field-wrap short">
            <label htmlFor={`${id}-limit`}>{words.limit}</label>
            <input
              id={`${id}-limit`}
              className="field"
              type="number"
              required
              min={0}
              max={LIMIT_MAX}
              aria-describedby={`${id}-limit-hint`}
              value={limit}
              onChange={(event) => setLimit(event.target.valueAsNumber || 0)}
            />
            <p id={`${id}-limit-hint`} className="soft">
              {words.limitHint}
            </p>
          </div>
        </div>
        <label className="choice">
          <input
            type="checkbox"
            checked={isPrivate}
            aria-describedby={`${id}-private`}
            onChange={(event) => setPrivate(event.target.checked)}
          />
          {words.privateChoice}
        </label>
        <p id={`${id}-private`} className="soft">
          {words.privateHint}
        </p>
        <Refusal refused={refused} />
        <div className="buttons">
          <button className="button primary" type="submit" disabled={isRunning} data-action="create-room">
            {isRunning ? words.creating : words.create}
          </button>
          <button className="button" type="button" disabled={isRunning} onClick={close}>
            {words.cancel}
          </button>
        </div>
      </form>
    </Modal>
  )
}
