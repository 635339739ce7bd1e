/** The proxies and servers that the page prints, each started as it stands there before a web of its own. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { atEnd, freePort, newFolder, Process, until } from '../process.mjs'
import { appWithLinks, plainApp } from './app.mjs'
import { printed, printedSettings } from './page.mjs'
import { Stand } from './stand.mjs'

/** It has the packages that the page's files import. */
const PACKAGES = new URL('../../../beside/', import.meta.url).pathname

const TOOLS_WITHIN_MS = 180_000

const addresses = (stand) => ({ '127.0.0.1:3000': `127.0.0.1:${stand.web.port}` })

const settingsOf = (file) => (stand) => printedSettings(file, { 'http://localhost:8080': stand.origin })

const write = (folder, files) => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** The server that renders its pages, as the app behind the proxy; answers its port. */
const renderingServer = async (stand) => {
  const port = await freePort()
  const folder = newFolder()
  write(folder, { 'server.mjs': printed('ssr/server.mjs') })
  const env = {
    ...process.env,
    PORT: String(port),
    GUILDHALL: `http://127.0.0.1:${stand.web.port}`,
    PUBLIC_HOST: `localhost:${stand.port}`,
  }
  stand.app = new Process(process.execPath, ['server.mjs'], { cwd: folder, env })
  stand.appAnswers = async () => {
    const answer = await fetch(stand.origin, { redirect: 'manual' })
    return answer.status === 303 && answer.headers.get('location') === `${stand.origin}/auth/login?returnTo=/`
  }
  return port
}

const noLog = () => 'access_log off;'

/** The lines that keep the tokens of links out of its logs, which the stand can read. */
const logOfLinks = (stand, folder) => {
  stand.logs = { access: join(folder, 'access.log'), error: join(folder, 'error.log') }
  return printed('overlay/log.conf', { '/var/log/nginx/': `${folder}/` })
}

