/** What the owner of a room does with it. */

import type { Room } from '@guildhall/client'
import { type MouseEvent, useState } from 'react'

import { Refusal } from './refusal'
import { useCommand } from './tools'

export const OwnerTools = ({ room }: { readonly room: Room }) => (
  <>
    <Invites room={room} />
    <State room={room} />
  </>
)

/** One link at a time: as long as the room's page is open the same one is copied again. */
const Invites = ({ room }: { readonly room: Room }) => {
  const { isRunning, refused, start } = useCommand()
  const [url, setUrl] = useState<string | null>(null)
  const [said, setSaid] = useState<string | null>(null)
  const { channelId } = room
  const share = async () => {
    const address = url ?? (await start('invites.create', { channelId }))?.url
    if (address === undefined) return
    setUrl(address)
    const copied = await copy(address)
    setSaid(`${copied ? 'Copied.' : 'Copy it from here.'} Whoever has this link may come in, for a day.`)
  }
  const revoke = async () => {
    if ((await start('invites.revoke', { channelId })) === null) return
    setUrl(null)
    setSaid('No link leads into this room any more.')
  }
  return (
    <>
      {room.locked === true && <p className="small">While the room is locked, nobody comes in by a link.</p>}
      <div className="buttons">
        {room.locked !== true && (
          <button className="button" type="button" disabled={isRunning} data-action="invite" onClick={() => void share()}>
            {isRunning ? 'One moment…' : 'Copy an invite link'}
          </button>
        )}
        <button className="button" type="button" disabled={isRunning} data-action="revoke" onClick={() => void revoke()}>
          Revoke all links
        </button>
      </div>
      <div className="invite">
        {url !== null && room.locked !== true && (
          <input
            className="field"
            type="text"
            readOnly
            aria-label="Invite link"
            value={url}
            onFocus={(event) => event.target.select()}
          />
        )}
        {said !== null && room.locked !== true && (
          <p className="small" role="status">
            {said}
          </p>
        )}
      </div>
      <Refusal refused={refused} />
    </>
  )
}

/** Whether it is in the clipboard: a browser may not let us. */
const copy = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

const State = ({ room }: { readonly room: Room }) => {
  const { isRunning, refused, start } = useCommand()
  const [isClosing, setClosing] = useState(false)
  const { channelId } = room
  const isLocked = room.locked === true
  const isHidden = room.hidden === true
  /** It goes for everybody in it: the second click of a double-click is not an answer. */
  const close = (event: MouseEvent) => {
    if (event.detail <= 1) void start('rooms.close', { channelId })
  }
  return (
    <>
      {isClosing ? (
        <>
          <p className="small">Close the room? It goes for everybody who is in it.</p>
          <div className="buttons">
            <button className="button" type="button" autoFocus data-action="keep" onClick={() => setClosing(false)}>
              Keep it
            </button>
            <button className="button danger" type="button" disabled={isRunning} data-action="close-now" onClick={close}>
              Close it
            </button>
          </div>
        </>
      ) : (
        <div className="buttons">
          <button
            className="button"
            type="button"
            disabled={isRunning}
            data-action="lock"
            onClick={() => void start('rooms.lock', { channelId, locked: !isLocked })}
          >
            {isLocked ? 'Unlock' : 'Lock'}
          </button>
          <button
            className="button"
            type="button"
            disabled={isRunning}
            data-action="hide"
            onClick={() => void start('rooms.hide', { channelId, hidden: !isHidden })}
          >
            {isHidden ? 'Make public' : 'Make private'}
          </button>
          <button className="button danger" type="button" data-action="close" onClick={() => setClosing(true)}>
            Close the room
          </button>
        </div>
      )}
      <Refusal refused={refused} />
    </>
  )
}
