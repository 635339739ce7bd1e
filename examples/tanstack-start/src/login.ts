/** The app's own login, and its word for its user: Guildhall takes it instead of a login with Discord. */

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

import { Snowflake } from '@guildhall/client/zod'
import { createServerFn } from '@tanstack/react-start'
import { getCookie, setCookie } from '@tanstack/react-start/server'

const signature = (text: string, secret: string | undefined): string => {
  if (secret === undefined || secret.length < 32) throw new Error('APP_SECRET and JWT_SECRET take 32 characters or more.')
  return createHmac('sha256', secret).update(text).digest('base64url')
}

const COOKIE = 'app'
const cookieFor = (userId: string) => `${userId}.${signature(userId, process.env['APP_SECRET'])}`

/** Whose cookie of the app's own this is; null: nobody's. */
const signedIn = (): string | null => {
  const cookie = Buffer.from(getCookie(COOKIE) ?? '')
  const userId = cookie.toString().split('.')[0] ?? ''
  const right = Buffer.from(cookieFor(userId))
  return right.length === cookie.length && timingSafeEqual(right, cookie) ? userId : null
}

/** Who is signed in, by Discord id. */
export const whoAmI = createServerFn().handler(() => signedIn())

/** In place of your own login, which knows whose Discord account is whose: here everybody is believed. */
export const signIn = createServerFn({ method: 'POST' })
  .validator(Snowflake)
  .handler(({ data }) => setCookie(COOKIE, cookieFor(data), { httpOnly: true, sameSite: 'lax', path: '/' }))

/** A JWT for Guildhall, good once and for a minute. */
export const vouch = createServerFn({ method: 'POST' }).handler(() => {
  const sub = signedIn()
  if (sub === null) throw new Error('Nobody is signed in.')
  const claims = { sub, aud: 'guildhall', exp: Math.floor(Date.now() / 1_000) + 60, jti: randomUUID() }
  const parts = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  const text = parts.join('.')
  return `${text}.${signature(text, process.env['JWT_SECRET'])}`
})
