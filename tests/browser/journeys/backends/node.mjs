/** A backend in Node: node node.mjs URL GUILD ROOM, with GUILDHALL_TOKEN. Says who is in the room, at each change. */

import { createGuildhall, roomIn } from '../../../../client/dist/index.js'

const [url, guild, room] = process.argv.slice(2)
const client = createGuildhall({ url, guild, apiToken: process.env.GUILDHALL_TOKEN })
let before
client.subscribe(() => {
  const { picture, status } = client.view()
  if (!status.complete) return
  const people = [...(roomIn(picture, room)?.people.keys() ?? [])].sort().join(' ')
  if (people !== before) console.log(`in the room: [${people}]`)
  before = people
})
