/** What one can do with a room whose page is open: go there, and, if it is one's own, see to it. */

import type { Answer, Room } from '@guildhall/client'
import { useState } from 'react'

import { OwnerTools } from './owner-tools'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'
import { WaitingForVoice } from './waiting-for-voice'

export const OpenRoom = ({ room }: { readonly room: Room }) => {
  const { userId } = useTools()
  const isMine = room.managed === true && room.ownerId === userId
  const isIn = userId !== null && room.people.has(userId)
  return (
    <div className="open-room">
      {!isIn && <MoveMe channelId={room.channelId} />}
      {isMine && <OwnerTools room={room} />}
    </div>
  )
}

/** A bot moves whoever is in voice already; everybody else goes by Discord itself. */
const MoveMe = ({ channelId }: { readonly channelId: string }) => {
  const { isRunning, refused, start } = useCommand()
  const [went, setWent] = useState<Answer<'voice.connect'> | null>(null)
  const go = async () => {
    setWent(null)
    setWent(await start('voice.connect', { channelId }))
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
