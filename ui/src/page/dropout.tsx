/** Says at once that somebody is out of voice, or out of the room they look at. It brings nobody back by itself. */

import { type Payload, type Picture, roomIn } from '@guildhall/client'
import { useGuildhall } from '@guildhall/client/react'
import { useEffect, useRef, useState } from 'react'

import { useAllWords } from '../words/later'
import { Modal } from './modal'
import { roomInDiscord, useTools } from './tools'

interface Drop {
  readonly guildId: string
  readonly channelId: string
  readonly name: string | undefined
  /** Where they are instead, if this page may know. */
  readonly movedTo: string | undefined
}

export interface DropoutProps {
  readonly userId: string
  readonly picture: Picture | null
  /** The room whose page is open. */
  readonly openRoom: string | null
  /** Whether a move of theirs is what they have just asked for. */
  readonly isExpected: () => boolean
}

export const Dropout = (props: DropoutProps) => {
  const words = useAllWords()
  const { discordUrl } = useTools()
  const [drop, setDrop] = useDrop(props)
  if (drop === null) return null
  const close = () => setDrop(null)
  return (
    <Modal name="dropout" role="alertdialog" labelledBy="dropout" close={close}>
      <h2 id="dropout">{words.droppedTitle(drop.name ?? null)}</h2>
      <p>{drop.movedTo === undefined ? words.droppedText : words.movedText(drop.movedTo)}</p>
      <div className="buttons">
        <a
          className="button primary"
          href={roomInDiscord(discordUrl, drop.guildId, drop.channelId)}
          target="_blank"
          rel="noreferrer"
          data-action="rejoin"
          data-focus
          onClick={close}
        >
          {words.rejoin}
        </a>
        <button className="button" type="button" data-action="stay-out" onClick={close}>
          {words.stayOut}
        </button>
      </div>
    </Modal>
  )
}

/**
 * What they dropped out of; gone again as soon as they are back. Whoever goes from room to room is no
 * dropout, except out of the room whose page is open.
 */
const useDrop = ({ userId, picture, openRoom, isExpected }: DropoutProps) => {
  const client = useGuildhall()
  const [drop, setDrop] = useState<Drop | null>(null)
  const now = useRef({ openRoom, isExpected })
  /** What their rooms are called: one that goes with them in it has no name any more. */
  const names = useRef(new Map<string, string>())
  useEffect(() => {
    now.current = { openRoom, isExpected }
    for (const { rooms } of picture?.values() ?? []) {
      for (const room of rooms.values()) if (room.people.has(userId)) names.current.set(room.channelId, room.name)
    }
  })
  useEffect(() => {
    const left = (event: Payload<'voice.left'>) => {
      if (event.userId !== userId || now.current.isExpected()) return
      const { guildId, previousChannelId: channelId } = event
      // The picture has all of the moment in which it happened already: where they are now, too.
      const { picture } = client.view()
      const to = [...(picture.get(guildId)?.rooms.values() ?? [])].find((room) => room.people.has(userId))
      if (to !== undefined && now.current.openRoom !== channelId) return
      const name = roomIn(picture, channelId)?.name ?? names.current.get(channelId)
      setDrop({ guildId, channelId, name, movedTo: to?.name })
    }
    const came = (event: Payload<'voice.joined'>) => {
      if (event.userId === userId) setDrop((drop) => (drop?.channelId === event.channelId ? null : drop))
    }
    const stops = [client.on('voice.left', left), client.on('voice.joined', came)]
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, userId])
  return [drop, setDrop] as const
}
