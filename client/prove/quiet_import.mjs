/**
 * Imports what it is given, and fails if that did anything: asked the network, set a timer, listened,
 * left a handle, or put a name into the global object.
 */

import { argv, getActiveResourcesInfo } from 'node:process'

const did = []
const trap = (name) => {
  const before = globalThis[name]
  globalThis[name] = (...given) => {
    did.push(name)
    return before(...given)
  }
}
const names = ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'addEventListener', 'reportError', 'BroadcastChannel']
for (const name of names.filter((one) => typeof globalThis[one] === 'function')) trap(name)
const [globals, handles] = [Object.getOwnPropertyNames(globalThis), getActiveResourcesInfo()]

for (const specifier of argv.slice(2)) await import(specifier)

did.push(...Object.getOwnPropertyNames(globalThis).filter((name) => !globals.includes(name)))
if (getActiveResourcesInfo().length > handles.length) did.push(`handles: ${getActiveResourcesInfo()}`)
if (did.length > 0) throw new Error(`an import did something: ${did}`)
console.log(`imported without a trace: ${argv.slice(2).join(', ')}`)
