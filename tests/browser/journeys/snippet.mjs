/** The lines that the client's README begins with: compiled as they stand there, and run. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { House } from './house.mjs'
import { until } from './process.mjs'
import { clientPage } from './served.mjs'
import { Visitor } from './visitor.mjs'

const client = new URL('../../../client/', import.meta.url)
const ROOM = '613425648685547601'

/** JavaScript of it; throws what the compiler says of it, as strictly as it can. */
const compiled = (text) => {
  const ts = createRequire(client)('typescript')
  const name = new URL('readme.ts', client).pathname
  const options = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  let output = ''
  Object.assign(host, {
    fileExists: (file) => file === name || fileExists(file),
    readFile: (file) => (file === name ? text : readFile(file)),
    getSourceFile: (file, ...more) =>
      file === name ? ts.createSourceFile(file, text, options.target) : getSourceFile(file, ...more),
    writeFile: (_file, written) => (output = written),
  })
  const program = ts.createProgram([name], options, host)
  const wrong = ts.getPreEmitDiagnostics(program)
  if (wrong.length > 0) throw new Error(ts.formatDiagnostics(wrong, { ...host, getCanonicalFileName: (file) => file }))
  program.emit()
  return output
}

export const snippet = {
  'the first lines of the client\'s README compile and run': async ({ binary, browser }) => {
    const [, first] = readFileSync(new URL('README.md', client), 'utf8').split(/```ts\n/)
    const lines = first.slice(0, first.indexOf('```'))
    if (!lines.includes(ROOM)) throw new Error(`the lines name no room:\n${lines}`)
    const house = await House.start(binary)
    const [person] = house.people
    const [room] = house.rooms
    const { users } = await house.discord('GET', '/state')
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const said = []
    visitor.context.on('console', (message) => said.push(message.text()))
    await clientPage(visitor, compiled(lines).replace(ROOM, room))
    await until('it is live', () => said.some((line) => line.startsWith('live ')))
    await house.voice(person, room)
    const { globalName, username } = users.find(({ id }) => id === person)
    const name = globalName ?? username
    await until(`it says that ${name} came`, () => said.includes(`${name} came`))
    await until(`it lists ${name}`, () => said.at(-1).startsWith('live ') && said.at(-1).includes(name))
  },
}
