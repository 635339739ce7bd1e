/** The lobby: each server with its voice rooms under their categories, in Discord's order. */

import { type Guild, type Picture, type Room, roomsOf } from '@guildhall/client'
import { lazy, memo, Suspense, useState } from 'react'

import { useWords } from '../words/language'
import { Sign } from './icons'
import { isShown } from './names'
import { byCategory, byName, type Category } from './order'
import { RoomRow } from './room-row'
import { useTools } from './tools'

const NewRoom = lazy(() => import('./new-room').then(({ NewRoom }) => ({ default: NewRoom })))

export const Lobby = ({ picture }: { readonly picture: Picture }) => {
  const words = useWords()
  const guilds = [...picture.values()].sort(byName)
  return (
    <>
      <h1 className="visually-hidden">{words.rooms}</h1>
      <Simulated />
      {guilds.map((guild) => (
        <GuildSection key={guild.id} guild={guild} />
      ))}
    </>
  )
}

/** A house beside a false Discord stands still until somebody moves there. */
const Simulated = () => {
  const words = useWords()
  const { discordUrl } = useTools()
  if (discordUrl === null || new URL(discordUrl).hostname.endsWith('discord.com')) return null
  return (
    <p className="hint" data-notice="simulated">
      {words.simulated}{' '}
      <a href={discordUrl} target="_blank" rel="noreferrer" data-action="open-simulator">
        {words.simulatedOpen}
      </a>
    </p>
  )
}

/** Renders only when its guild changed: the picture keeps the identity of the others. */
const GuildSection = memo(({ guild }: { readonly guild: Guild }) => {
  const words = useWords()
  const { userId } = useTools()
  const rooms = roomsOf(guild)
  const inVoice = rooms.reduce((sum, room) => sum + room.people.size, 0)
  const heading = `guild-${guild.id}`
  return (
    <section className="guild" aria-labelledby={heading} data-guild-id={guild.id} data-available={guild.available}>
      <div className="guild-head">
        <h2 id={heading}>
          <bdi>{isShown(guild.name) ? guild.name : words.unnamed}</bdi>
        </h2>
        <p className="soft">{inVoice === 0 ? words.nobodyInVoice : words.inVoice(inVoice)}</p>
        {guild.available && <MakeRoom guild={guild} mine={rooms.find((room) => isOf(room, userId))} />}
      </div>
      {!guild.available && <p className="hint outage">{words.outage}</p>}
      {rooms.length === 0 ? (
        <p className="soft nothing">{words.noRoom}</p>
      ) : (
        byCategory(rooms).map((category) => <CategoryRooms key={category.id ?? ''} guildId={guild.id} category={category} />)
      )}
    </section>
  )
})
GuildSection.displayName = 'GuildSection'

export const isOf = (room: Room, userId: string | null): boolean => room.managed === true && room.ownerId === userId

const CategoryRooms = ({ guildId, category }: { readonly guildId: string; readonly category: Category }) => {
  const words = useWords()
  const { userId, open } = useTools()
  const heading = `category-${guildId}-${category.id ?? 'none'}`
  return (
    <section className="category" aria-labelledby={`${heading} guild-${guildId}`}>
      <h3 id={heading}>
        <bdi>{category.name !== undefined && isShown(category.name) ? category.name : words.withoutCategory}</bdi>
      </h3>
      <ul className="rooms">
        {category.rooms.map((room) => (
          <RoomRow key={room.channelId} room={room} userId={userId} open={open} />
        ))}
      </ul>
    </section>
  )
}

const MakeRoom = ({ guild, mine }: { readonly guild: Guild; readonly mine: Room | undefined }) => {
  const words = useWords()
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button className="button" type="button" data-action="new-room" onClick={() => setOpen(true)}>
        <Sign drawing="plus" />
        {words.newRoom}
      </button>
      {isOpen && (
        <Suspense>
          <NewRoom guild={guild} mine={mine} close={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
