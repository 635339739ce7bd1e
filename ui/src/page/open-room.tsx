/** What one can do with a room whose page is open: go there, and, if it is one's own, rule it. */

import { useState } from 'react'

import type { CommandAnswer } from '../commands'
import type { Room } from '../picture'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'

export const OpenRoom = ({ room }: { readonly room: Room }) => {
  const { userId } = useTools()
  const isMine = room.managed === true && room.ownerId === userId
  return (
    <div className="open-room">
      <GoThere channelId={room.channelId} />
      {isMine && <Invite channelId={room.channelId} />}
      {isMine && <Rule room={room} />}
    </div>
  )
}

/** A bot moves whoever is in voice already; everybody else goes by Discord itself. */
const GoThere = ({ channelId }: { readonly channelId: string }) => {
  const { isRunning, refused, start } = useCommand()
  const [went, setWent] = useState<CommandAnswer<'connectUserToVoiceChannel'> | null>(null)
  const go = async () => {
    setWent(null)
    setWent(await start('connectUserToVoiceChannel', { channelId }))
  }
  return (
    <>
      <div className="buttons">
        <button className="button" type="button" disabled={isRunning} data-action="go" onClick={() => void go()}>
          {isRunning ? 'Moving you…' : 'Move me here'}
        </button>
      </div>
      {went?.outcome === 'waiting' && <WaitingForVoice url={went.discordUrl} />}
      <Refusal refused={refused} />
    </>
  )
}

/** Somebody is moved once they are in voice. */
export const WaitingForVoice = ({ url }: { readonly url?: string | undefined }) => (
  <p className="small" role="status" data-outcome="waiting">
    You are in no voice channel yet. Join one, and you are moved here.{' '}
    {url !== undefined && (
      <a href={url} target="_blank" rel="noreferrer" data-action="open-discord">
        Open the room in Discord
      </a>
    )}
  </p>
)

const Invite = ({ channelId }: { readonly channelId: string }) => {
  const { isRunning, refused, start } = useCommand()
  const [url, setUrl] = useState<string | null>(null)
  const [copied, setCopied] = useState<boolean | null>(null)
  const make = async () => {
    const invite = await start('createInvite', { channelId })
    if (invite === null) return
    setUrl(invite.url)
    setCopied(await copy(invite.url))
  }
  return (
    <>
      <div className="buttons">
        <button className="button" type="button" disabled={isRunning} data-action="invite" onClick={() => void make()}>
          {isRunning ? 'Making an invite…' : 'Copy an invite link'}
        </button>
      </div>
      {url !== null && (
        <div className="invite">
          <input
            className="field"
            type="text"
            readOnly
            aria-label="Invite link"
            value={url}
            onFocus={(event) => event.target.select()}
          />
          <p className="small" role="status">
            {copied === true ? 'Copied. ' : 'Copy it from here. '}Whoever has this link may come in, for a day.
          </p>
        </div>
      )}
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

const Rule = ({ room }: { readonly room: Room }) => {
  const { isRunning, refused, start } = useCommand()
  const [isSure, setSure] = useState(false)
  const { channelId } = room
  const isLocked = room.locked === true
  const isHidden = room.hidden === true
  return (
    <>
      <div className="buttons">
        <button
          className="button"
          type="button"
          disabled={isRunning}
          data-action="lock"
          onClick={() => void start('lockRoom', { channelId, locked: !isLocked })}
        >
          {isLocked ? 'Unlock' : 'Lock'}
        </button>
        <button
          className="button"
          type="button"
          disabled={isRunning}
          data-action="hide"
          onClick={() => void start('hideRoom', { channelId, hidden: !isHidden })}
        >
          {isHidden ? 'Show to all' : 'Hide'}
        </button>
        <button
          className="button danger"
          type="button"
          disabled={isRunning}
          data-action="close"
          onBlur={() => setSure(false)}
          // Closing deletes the room for everybody in it: one click more.
          onClick={() => (isSure ? void start('closeRoom', { channelId }) : setSure(true))}
        >
          {isSure ? 'Really close the room?' : 'Close the room'}
        </button>
      </div>
      <Refusal refused={refused} />
    </>
  )
}
