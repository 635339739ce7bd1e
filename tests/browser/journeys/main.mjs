/**
 * Journeys: what happens to people's browsers on a real house, from start to end.
 *
 *     npm run journeys -- PATH_TO_GUILDHALL [words of a journey's name …]
 *
 * Each is a promise; the first that is not kept ends the run. The examples' packages must be installed.
 */

import { resolve } from 'node:path'

import { launch } from '../browser.mjs'
import { accounts } from './accounts.mjs'
import { agreement } from './agreement.mjs'
import { backends } from './backends.mjs'
import { beside } from './beside.mjs'
import { examples } from './examples.mjs'
import { login } from './login.mjs'
import { outages } from './outages.mjs'
import { cleanUp } from './process.mjs'
import { rooms } from './rooms.mjs'
import { snippet } from './snippet.mjs'
import { tabs } from './tabs.mjs'

const [path, ...words] = process.argv.slice(2)
if (path === undefined) throw new Error('Give the path of the binary.')
const binary = resolve(process.env.INIT_CWD ?? '.', path)

const journeys = Object.entries({ ...outages, ...rooms, ...tabs, ...accounts, ...login, ...examples, ...snippet, ...backends, ...beside, ...agreement })
const asked = journeys.filter(([name]) => words.every((word) => name.includes(word)))
if (asked.length === 0) throw new Error(`no journey has ${words.join(' ')} in its name`)

const browser = await launch()
let failed = false
for (const [name, journey] of asked) {
  const began = performance.now()
  try {
    const said = await journey({ binary, browser })
    console.log(`ok    ${name} (${Math.round(performance.now() - began)} ms)${said === undefined ? '' : `: ${said}`}`)
  } catch (error) {
    failed = true
    console.log(`FAIL  ${name} (${Math.round(performance.now() - began)} ms)\n${error.stack}`)
  }
  for (const context of browser.contexts()) await context.close()
  await cleanUp()
  if (failed) break
}
await browser.close()
process.exit(failed ? 1 : 0)
