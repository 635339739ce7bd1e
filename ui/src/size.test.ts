import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

/** As the server sends it: everything compressed, but for the font, which is so by itself. */
const FIRST_VIEW_BYTES = 100 * 1024

describe('the first view', () => {
  it('is at most 100 KiB: document, script, style and font', () => {
    const dist = new URL('../dist/', import.meta.url)
    const document = readFileSync(new URL('index.html', dist))
    const files = [...document.toString().matchAll(/\.\/(assets\/[^"]+)"/g)].map(([, path = '']) => path)
    expect(files.map((path) => path.slice(path.lastIndexOf('.'))).sort()).toEqual(['.css', '.js', '.woff2'])
    const sizes = files.map((path) => {
      const bytes = readFileSync(new URL(path, dist))
      return path.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length
    })
    expect(sizes.reduce((sum, size) => sum + size, gzipSync(document, { level: 9 }).length)).toBeLessThanOrEqual(FIRST_VIEW_BYTES)
  })
})
