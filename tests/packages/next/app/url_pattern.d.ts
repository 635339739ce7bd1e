/** Next's own types name these, and TypeScript 5.9 does not know them yet. */
interface URLPattern {
  test(input?: string): boolean
}
declare const URLPattern: { new (input?: string): URLPattern }
type URLPatternInput = string
interface URLPatternOptions {
  readonly ignoreCase?: boolean
}
