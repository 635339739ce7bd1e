/** The page of an invite: signs in, comes in, and says how to go on. */

import { useEffect, useState } from 'react'

import type { CommandAnswer } from '../commands'
import type { View } from '../live'
import { roomIn } from '../picture'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'
import { WaitingForVoice } from './waiting-for-voice'

interface InvitationProps {
  readonly token: string
  readonly view: Pick<View, 'connection' | 'user' | 'picture'>
  /** Signs in by the invite. */
  readonly signInUrl: string
}

export const Invitation = ({ token, view, signInUrl }: InvitationProps) => (
  <section className="notice" data-notice="invitation">
    <h1>You are invited to a voice room</h1>
    {view.connection === 'signed-out' ? (
      <>
        <p>Sign in with Discord to come in.</p>
        <a className="button primary" href={signInUrl} data-action="sign-in">
          Sign in with Discord
        </a>
        <p className="small">
          Your name and your list of servers are read. If you are not on this server yet, Discord may ask whether you
          may be added to it.
        </p>
      </>
    ) : (
      <Join token={token} view={view} signInUrl={signInUrl} />
    )}
  </section>
)

/** What no further try mends. */
const FINAL = ['invalid', 'invite_invalid', 'invite_expired', 'invite_revoked', 'no_seats_left']

/** A link alone moves nobody: it takes a click. */
const Join = ({ token, view, signInUrl }: InvitationProps) => {
  const { setOpenRoom } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [joined, setJoined] = useState<CommandAnswer<'joinRoom'> | null>(null)
  const join = async () => {
    const room = await start('joinRoom', { token })
    if (room === null) return
    setJoined(room)
    setOpenRoom(room.channelId)
  }
  if (joined !== null) return <Joined joined={joined} view={view} />
  const isOver = refused !== null && FINAL.includes(refused.code)
  return (
    <>
      {!isOver && (
        <button
          className="button primary"
          type="button"
          disabled={isRunning || view.user === null}
          data-action="join"
          onClick={() => void join()}
        >
          {isRunning ? 'Joining…' : 'Join the room'}
        </button>
      )}
      <Refusal
        refused={
          refused?.code === 'invalid'
            ? { code: 'invalid', message: 'This link is not whole. Open it again as you were sent it, or ask for it anew.' }
            : refused
        }
      />
      {refused?.code === 'not_member' && (
        <a className="button" href={signInUrl} data-action="sign-in">
          Sign in by this invite
        </a>
      )}
    </>
  )
}

interface JoinedProps {
  readonly joined: CommandAnswer<'joinRoom'>
  readonly view: InvitationProps['view']
}

/** What is so now, and not what was so at the click. */
const Joined = ({ joined, view }: JoinedProps) => {
  const room = view.picture === null ? undefined : roomIn(view.picture, joined.channelId)
  const [wasThere, setWasThere] = useState(false)
  const isThere = room !== undefined
  useEffect(() => {
    if (isThere) setWasThere(true)
  }, [isThere])
  if (room === undefined && (wasThere || joined.outcome !== 'waiting')) {
    return <p role="status">{wasThere ? 'The room is no more, or no longer open to you.' : 'One moment…'}</p>
  }
  if (room !== undefined && view.user !== null && room.people.has(view.user.id)) {
    return (
      <p role="status" data-outcome="in">
        You are in {room.name}.
      </p>
    )
  }
  return (
    <>
      <p>You may come into {room?.name ?? 'the room'}.</p>
      <WaitingForVoice url={joined.discordUrl} />
    </>
  )
}
