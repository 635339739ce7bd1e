import type { Guildhall } from '@guildhall/client'
import { GuildhallProvider, useCommand, useLiveStatus, useVoice } from '@guildhall/client/react'
import { CreateRoomInput } from '@guildhall/client/zod'

const Table = () => {
  const people = useVoice({ guild: '1', room: '10' })
  const { phase } = useLiveStatus()
  const { run, pending } = useCommand('rooms.create')
  const create = (form: FormData) => {
    const { success, data } = CreateRoomInput.safeParse({ guildId: '1', name: form.get('name') })
    if (success) void run(data)
  }
  return (
    <form action={create}>
      <p>{people?.map((one) => one.displayName).join() ?? `not known: ${phase}`}</p>
      <input name="name" disabled={pending} />
    </form>
  )
}

export const App = ({ client }: { client: Guildhall }) => <GuildhallProvider client={client}><Table /></GuildhallProvider>
