/** Programs of the operator's own, which show a token instead of a cookie. */

import { House } from './house.mjs'
import { Process, until } from './process.mjs'

const TOKEN = 'a-token-of-the-journeys-own-backend-0123456789'

const file = (name) => new URL(`backends/${name}`, import.meta.url).pathname

export const backends = {
  'backends in Node and in Python read with a token': async ({ binary }) => {
    const house = await House.start(binary, { more: { API_TOKENS: `journeys:${TOKEN}` } })
    const [person, other] = house.people
    const words = [house.baseUrl, house.guild, house.gated]
    const options = { env: { ...process.env, GUILDHALL_TOKEN: TOKEN } }
    const programs = [
      new Process(process.execPath, [file('node.mjs'), ...words], options),
      new Process('python3', [file('python.py'), ...words], options),
    ]
    const allSay = async (line) => {
      for (const program of programs) {
        await until(`it says ${line}`, () => {
          if (!program.runs) throw new Error(program.said)
          if (program.said.trimEnd().endsWith(line)) return true
          throw new Error(program.said)
        })
      }
    }
    // A room that few people see: a backend sees what the bot does.
    const [{ voiceStates }] = (await house.discord('GET', '/state')).guilds
    const inside = new Set(voiceStates.filter(({ channelId }) => channelId === house.gated).map(({ userId }) => userId))
    const isTold = () => allSay(`in the room: [${[...inside].sort().join(' ')}]`)
    await isTold()
    for (const one of [person, other]) {
      await house.voice(one, house.gated)
      inside.add(one)
      await isTold()
    }
    await house.voice(person, house.rooms[0])
    inside.delete(person)
    await isTold()

    const ask = (headers) => fetch(new URL(`api/state?guild=${house.guild}`, house.baseUrl), { headers })
    const seen = [
      (await ask({ authorization: `Bearer ${TOKEN}` })).status,
      (await ask({ authorization: `Bearer ${TOKEN}x` })).status,
      // Whatever says where it comes from is a browser, and no browser has a token.
      (await ask({ authorization: `Bearer ${TOKEN}`, origin: new URL(house.baseUrl).origin })).ok,
    ]
    if (seen.join() !== '200,401,false') throw new Error(`a token, a wrong one, one of a browser: ${seen}`)
  },
}
