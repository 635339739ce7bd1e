/**
 * What each door exports, as committed text in `api/`: `node prove/api.mjs` writes it, `--check` fails
 * where it is not what the sources say. So a change of what apps may rely on is seen in review.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'

import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor'

import { doors, folder } from './doors.mjs'

const quiet = { default: { logLevel: 'none' } }
const temporary = join(folder, '../target/api')
const configOf = ({ short, types }) =>
  ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, types),
      compiler: { tsconfigFilePath: join(folder, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFileName: `${short}.api.md`,
        reportFolder: join(folder, 'api'),
        reportTempFolder: temporary,
      },
      newlineKind: 'lf',
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: { compilerMessageReporting: quiet, extractorMessageReporting: quiet, tsdocMessageReporting: quiet },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  })

/** The reports that are not what the built declarations say. */
const staleReports = (localBuild) => {
  mkdirSync(temporary, { recursive: true })
  const configs = doors.map(configOf)
  // One look at all declarations, for all doors.
  const additionalEntryPoints = doors.map(({ types }) => join(folder, types))
  const compilerState = CompilerState.create(configs[0], { additionalEntryPoints })
  // TypeScript here is younger than the extractor's own, which it says each time.
  const messageCallback = (message) => {
    message.handled = message.logLevel !== 'error'
  }
  const changed = configs.map((config) => Extractor.invoke(config, { localBuild, compilerState, messageCallback }).apiReportChanged)
  return doors.filter((_, at) => changed[at]).map(({ short }) => `api/${short}.api.md`)
}

const check = argv.includes('--check')
const stale = staleReports(!check)
console.log(`API reports: ${doors.length}, ${check ? 'stale' : 'changed'}: ${stale.join(', ') || 'none'}`)
if (check && stale.length > 0) {
  console.error('They are not what the sources say: run `npm run api` and commit them.')
  process.exitCode = 1
}
