/** The sizes of other clients of live data, by the same measure as ours. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { bundle, gzipped } from './bundle.mjs'
import { doors, folder } from './doors.mjs'

const others = [
  ['ably', '2.28.0', "export { Realtime } from 'ably'"],
  ['centrifuge', '5.8.0', "export { Centrifuge } from 'centrifuge'"],
  ['@supabase/realtime-js', '2.119.1', "export { RealtimeClient } from '@supabase/realtime-js'"],
  ['@electric-sql/client', '1.5.28', "export { ShapeStream, Shape } from '@electric-sql/client'"],
]

export const beside = async () => {
  const place = mkdtempSync(join(tmpdir(), 'guildhall-beside-'))
  try {
    writeFileSync(join(place, 'package.json'), '{ "private": true }')
    const names = others.map(([name, version]) => `${name}@${version}`)
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...names], { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] })
    const [core, react] = ['core', 'react'].map((short) => doors.find((door) => door.short === short).file)
    const rows = [
      ['@guildhall/client, createGuildhall', await bundle(`export { createGuildhall } from './${core}'`, [], folder)],
      ['@guildhall/client, core and all hooks', await bundle(`export * from './${core}'\nexport * from './${react}'`, [], folder)],
    ]
    for (const [name, version, contents] of others) rows.push([`${name} ${version}`, await bundle(contents, [], place)])
    console.log('\n| client | KiB gzip |\n|---|---|')
    for (const [name, { code }] of rows) console.log(`| ${name} | ${(gzipped(code) / 1_024).toFixed(1)} |`)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
