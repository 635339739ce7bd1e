/**
 * The package as it is published: packed, looked at by publint and attw, imported where nothing else is
 * installed, and installed into the projects of `tests/packages`, which use every door of it.
 */

import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { doors, folder } from './doors.mjs'

const run = (program, words, cwd = folder) => {
  console.log(`\n$ ${program} ${words.join(' ')}`)
  execFileSync(program, words, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}
/** A program of the client's own packages. */
const own = (name) => join(folder, 'node_modules/.bin', name)

/** Whether everything is there that the lock file names; npm writes its own list last. */
const isInstalled = (project) => {
  const list = join(project, 'node_modules/.package-lock.json')
  return existsSync(list) && statSync(list).mtimeMs >= statSync(join(project, 'package-lock.json')).mtimeMs
}

const place = mkdtempSync(join(tmpdir(), 'guildhall-package-'))
try {
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', place], { cwd: folder, encoding: 'utf8' })
  const [{ filename, files }] = JSON.parse(packed)
  const tarball = join(place, filename)
  console.log(`${filename}: ${files.length} files`)
  const strange = files.map(({ path }) => path).filter((path) => /test|\.tsx?$/.test(path.replace(/\.d\.ts$/, '').replace('dist/testing/', '')))
  if (strange.length > 0) throw new Error(`no part of a package: ${strange}`)

  run(own('publint'), ['run', tarball, '--strict'])
  run(own('attw'), [tarball, '--profile', 'esm-only', '--format', 'ascii'])

  // Where nothing that is optional is there, what needs none of it stands alone.
  const alone = join(place, 'node_modules/@guildhall/client')
  mkdirSync(alone, { recursive: true })
  run('tar', ['--extract', '--gzip', '--file', tarball, '--strip-components', '1', '--directory', alone])
  copyFileSync(join(folder, 'prove/quiet_import.mjs'), join(place, 'quiet_import.mjs'))
  const peerless = doors.filter(({ short }) => !['react', 'zod'].includes(short))
  run('node', ['quiet_import.mjs', ...peerless.map(({ specifier }) => specifier)], place)

  const projects = join(folder, '../tests/packages')
  for (const name of readdirSync(projects).filter((one) => existsSync(join(projects, one, 'package.json')))) {
    const project = join(projects, name)
    if (!isInstalled(project)) run('npm', ['ci', '--no-audit', '--no-fund'], project)
    // The version is the same, so npm would leave an earlier build in its place.
    rmSync(join(project, 'node_modules/@guildhall'), { recursive: true, force: true })
    run('npm', ['install', '--no-save', '--offline', '--no-audit', '--no-fund', tarball], project)
    run('npm', ['run', 'prove'], project)
  }

  run(own('vitest'), ['run', '--config', 'prove/react18.config.mjs'])
} finally {
  rmSync(place, { recursive: true, force: true })
}
