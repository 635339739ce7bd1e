/**
 * How large each door is when an app bundles all of it: minified by esbuild, then gzip. Fails above the
 * budget, and where one import carries what it does not use.
 *
 * `--beside` installs other clients of live data into a folder of its own, and prints a table of all.
 */

import { argv } from 'node:process'

import { beside } from './prove/beside.mjs'
import { bundle, gzipped } from './prove/bundle.mjs'
import { doors } from './prove/doors.mjs'

const fail = (sentence) => {
  console.error(sentence)
  process.exitCode = 1
}

/** What apps bring along themselves, and may leave out with the door. */
const peers = { react: ['react', 'react/jsx-runtime'], zod: ['zod/mini'] }

for (const { short, file, atMost } of doors) {
  // A door beside the core, which an app has once.
  const external = short === 'core' ? [] : ['../index.js']
  const { code, imports } = await bundle(`export * from './${file}'`, external)
  const bytes = gzipped(code)
  console.log(`${file}: ${bytes} bytes gzip${atMost === undefined ? '' : `, ${atMost} at most`}`)
  if (bytes > atMost) fail(`${file} is too large`)
  const foreign = imports.filter((path) => path !== '../index.js')
  const allowed = peers[short] ?? []
  if (foreign.some((path) => !allowed.includes(path))) fail(`${file} imports ${foreign}, and may import ${allowed}`)
}

/** One name of a door, and the files of ours that may be in its bundle. */
const single = [
  ['core', 'roomIn', ['store/select.js']],
  ['core', 'shallowEqual', ['store/equal.js']],
  ['react', 'useRoom', ['react/hooks.js', 'react/provider.js', 'react/selection.js', 'store/select.js']],
  ['zod', 'Snowflake', ['generated/schemas.js', 'zod/kinds.js']],
  ['testing', 'person', ['testing/pictures.js']],
  // Beside the core, of which it needs a look into a picture alone.
  ['debug', 'logEvents', ['debug/index.js', 'store/select.js']],
]
for (const [short, name, allowed] of single) {
  const { file } = doors.find((door) => door.short === short)
  const { code, files } = await bundle(`export { ${name} } from './${file}'`)
  const more = files.filter((path) => !allowed.includes(path))
  console.log(`${name} of ${file} alone: ${gzipped(code)} bytes gzip`)
  if (more.length > 0) fail(`${name} carries ${more}`)
}

if (argv.includes('--beside')) await beside()
