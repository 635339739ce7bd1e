/**
 * Takes the examples out of the client's pages: those of `README.md` and `docs/client/`. Each block of
 * TypeScript becomes a module in `.examples/`, which is compiled, and a row in `.examples/list.json`, by
 * which `examples.test.tsx` runs those that say what they show.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { folder } from './doors.mjs'

const docs = join(folder, '../docs/client')
const pages = [join(folder, 'README.md'), ...readdirSync(docs).map((name) => join(docs, name))]
const place = join(folder, '.examples')

/** The blocks of a page: what stands behind the fence, and what is in it. */
const blocksOf = (text) => [...text.matchAll(/^```(\S+)(.*)\n([^]*?)^```$/gm)].map(([, kind, word, body]) => ({ kind, word: word.trim(), body }))

const examplesOf = (page) => {
  const name = page.startsWith(docs) ? page.slice(docs.length + 1, -'.md'.length) : 'client'
  const examples = []
  for (const { kind, word, body } of blocksOf(readFileSync(page, 'utf8'))) {
    if (['ts', 'tsx'].includes(kind)) examples.push({ page: name, file: `${name}_${examples.length}.${kind}`, body, shows: [] })
    else if (['html', 'text'].includes(kind)) {
      const last = examples.at(-1)
      if (last === undefined) throw new Error(`${page} shows something before its first example`)
      last.shows.push({ kind, word, body })
    } else if (kind !== 'sh') throw new Error(`${page} has a block of ${kind}: it would not be looked at`)
  }
  return examples
}

rmSync(place, { recursive: true, force: true })
mkdirSync(place)
const examples = pages.filter((page) => page.endsWith('.md')).flatMap(examplesOf)
for (const { file, body } of examples) writeFileSync(join(place, file), body)
writeFileSync(join(place, 'list.json'), JSON.stringify(examples.map(({ page, file, shows }) => ({ page, file, shows }))))
const compilerOptions = { exactOptionalPropertyTypes: false, types: [], noUnusedLocals: false }
writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: [], files: examples.map(({ file }) => file) }))
console.log(`examples: ${examples.length}, of which ${examples.filter(({ shows }) => shows.length > 0).length} say what they show`)
