/** A guild with its voice rooms and who is in them. */

import { type Guild, type Person, type Room, roomsOf } from '@guildhall/client'
import { memo, useEffect, useRef } from 'react'

import { Avatar } from './avatar'
import { Flag, Labelled, RoomIcon } from './icons'
import { NewRoom } from './new-room'
import { OpenRoom } from './open-room'
import { byDisplayName } from './order'
import { useTools } from './tools'

/** Renders only when its guild changed: the picture keeps the identity of the others. */
export const GuildSection = memo(({ guild }: { readonly guild: Guild }) => {
  const rooms = roomsOf(guild)
  const inVoice = rooms.reduce((sum, room) => sum + room.people.size, 0)
  const heading = `guild-${guild.id}`
  const { openRoom, setOpenRoom } = useTools()
  return (
    <section className="guild" aria-labelledby={heading} data-guild-id={guild.id} data-available={guild.available}>
      <div className="guild-head">
        <h2 id={heading}>{guild.name}</h2>
        <p className="small">{inVoice === 0 ? 'Nobody in voice' : `${inVoice} in voice`}</p>
        {guild.available && <NewRoom guild={guild} />}
      </div>
      {!guild.available && (
        <p className="outage">Discord has an outage of this guild. This is how it was last seen.</p>
      )}
      {rooms.length === 0 ? (
        <p className="small">There is no voice room here that you may see.</p>
      ) : (
        <ul className="rooms">
          {rooms.map((room) => (
            <RoomCard
              key={room.channelId}
              room={room}
              isOpen={room.channelId === openRoom}
              setOpenRoom={setOpenRoom}
            />
          ))}
        </ul>
      )}
    </section>
  )
})
GuildSection.displayName = 'GuildSection'

interface RoomCardProps {
  readonly room: Room
  readonly isOpen: boolean
  readonly setOpenRoom: (channelId: string | null) => void
}

const RoomCard = memo(({ room, isOpen, setOpenRoom }: RoomCardProps) => {
  const people = [...room.people.values()].sort(byDisplayName)
  const heading = `room-${room.channelId}`
  const card = useRef<HTMLLIElement>(null)
  const name = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!isOpen) return
    // It may have been opened from elsewhere: by a link, or because it was made just now.
    card.current?.scrollIntoView?.({ block: 'nearest' })
    const { activeElement, body } = document
    if (activeElement === null || activeElement === body) name.current?.focus({ preventScroll: true })
  }, [isOpen])
  return (
    <li ref={card} className="room" data-channel-id={room.channelId} data-people={people.length} data-open={isOpen}>
      <div className="room-head">
        <RoomIcon kind={room.kind} />
        <h3 id={heading}>
          <button
            ref={name}
            className="room-name"
            type="button"
            aria-expanded={isOpen}
            onClick={() => setOpenRoom(isOpen ? null : room.channelId)}
          >
            {room.name}
          </button>
          {room.parentName !== undefined && <span className="parent">{room.parentName}</span>}
        </h3>
        <Count people={people.length} limit={room.userLimit} />
      </div>
      <RoomFacts room={room} />
      {people.length === 0 ? (
        <p className="small empty">Nobody here</p>
      ) : (
        <ul className="people" aria-labelledby={heading}>
          {people.map((person) => (
            <PersonRow key={person.userId} person={person} kind={room.kind} />
          ))}
        </ul>
      )}
      {isOpen && <OpenRoom room={room} />}
    </li>
  )
})
RoomCard.displayName = 'RoomCard'

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** What is to be known of a room beside who is in it. */
const RoomFacts = ({ room }: { readonly room: Room }) => (
  <>
    {room.status !== undefined && <p className="small room-status">{room.status}</p>}
    {(room.locked === true || room.hidden === true) && (
      <p className="room-badges">
        {room.locked === true && <span className="badge">Locked</span>}
        {room.hidden === true && <span className="badge">Private</span>}
      </p>
    )}
    {room.deletesAt !== undefined && (
      <p className="idle" role="status">
        Nobody uses this room: it is removed at {clock.format(room.deletesAt)}. Open it or come in, and it stays.
      </p>
    )}
  </>
)

/** A limit of 0 is none. */
const Count = ({ people, limit }: { readonly people: number; readonly limit: number }) => {
  if (people === 0 && limit === 0) return null
  const meaning = limit === 0 ? `${people} here` : `${people} of ${limit} places taken`
  return (
    <Labelled className="count" meaning={meaning}>
      {limit === 0 ? people : `${people} / ${limit}`}
    </Labelled>
  )
}

interface PersonRowProps {
  readonly person: Person
  readonly kind: Room['kind']
}

const PersonRow = memo(({ person, kind }: PersonRowProps) => (
  <li className="person" data-user-id={person.userId}>
    <Avatar name={person.displayName} url={person.avatarUrl} />
    <span className="person-name" title={`${person.displayName} (${person.username})`}>
      {person.displayName}
    </span>
    {person.bot && <span className="badge">Bot</span>}
    {kind === 'stage' && person.suppressed && <span className="badge">Audience</span>}
    <Flags person={person} />
  </li>
))
PersonRow.displayName = 'PersonRow'

const Flags = ({ person }: { readonly person: Person }) => (
  <span className="flags">
    {person.streaming && <span className="badge streaming">Streaming</span>}
    {person.video && <Flag drawing="video" meaning="Camera on" by="themselves" />}
    {person.mute ? (
      <Flag drawing="muted" meaning="Muted by the server" by="server" />
    ) : (
      person.selfMute && <Flag drawing="muted" meaning="Muted" by="themselves" />
    )}
    {person.deaf ? (
      <Flag drawing="deafened" meaning="Deafened by the server" by="server" />
    ) : (
      person.selfDeaf && <Flag drawing="deafened" meaning="Deafened" by="themselves" />
    )}
  </span>
)