/** `log(stand, folder)`: what it says of its logs. */
const nginx = (file, app, log = noLog) => async (stand) => {
  const folder = newFolder()
  const config = printed(file, {
    ...addresses(stand),
    '127.0.0.1:8080': `127.0.0.1:${stand.port}`,
    '127.0.0.1:8000': `127.0.0.1:${await app(stand)}`,
  })
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`)
  write(folder, { 'nginx.conf': config.replace('http {', () => `http { ${log(stand, folder)} ${kept.join(' ')}`) })
  const here = `daemon off; master_process off; pid ${folder}/nginx.pid;`
  const words = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log'), '-g', here]
  await stand.answers(new Process('/usr/sbin/nginx', words, {}))
}

const caddy = async (stand) => {
  const folder = newFolder()
  const config = printed('one-origin/Caddyfile', {
    ...addresses(stand),
    'http://localhost:8080': stand.origin,
    '127.0.0.1:8000': `127.0.0.1:${await renderingServer(stand)}`,
  })
  write(folder, { Caddyfile: config })
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }
  const words = ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile']
  await stand.answers(new Process('/usr/bin/caddy', words, { cwd: folder, env }))
}

const haproxy = async (stand) => {
  const folder = newFolder()
  const config = printed('one-origin/haproxy.cfg', {
    ...addresses(stand),
    '127.0.0.1:8080': `127.0.0.1:${stand.port}`,
    '127.0.0.1:8000': `127.0.0.1:${await renderingServer(stand)}`,
  })
  write(folder, { 'haproxy.cfg': config })
  await stand.answers(new Process('/usr/sbin/haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {}))
}

/** A folder whose files may import the packages; it goes when all is over. */
const project = (files) => {
  const folder = mkdtempSync(join(PACKAGES, 'run-'))
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  write(folder, files)
  return folder
}

const tool = (folder, name, words, env) =>
  new Process(process.execPath, [join(PACKAGES, 'node_modules/.bin', name), ...words], {
    cwd: folder,
    env: { ...process.env, ...env },
  })

const vite = (changed = (config) => config) => async (stand) => {
  const config = printed('vite/vite.config.js', { ...addresses(stand), 'port: 8080': `port: ${stand.port}` })
  const folder = project({ 'vite.config.js': changed(config), 'index.html': '<!doctype html><p>the app</p>' })
  stand.appAnswers = async () => (await (await fetch(stand.origin)).text()).includes('the app')
  await stand.answers(tool(folder, 'vite', ['--clearScreen', 'false'], {}))
}

/** Vite's configuration without the lines that close the stream. */
const withoutCure = (config) => {
  const bare = config.replace(/ {2}configure: [^]*?\n {2}\},\n/, '')
  if (bare === config) throw new Error('the lines for Vite have changed')
  return bare
}

/** A Next app with a login of its own; `isBuilt`: in production. */
const next = (isBuilt) => async (stand) => {
  const { house, port } = stand
  const { application } = await house.discord('GET', '/state')
  const folder = project({
    'next.config.mjs': printed('next/next.config.mjs', addresses(stand)),
    'auth.ts': printed('login/auth.ts', { 'https://discord.com': house.discordUrl }),
    'app/api/auth/[...nextauth]/route.ts': printed('login/app/api/auth/[...nextauth]/route.ts'),
    'app/guildhall-token/route.ts': printed('login/app/guildhall-token/route.ts'),
    'public/enter.js': printed('login/enter.js'),
    'app/layout.tsx': `import type { ReactNode } from 'react'
export default function Layout({ children }: { children: ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}
`,
    'app/page.tsx': 'export default function Page() {\n  return <p>the app</p>\n}\n',
    'tsconfig.json': JSON.stringify(STRICT),
  })
  const env = {
    ...printedSettings('login/app.env', {
      'http://localhost:8080': stand.origin,
      '1317206872763404478': application.id,
      'the-secret-of-that-application': application.clientSecret,
    }),
    SIMULATOR_URL: house.discordUrl,
    NODE_OPTIONS: `--require ${join(PACKAGES, 'discord.cjs')}`,
    NEXT_TELEMETRY_DISABLED: '1',
  }
  stand.appAnswers = async () => (await (await fetch(stand.origin)).text()).includes('the app')
  if (isBuilt) {
    const build = tool(folder, 'next', ['build'], env)
    await until('next build ends', () => !build.runs, TOOLS_WITHIN_MS)
    if (!build.endedWell) throw new Error(`next build:\n${build.said.slice(-3_000)}`)
  }
  const server = tool(folder, 'next', [isBuilt ? 'start' : 'dev', '--hostname', '127.0.0.1', '--port', String(port)], env)
  // It has a child, which it ends itself.
  atEnd(() => server.end())
  await stand.answers(server, TOOLS_WITHIN_MS)
}

const STRICT = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['dom', 'dom.iterable', 'esnext'],
    allowJs: false,
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    esModuleInterop: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    resolveJsonModule: true,
    isolatedModules: true,
    skipLibCheck: true,
    jsx: 'react-jsx',
    incremental: true,
    plugins: [{ name: 'next' }],
  },
  include: ['next-env.d.ts', 'auth.ts', 'app', '.next/types/**/*.ts', '.next/dev/types/**/*.ts'],
  exclude: ['node_modules'],
}

const ONE_ORIGIN = settingsOf('one-origin/guildhall.env')
const PREFIX = settingsOf('prefix/guildhall.env')

/** How each comes to be, by its name in the page's table and what is particular about it. */
const KINDS = {
  nginx: [['nginx', 'one origin'], ONE_ORIGIN, nginx('one-origin/nginx.conf', renderingServer)],
  prefix: [['nginx', 'a prefix', '/live'], PREFIX, nginx('prefix/nginx.conf', plainApp)],
  linksBelow: [['nginx', 'links, a prefix', '/live'], PREFIX, nginx('prefix/nginx.conf', appWithLinks(), logOfLinks)],
  linksBeside: [
    ['nginx', 'links, one origin'],
    ONE_ORIGIN,
    nginx('one-origin/nginx.conf', appWithLinks({ '/live/api/': '/api/' }), logOfLinks),
  ],
  caddy: [['Caddy', 'one origin'], ONE_ORIGIN, caddy],
  haproxy: [['HAProxy', 'one origin'], ONE_ORIGIN, haproxy],
  vite: [["Vite's dev server", 'its address in BASE_URL'], ({ origin }) => ({ BASE_URL: origin }), vite()],
  viteAllowed: [
    ["Vite's dev server", 'its address in ALLOWED_ORIGINS'],
    ({ origin }, webPort) => ({ BASE_URL: `http://localhost:${webPort}`, ALLOWED_ORIGINS: origin }),
    vite(),
  ],
  viteBare: [["Vite's dev server", 'without the cure'], ({ origin }) => ({ BASE_URL: origin }), vite(withoutCure)],
  nextDev: [['Next.js rewrites', 'in development', '/live'], settingsOf('login/guildhall.env'), next(false)],
  nextBuilt: [['Next.js rewrites', 'in production', '/live'], settingsOf('login/guildhall.env'), next(true)],
}

/** Starts one of them before a web of its own. */
export const startStand = (house, kind) => Stand.start(house, ...KINDS[kind])
