/**
 * Writes what the client is made of beside its own code, out of the OpenAPI document:
 * `node codegen/main.mjs FOLDER`. Types are openapi-typescript's; names, lanes and zod's schemas ours.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { argv } from 'node:process'

import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'

import { eventsModule } from './events.mjs'
import { schemasModule } from './schemas.mjs'

const folder = argv[2]
if (folder === undefined) throw new Error('which folder?')

const document = JSON.parse(await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'events.ts'), eventsModule(document))
await writeFile(join(folder, 'schemas.ts'), schemasModule(document))
const types = await openapiTS(document, { immutable: true })
await writeFile(join(folder, 'api.ts'), COMMENT_HEADER + astToString(types))
