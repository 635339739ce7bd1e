/** What an app's bundler makes of some imports. */

import { relative } from 'node:path'
import { gzipSync } from 'node:zlib'

import { build } from 'esbuild'

import { folder } from './doors.mjs'

const ofApps = ['react', 'react/jsx-runtime', 'zod/mini']

/** The code of a module with these contents, the files in it (those of `dist` by their names there), and its imports. */
export const bundle = async (contents, external = [], resolveDir = folder) => {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    treeShaking: true,
    write: false,
    metafile: true,
    absWorkingDir: folder,
    outfile: 'bundle.js',
    logLevel: 'error',
    external: [...ofApps, ...external],
  })
  const [{ inputs, imports }] = Object.values(metafile.outputs)
  const used = Object.entries(inputs).filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path !== '<stdin>')
  return {
    code: outputFiles[0].contents,
    files: used.map(([path]) => relative('dist', path)),
    imports: [...new Set(imports.map(({ path }) => path))],
  }
}

export const gzipped = (code) => gzipSync(code, { level: 9 }).length
