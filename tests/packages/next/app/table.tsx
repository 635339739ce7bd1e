'use client'

import { createGuildhall, type State } from '@guildhall/client'
import { GuildhallProvider, useRooms } from '@guildhall/client/react'
import { useState } from 'react'

const Rooms = () => <p>{useRooms('1')?.map((room) => room.name).join() ?? 'not known'}</p>

export const Table = ({ initial }: { initial: State }) => {
  const [client] = useState(() => createGuildhall({ url: 'http://guildhall.test/', initial }))
  return <GuildhallProvider client={client}><Rooms /></GuildhallProvider>
}
