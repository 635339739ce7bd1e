import { createGuildhall, roomsOf } from '@guildhall/client'

const guildhall = createGuildhall({ url: '/' })
const place = <Kind extends Element>(selector: string): Kind => document.querySelector<Kind>(selector)!

const draw = () => {
  const { picture, status } = guildhall.view()
  if (status.phase === 'signed-out') location.assign(guildhall.signInUrl(location.pathname))
  place('#state').textContent = status.phase
  const rooms = [...picture.values()].flatMap(roomsOf)
  place('#rooms').replaceChildren(
    ...rooms.map(({ channelId, name, people }) => {
      const line = document.createElement('li')
      line.dataset['channelId'] = channelId
      line.textContent = `${name}: ${[...people.values()].map((one) => one.displayName).join(', ') || 'nobody'}`
      return line
    }),
  )
}

guildhall.subscribe(draw)
