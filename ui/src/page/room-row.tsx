/** A room in the lobby: what it is called, who is in it, how many may be. */

import type { Room } from '@guildhall/client'
import { type MouseEvent, memo } from 'react'

import { clockTime, useSpeech, useWords } from '../words/language'
import { Labelled, RoomIcon } from './icons'
import { isShown } from './names'
import { People, PersonName, usePeople } from './person'
import { useFresh } from './tools'

interface RoomRowProps {
  readonly room: Room
  readonly userId: string | null
  readonly open: (channelId: string) => void
}

/** Renders only when its room changed. */
export const RoomRow = memo(({ room, userId, open }: RoomRowProps) => {
  const words = useWords()
  const { people, doubled } = usePeople(room)
  const heading = `room-${room.channelId}`
  return (
    <li className="room" data-channel-id={room.channelId} data-people={people.length} data-fresh={useFresh()}>
      <div className="room-head">
        <RoomIcon kind={room.kind} />
        <div className="room-words">
          <h4 id={heading} className="room-title">
            <a className="room-name" href={`?room=${room.channelId}`} onClick={(event) => follow(event, () => open(room.channelId))}>
              <bdi>{isShown(room.name) ? room.name : words.unnamed}</bdi>
            </a>
          </h4>
          <RoomFacts room={room} isMine={room.managed === true && room.ownerId === userId} />
        </div>
      </div>
      {people.length === 0 ? (
        <p className="soft nobody">{words.nobodyHere}</p>
      ) : (
        <People
          people={people}
          className="people"
          labelledBy={heading}
          render={(person) => (
            <PersonName
              key={person.userId}
              person={person}
              kind={room.kind}
              isDoubled={doubled.has(person.userId)}
              isMe={person.userId === userId}
            />
          )}
        />
      )}
      <Count people={people.length} limit={room.userLimit} />
    </li>
  )
})
RoomRow.displayName = 'RoomRow'

/** A link of the page's own: as a link for whoever wants a tab of it, else without loading anything. */
export const follow = (event: MouseEvent, go: () => void): void => {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  go()
}

/** What is to be known of a room beside who is in it. */
export const RoomFacts = ({ room, isMine }: { readonly room: Room; readonly isMine: boolean }) => {
  const { words, language } = useSpeech()
  const { status, locked, hidden, deletesAt } = room
  return (
    <>
      {status !== undefined && isShown(status) && (
        <p className="room-status soft">
          <bdi>{status}</bdi>
        </p>
      )}
      {(isMine || locked === true || hidden === true) && (
        <p className="room-badges">
          {isMine && <span className="badge mine">{words.yours}</span>}
          {locked === true && <span className="badge">{words.locked}</span>}
          {hidden === true && <span className="badge">{words.private}</span>}
        </p>
      )}
      {deletesAt !== undefined && (
        <p className="idle" role="status">
          {words.idle(clockTime(language, deletesAt, true))}
        </p>
      )}
    </>
  )
}

/** A limit of 0 is none. */
export const Count = ({ people, limit }: { readonly people: number; readonly limit: number }) => {
  const words = useWords()
  if (people === 0 && limit === 0) return null
  const isFull = limit > 0 && people >= limit
  const meaning = limit === 0 ? words.here(people) : words.placesTaken(people, limit)
  return (
    <Labelled className={isFull ? 'count full' : 'count'} meaning={meaning}>
      {limit === 0 ? people : `${people} / ${limit}`}
    </Labelled>
  )
}
