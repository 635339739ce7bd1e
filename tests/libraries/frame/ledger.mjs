// What the library is expected to say, what it said, and the hand under /sim.
// Nothing here waits for time to pass: a wait ends with what it waits for, or
// with a sentence after PATIENCE.

export const PATIENCE = 30_000;

/** Two lists of lines, in order: what must be seen, and what was. */
export class Ledger {
  expected = [];
  seen = [];
  #waiting = [];

  constructor(say = console.log) {
    this.say = say;
  }

  expect(...lines) {
    this.expected.push(...lines);
  }

  /** Notes what the library said. */
  see(line) {
    this.say(`  ${line}`);
    this.seen.push(line);
    this.poke();
  }

  /** Looks again at everything that is waited for. */
  poke() {
    this.#waiting = this.#waiting.filter(({ holds, done }) => {
      if (!holds()) return true;
      done();
      return false;
    });
  }

  /** Resolves once `holds()`, looked at whenever something is seen. */
  until(what, holds) {
    return new Promise((resolve, reject) => {
      if (holds()) return resolve();
      const late = setTimeout(() => {
        reject(new Error(`${what} did not happen within ${PATIENCE / 1000} s.\n${this.story()}`));
      }, PATIENCE);
      const done = () => {
        clearTimeout(late);
        resolve();
      };
      this.#waiting.push({ holds, done });
    });
  }

  /** Everything expected so far was seen: as many, in this order, nothing else. */
  async settled(chapter) {
    await this.until(`What "${chapter}" expects`, () => this.seen.length >= this.expected.length);
    const wrong = this.expected.findIndex((line, index) => line !== this.seen[index]);
    if (wrong >= 0 || this.seen.length !== this.expected.length) {
      throw new Error(`"${chapter}" was not told as it happened.\n${this.story()}`);
    }
    this.say(`== ${chapter}: ${this.seen.length} lines so far, each as expected`);
  }

  story() {
    const from = Math.max(0, this.expected.findIndex((line, index) => line !== this.seen[index]));
    const list = (lines) => lines.slice(from).map((line) => `    ${line}`).join('\n');
    return `From line ${from + 1} on, expected:\n${list(this.expected)}\n  seen:\n${list(this.seen)}`;
  }
}

/** `/sim`: what no Discord has. Anything but success is an error. */
export class Sim {
  constructor(origin) {
    this.origin = origin;
  }

  async act(method, path, body) {
    const answer = await fetch(`${this.origin}/sim${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${method} /sim${path}: ${answer.status} ${JSON.stringify(told)}`);
    return told;
  }

  state() {
    return this.act('GET', '/state');
  }

  voice(guildId, body) {
    return this.act('POST', `/guilds/${guildId}/voice`, body);
  }

  fault(body) {
    return this.act('POST', '/faults', body);
  }
}

/** The first place where two trees differ, as a path with both values; or null. */
export function difference(ours, theirs, path = '') {
  const isTree = (value) => typeof value === 'object' && value !== null;
  if (!isTree(ours) || !isTree(theirs)) {
    return ours === theirs ? null : `${path}: ${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} in /sim/state`;
  }
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = difference(ours[key], theirs[key], `${path}/${key}`);
    if (found) return found;
  }
  return null;
}
