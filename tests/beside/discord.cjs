/**
 * For programs that have Discord's address built in: what they send to discord.com goes to the simulator at
 * SIMULATOR_URL. `node --require` reads it first.
 */
const http = require('node:http')
const https = require('node:https')

const elsewhere = https.request

https.request = (address, options, done) => {
  const url = new URL(address)
  if (url.hostname !== 'discord.com') return elsewhere(address, options, done)
  // Without a version it is a very old one of Discord's, which the simulator does not have.
  const path = url.pathname.replace(/^\/api\/users\//, '/api/v10/users/') + url.search
  return http.request(new URL(path, process.env.SIMULATOR_URL), { ...options, agent: undefined }, done)
}
