/**
 * Shapes: what a JSON value must look like before the page believes it.
 *
 * A shape reads a value and returns it typed. A value that does not fit throws
 * `Mismatch`, which `wire.ts` catches: nothing past that file sees it. A field
 * the shape does not name is no error (a newer server may send more), but its
 * path is noted, so that a test can insist on there being none.
 */

export class Mismatch extends Error {}

export interface Reading {
  /** Paths of the fields that were sent and are not in the shape. */
  readonly extra: string[]
}

export type Shape<T> = (value: unknown, path: string, reading: Reading) => T

/** The type a shape yields. */
export type Of<S> = S extends Shape<infer T> ? T : never

type Fields = Readonly<Record<string, Shape<unknown>>>

type Record_<Required extends Fields, Optional extends Fields> = {
  readonly [K in keyof Required]: Of<Required[K]>
} & {
  readonly [K in keyof Optional]?: Of<Optional[K]>
}

export const text: Shape<string> = (value, path) => {
  if (typeof value !== 'string') throw new Mismatch(`${path} is not a string`)
  return value
}

/** A Discord snowflake, always a string: it does not fit a double. */
export const id: Shape<string> = (value, path) => {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw new Mismatch(`${path} is not an id`)
  return value
}

export const count: Shape<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Mismatch(`${path} is not a count`)
  }
  return value
}

/** Unix milliseconds. */
export const moment: Shape<number> = count

/** Discord lets a position be negative. */
export const integer: Shape<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Mismatch(`${path} is not an integer`)
  return value
}

export const yesNo: Shape<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new Mismatch(`${path} is not a boolean`)
  return value
}

/** Exactly this value and no other. */
export const exactly =
  <const T extends string | boolean | null>(expected: T): Shape<T> =>
  (value, path) => {
    if (value !== expected) throw new Mismatch(`${path} is not ${String(expected)}`)
    return expected
  }

export const oneOf =
  <const T extends string>(...words: readonly T[]): Shape<T> =>
  (value, path) => {
    const word = words.find((candidate) => candidate === value)
    if (word === undefined) throw new Mismatch(`${path} is not one of ${words.join(', ')}`)
    return word
  }

export const orNull =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, path, reading) =>
    value === null ? null : shape(value, path, reading)

export const listOf =
  <T>(shape: Shape<T>): Shape<readonly T[]> =>
  (value, path, reading) => {
    if (!Array.isArray(value)) throw new Mismatch(`${path} is not a list`)
    return value.map((item, index) => shape(item, `${path}[${index}]`, reading))
  }

/** An object with all `required` fields, and any of the `optional` ones. */
export const record =
  <const Required extends Fields, const Optional extends Fields = Record<never, never>>(
    required: Required,
    optional?: Optional,
  ): Shape<Record_<Required, Optional>> =>
  (value, path, reading) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Mismatch(`${path} is not an object`)
    }
    // Maps, not plain objects: a field called `__proto__` is only a field.
    const sent = new Map(Object.entries(value))
    const read: [string, unknown][] = []
    for (const [name, shape] of Object.entries(required)) {
      if (!sent.has(name)) throw new Mismatch(`${path}.${name} is missing`)
      read.push([name, shape(sent.get(name), `${path}.${name}`, reading)])
    }
    for (const [name, shape] of Object.entries(optional ?? {})) {
      if (sent.has(name)) read.push([name, shape(sent.get(name), `${path}.${name}`, reading)])
    }
    for (const name of sent.keys()) {
      const known = Object.hasOwn(required, name) || (optional !== undefined && Object.hasOwn(optional, name))
      if (!known) reading.extra.push(`${path}.${name}`)
    }
    return Object.fromEntries(read) as Record_<Required, Optional>
  }
