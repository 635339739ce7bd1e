/**
 * The browser's end of the whole-house test, as a child process.
 *
 *     node road.mjs '{"pageUrl":"http://127.0.0.1:3000/"}'
 *
 * One JSON object a line, a step on stdin, its answer on stdout, in turn:
 *
 *     {"step":"open","path":"join?invite=…"}
 *     {"step":"sign_in","userId":"…","pick":"click"|"sim_user"}
 *     {"step":"sign_out"}
 *     {"step":"expect_person","userId":"…","channelId":"…"|null}
 *     {"step":"expect_room","channelId":"…","shown":true}
 *     {"step":"create_room","guildId":"…","name":"…","isPrivate":true}   → {"ok":true,"channelId"}
 *     {"step":"open_room","channelId":"…","open":true}
 *     {"step":"press","action":"lock"|"hide"|"close"|"close-now"|"go"|"join"|"revoke","channelId":"…"}
 *     {"step":"invite","channelId":"…"}                                  → {"ok":true,"address"}
 *     {"step":"expect_connection","state":"live","began":"resumed","snapshots":1,"link":"up","discord":"live"}
 *     {"step":"read"}                → {"ok":true,"url","data":{…},"rooms":{channelId:[userId]},"text"}
 *     {"step":"screenshot","path":"…","width":390,"height":844,"colorScheme":"dark"}
 *     {"step":"style","css":"…","selector":"…","property":"…"}           → {"ok":true,"value","ground"}
 *     {"step":"requests"}            → {"ok":true,"requests":[{"url","type","referer"}]}
 *     {"step":"console_errors"}      → {"ok":true,"errors":[{"text","url"}]}
 *     {"step":"close"}
 *
 * Steps that wait take `withinMs`. An answer is {"ok":true,…} or
 * {"ok":false,"error":"…"}; the first line out, {"ok":true,"ready":true}, says
 * that the browser runs. The end of stdin closes it too.
 */

import { createInterface } from 'node:readline'

import { Page } from './browser.mjs'

const { pageUrl } = JSON.parse(process.argv[2] ?? '{}')
if (typeof pageUrl !== 'string') {
  process.stderr.write('usage: node road.mjs \'{"pageUrl":"http://127.0.0.1:3000/"}\'\n')
  process.exit(2)
}

const steps = {
  open: (page, step) => page.open(step),
  sign_in: (page, step) => page.signIn(step),
  sign_out: (page, step) => page.signOut(step),
  expect_person: (page, step) => page.expectPerson(step),
  expect_room: (page, step) => page.expectRoom(step),
  create_room: (page, step) => page.createRoom(step),
  open_room: (page, step) => page.openRoom(step),
  press: (page, step) => page.press(step),
  invite: (page, step) => page.invite(step),
  expect_connection: (page, step) => page.expectConnection(step),
  read: (page) => page.read(),
  screenshot: (page, step) => page.screenshot(step),
  style: (page, step) => page.style(step),
  requests: (page) => page.requests(),
  console_errors: async (page) => ({ errors: page.consoleErrors() }),
  close: (page) => page.close(),
}

const answer = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const page = await Page.launch(pageUrl)
answer({ ok: true, ready: true })

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue
  let name
  try {
    const step = JSON.parse(line)
    name = step.step
    if (!Object.hasOwn(steps, name)) throw new Error(`there is no step ${JSON.stringify(name)}`)
    answer({ ok: true, ...(await steps[name](page, step)) })
  } catch (cause) {
    answer({ ok: false, error: `${name ?? line}: ${cause.message}` })
  }
  if (name === 'close') break
}
await page.close()
process.exit(0)
