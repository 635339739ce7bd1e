/** Why something was not done. One class for each thing that a caller does about it. */

import type { Components } from '../wire.js'

type Report = Components['ErrorReport']

/** An answer that says no. `code` is a word for programs: `docs/protocol/rpc.md` lists them. */
export class GuildhallError extends Error {
  override name = 'GuildhallError'
  declare readonly status: number
  declare readonly code: string
  /** When to try again, in seconds. */
  declare readonly retryAfter: number | undefined
  /** What is wrong with each field, by name. */
  declare readonly fields: Readonly<Record<string, string>> | undefined
  /** The permissions that were missing, as Discord names them. */
  declare readonly missing: readonly string[] | undefined
  /** Where signing in mends it. */
  declare readonly signInUrl: string | undefined

  constructor(status: number, report: Report) {
    super(report.message)
    Object.assign(this, report, { status })
  }
}

/** What was asked for is malformed: see `fields`. */
export class InvalidError extends GuildhallError {
  override name = 'InvalidError'
}
/** Nobody is signed in. */
export class UnauthorizedError extends GuildhallError {
  override name = 'UnauthorizedError'
}
/** This person may not: see `missing`. */
export class ForbiddenError extends GuildhallError {
  override name = 'ForbiddenError'
}
/** There is none, or this person does not see it. */
export class NotFoundError extends GuildhallError {
  override name = 'NotFoundError'
}
/** It does not fit what is so now. */
export class ConflictError extends GuildhallError {
  override name = 'ConflictError'
}
/** Too often: see `retryAfter`. */
export class TooManyRequestsError extends GuildhallError {
  override name = 'TooManyRequestsError'
}
/** Not now. Whether it was done, the same key tells later. */
export class UnavailableError extends GuildhallError {
  override name = 'UnavailableError'
}
/** No answer, or none of the server's: a network that is gone, a proxy's page. */
export class NoAnswerError extends GuildhallError {
  override name = 'NoAnswerError'

  constructor(cause?: unknown) {
    const message = 'No answer: it may have been done.'
    super(0, { code: 'no_answer', message })
    this.cause = cause
  }
}

const classes: Readonly<Record<number, typeof GuildhallError>> = {
  400: InvalidError,
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  429: TooManyRequestsError,
  503: UnavailableError,
  504: UnavailableError,
}

/** The error in an answer's body; anything else is no answer of the server's. */
export const errorOf = (status: number, body: unknown): GuildhallError => {
  const error = (body as { readonly error?: Partial<Report> } | null)?.error
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return new NoAnswerError(body)
  const Class = classes[status] ?? GuildhallError
  return new Class(status, error as Report)
}
