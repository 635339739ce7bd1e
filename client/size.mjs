/**
 * How large each door is when an app bundles all of it: minified by esbuild, then gzip.
 * Fails above the budget.
 */

import { gzipSync } from 'node:zlib'

import { build } from 'esbuild'

const KIB = 1_024
const doors = [
  { file: 'dist/index.js', atMost: 10 * KIB },
  { file: 'dist/react/index.js', atMost: 3 * KIB },
]

for (const { file, atMost } of doors) {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    // What a door is beside the core, which an app has once.
    external: ['react', 'react/jsx-runtime', ...(file === 'dist/index.js' ? [] : ['../index.js'])],
  })
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length
  console.log(`${file}: ${bytes} bytes gzip, ${atMost} at most`)
  if (bytes > atMost) process.exitCode = 1
}
