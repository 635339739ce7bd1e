/** The page of an invite: signs in, comes in, and says how to go on. */

import { type Answer, roomIn } from '@guildhall/client'
import { useEffect, useState } from 'react'

import type { Shown } from '../shown'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'
import { WaitingForVoice } from './waiting-for-voice'

interface InvitationProps {
  readonly token: string
  readonly shown: Pick<Shown, 'connection' | 'user' | 'picture'>
  /** Signs in by the invite. */
  readonly signInUrl: string
}

export const Invitation = ({ token, shown, signInUrl }: InvitationProps) => (
  <section className="notice" data-notice="invitation">
    <h1>You are invited to a voice room</h1>
    {shown.connection.state === 'signed-out' ? (
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
      <Join token={token} shown={shown} signInUrl={signInUrl} />
    )}
  </section>
)

/** What no further try mends. */
const FINAL = ['invalid', 'invite_invalid', 'invite_expired', 'invite_revoked', 'no_seats_left']

/** A link alone moves nobody: it takes a click. */
const Join = ({ token, shown, signInUrl }: InvitationProps) => {
  const { setOpenRoom } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [joined, setJoined] = useState<Answer<'invites.join'> | null>(null)
  const join = async () => {
    const room = await start('invites.join', { token })
    if (room === null) return
    setJoined(room)
    setOpenRoom(room.channelId)
  }
  if (joined !== null) return <Joined joined={joined} shown={shown} />
  const isOver = refused !== null && FINAL.includes(refused.code)
  return (
    <>
      {!isOver && (
        <button
          className="button primary"
          type="button"
          disabled={isRunning || shown.user === null}
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
  readonly joined: Answer<'invites.join'>
  readonly shown: InvitationProps['shown']
}

/** What is so now, and not what was so at the click. */
const Joined = ({ joined, shown }: JoinedProps) => {
  const room = shown.picture === null ? undefined : roomIn(shown.picture, joined.channelId)
  const [wasThere, setWasThere] = useState(false)
  const isThere = room !== undefined
  useEffect(() => {
    if (isThere) setWasThere(true)
  }, [isThere])
  if (room === undefined && (wasThere || joined.outcome !== 'waiting')) {
    return <p role="status">{wasThere ? 'The room is no more, or no longer open to you.' : 'One moment…'}</p>
  }
  if (room !== undefined && shown.user !== null && room.people.has(shown.user.id)) {
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
