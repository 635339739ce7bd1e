/** The page of an invite: signs in, comes in, and says how to go on. */

import { useState } from 'react'

import type { CommandAnswer } from '../commands'
import type { View } from '../live'
import { WaitingForVoice } from './open-room'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'

interface InvitationProps {
  readonly token: string
  readonly connection: View['connection']
  readonly signedIn: boolean
  /** Signs in by the invite. */
  readonly signInUrl: string
}

export const Invitation = ({ token, connection, signedIn, signInUrl }: InvitationProps) => (
  <section className="notice" data-notice="invitation">
    <h1>You are invited to a voice room</h1>
    {connection === 'signed-out' ? (
      <>
        <p>Sign in with Discord to come in.</p>
        <a className="button primary" href={signInUrl} data-action="sign-in">
          Sign in with Discord
        </a>
      </>
    ) : (
      <Join token={token} signedIn={signedIn} signInUrl={signInUrl} />
    )}
  </section>
)

/** A link alone moves nobody: it takes a click. */
const Join = ({ token, signedIn, signInUrl }: Omit<InvitationProps, 'connection'>) => {
  const { setOpenRoom } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [joined, setJoined] = useState<CommandAnswer<'joinRoom'> | null>(null)
  const join = async () => {
    const room = await start('joinRoom', { token })
    if (room === null) return
    setJoined(room)
    setOpenRoom(room.channelId)
  }
  if (joined !== null) return <Joined room={joined} />
  return (
    <>
      <button
        className="button primary"
        type="button"
        disabled={isRunning || !signedIn}
        data-action="join"
        onClick={() => void join()}
      >
        {isRunning ? 'Joining…' : 'Join the room'}
      </button>
      <Refusal refused={refused} />
      {refused?.code === 'not_member' && (
        <a className="button" href={signInUrl} data-action="sign-in">
          Sign in by this invite
        </a>
      )}
    </>
  )
}

const Joined = ({ room }: { readonly room: CommandAnswer<'joinRoom'> }) =>
  room.outcome === 'waiting' ? (
    <>
      <p>You may come in now.</p>
      <WaitingForVoice url={room.discordUrl} />
    </>
  ) : (
    <p role="status" data-outcome={room.outcome}>
      You are in.
    </p>
  )
