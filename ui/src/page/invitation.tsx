/** The page of an invite: signs in, comes in, and says how to go on. */

import { type Answer, roomIn } from '@guildhall/client'
import { useEffect, useState } from 'react'

import type { Shown } from '../shown'
import { useAllWords } from '../words/later'
import { Notice } from './notices'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'
import { WaitingForVoice } from './waiting-for-voice'

interface InvitationProps {
  readonly token: string
  readonly shown: Pick<Shown, 'connection' | 'user' | 'picture'>
  /** Signs in by the invite. */
  readonly signInUrl: string
}

export const Invitation = ({ token, shown, signInUrl }: InvitationProps) => {
  const words = useAllWords()
  return (
    <Notice name="invitation" title={words.invitedTitle}>
      {shown.connection.state === 'signed-out' ? (
        <>
          <p>{words.invitedText}</p>
          <a className="button primary" href={signInUrl} data-action="sign-in">
            {words.signIn}
          </a>
          <p className="soft">{words.invitedReads}</p>
        </>
      ) : (
        <Join token={token} shown={shown} signInUrl={signInUrl} />
      )}
    </Notice>
  )
}

/** What no further try mends. */
const FINAL = ['invalid', 'invite_invalid', 'invite_expired', 'invite_revoked', 'no_seats_left']

/** A link alone moves nobody: it takes a click. */
const Join = ({ token, shown, signInUrl }: InvitationProps) => {
  const words = useAllWords()
  const { open, expectMove } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [joined, setJoined] = useState<Answer<'invites.join'> | null>(null)
  const join = async () => {
    expectMove()
    const room = await start('invites.join', { token })
    if (room === null) return
    setJoined(room)
    open(room.channelId)
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
          {isRunning ? words.joining : words.join}
        </button>
      )}
      <Refusal refused={refused?.code === 'invalid' ? { code: 'not-whole', message: words.inviteNotWhole } : refused} />
      {refused?.code === 'not_member' && (
        <a className="button" href={signInUrl} data-action="sign-in">
          {words.signInByInvite}
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
  const words = useAllWords()
  const room = shown.picture === null ? undefined : roomIn(shown.picture, joined.channelId)
  const [wasThere, setWasThere] = useState(false)
  const isThere = room !== undefined
  useEffect(() => {
    if (isThere) setWasThere(true)
  }, [isThere])
  if (room === undefined && (wasThere || joined.outcome !== 'waiting')) {
    return <p role="status">{wasThere ? words.inviteRoomGone : words.oneMoment}</p>
  }
  if (room !== undefined && shown.user !== null && room.people.has(shown.user.id)) {
    return (
      <p role="status" data-outcome="in">
        {words.youAreIn(room.name)}
      </p>
    )
  }
  return (
    <>
      <p>{words.mayComeIn(room?.name ?? words.theRoom)}</p>
      <WaitingForVoice url={joined.discordUrl} />
    </>
  )
}
