import { describe, expectTypeOf, it } from 'vitest'
import type * as z from 'zod/mini'

import type { Answer, Input } from '../index.js'
import type { Components } from '../wire.js'
import type * as doors from './index.js'

/** Without what only says who may write to it. */
type Plain<Value> = Value extends object ? { -readonly [Field in keyof Value]: Plain<Value[Field]> } : Value
type Schemas = Omit<typeof doors, 'inputs' | 'answers' | 'operations'>

describe('the types of the schemas', () => {
  it('are those of the document', () => {
    // Inputs may also have fields that are undefined.
    type Names = Exclude<keyof Schemas, `${string}Input`>
    type Ours = { [Name in Names]: Plain<z.infer<Schemas[Name]>> }
    expectTypeOf<Ours>().toExtend<{ [Name in Names]: Plain<Components[Name]> }>()
    expectTypeOf<{ [Name in Names]: Plain<Components[Name]> }>().toExtend<Ours>()
  })

  it('are those of the commands', () => {
    expectTypeOf<z.infer<(typeof doors.inputs)['rooms.create']>>().toExtend<Input<'rooms.create'>>()
    expectTypeOf<Input<'rooms.create'>>().toExtend<z.input<(typeof doors.inputs)['rooms.create']>>()
    expectTypeOf<z.infer<(typeof doors.answers)['rooms.create']>>().toExtend<Answer<'rooms.create'>>()
    expectTypeOf<z.infer<typeof doors.StreamEvent>['event']>().toEqualTypeOf<Components['StreamEvent']['event']>()
  })
})
