import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

const dist = new URL('../dist/', import.meta.url)

/**
 * What a document of the build needs before anything is shown. As the server sends it: everything compressed, but
 * for the font, which is so by itself.
 */
const neededBy = (document: string) => {
  const text = readFileSync(new URL(document, dist))
  const files = [...text.toString().matchAll(/\.\/(assets\/[^"]+)"/g)].map(([, path = '']) => path)
  const sizes = files.map((path) => {
    const bytes = readFileSync(new URL(path, dist))
    return path.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length
  })
  return {
    // Without what makes a name new: `assets/client-C3oa4tCJ.js` is `client.js`.
    names: files.map((path) => path.replace(/^assets\/(.*)-.{8}(\.\w+)$/, '$1$2')).sort(),
    scripts: files.filter((path) => path.endsWith('.js')).map((path) => readFileSync(new URL(path, dist), 'utf8')),
    bytes: sizes.reduce((sum, size) => sum + size, gzipSync(text, { level: 9 }).length),
  }
}

describe('the first view', () => {
  it('is at most 100 KiB: document, scripts, style and font', () => {
    const { names, bytes } = neededBy('index.html')
    expect(names).toEqual(['client.js', 'figtree.woff2', 'first.css', 'first.js'])
    expect(bytes).toBeLessThanOrEqual(100 * 1024)
  })
})

describe('the page of an overlay link', () => {
  it('is the client\'s core and its own code, at most 13 KiB', () => {
    const { names, scripts, bytes } = neededBy('overlay.html')
    expect(names).toEqual(['client.js', 'overlay.css', 'overlay.js'])
    expect(bytes).toBeLessThanOrEqual(13 * 1024)
    // Nor is anything else asked for by what these import.
    const imported = scripts.flatMap((script) => [...script.matchAll(/["'`]\.\/([\w-]+)-.{8}\.js["'`]/g)].map(([, name]) => name))
    expect(imported).toEqual(['client'])
  })
})
