/**
 * What the document's schemas are made of, in zod's small build: it does the same, and a page that
 * checks one form carries 5 kB of it instead of 90.
 *
 * Each says just what JSON Schema says of its kind, which is not always what zod's own word means.
 */

import * as z from 'zod/mini'

interface Limits {
  readonly min?: number
  readonly max?: number
}

export const yesOrNo = () => z.boolean()
export const none = () => z.null()
export const word = <const Words extends readonly string[]>(words: Words) => z.enum(words)
export const list = <Item extends z.core.SomeType>(item: Item) => z.array(item)
export const orNull = <Some extends z.core.SomeType>(some: Some) => z.nullable(some)
export const entries = <Value extends z.core.SomeType>(value: Value) => z.record(z.string(), value)

/** A field that may be left out, or be undefined: JSON leaves that out. */
export const maybe = <Some extends z.core.SomeType>(some: Some) => z.optional(some)
/** A field that may be left out; what was JSON has nothing undefined. */
export const ifThere = <Some extends z.core.SomeType>(some: Some) => z.exactOptional(some)

/** An object that later servers may say more in: what is not known here is dropped. */
export const open = <Shape extends z.core.$ZodShape>(shape: Shape) => z.object(shape)
/** An object with these fields and no other. */
export const closed = <Shape extends z.core.$ZodShape>(shape: Shape) => z.strictObject(shape)

/** A closed object with so many of its fields. */
export const counted = <Shape extends z.core.$ZodShape>(shape: Shape, limits: Limits) =>
  closed(shape).check(
    z.refine((value) => within(Object.values(value as object).filter((one) => one !== undefined).length, limits), {
      error: `Has ${wordsOf(limits)} of its fields`,
    }),
  )

/** Letters are counted as Discord and the server do: a smiley is one, not two. */
export const text = ({ pattern, ...limits }: Limits & { readonly pattern?: string } = {}) => {
  const checks = [
    ...(pattern === undefined ? [] : [z.regex(new RegExp(pattern, 'u'), { error: `Looks like ${pattern}` })]),
    ...(isLimited(limits)
      ? [z.refine<string>((value) => within([...value].length, limits), { error: `Has ${wordsOf(limits)} characters` })]
      : []),
  ]
  return z.string().check(...checks)
}

/** A whole number that a double holds exactly; the server counts nothing that is larger. */
export const whole = (limits: Limits = {}) =>
  isLimited(limits)
    ? z.int().check(z.refine((value) => within(value, limits), { error: `Is ${wordsOf(limits)}` }))
    : z.int()

/** What is one of several objects, told apart by one field. */
export const oneOf = <
  Name extends string,
  const Members extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(
  name: Name,
  members: Members,
) => z.discriminatedUnion(name, members)

const isLimited = ({ min, max }: Limits): boolean => min !== undefined || max !== undefined

const within = (count: number, { min = -Infinity, max = Infinity }: Limits): boolean => min <= count && count <= max

const wordsOf = ({ min, max }: Limits): string => {
  if (min === max) return `${min}`
  if (max === undefined) return `at least ${min}`
  return min === undefined ? `at most ${max}` : `${min} to ${max}`
}
