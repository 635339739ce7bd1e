// The part of the journey that is the same for every library: what people do under
// /sim, and the lines that the library must say of it. What the library does itself
// stands in its own proof.

import { Ledger, PATIENCE, Sim, difference } from './ledger.mjs';
import { ofState } from './state.mjs';

export class Journey {
  ledger = new Ledger();
  /** Sessions that the library began; its proof counts them. */
  sessions = 0;

  /** `caches()` is what the library holds, in the shape of `ofState`. */
  static async begin(origin, caches) {
    const journey = new Journey();
    journey.origin = origin;
    journey.caches = caches;
    journey.sim = new Sim(origin);
    const state = await journey.sim.state();
    journey.application = state.application;
    journey.guildIds = state.guilds.map((guild) => guild.id);
    journey.guildId = journey.guildIds[0];
    journey.userId = state.guilds[0].members[0].userId;
    return journey;
  }

  /** A session began. */
  began() {
    this.sessions += 1;
    this.ledger.poke();
  }

  /** Says that the library can do this, for the table in docs/simulator.md. */
  proved(capability) {
    console.log(`@proved ${capability}`);
  }

  /** The caches hold what the simulator holds. */
  async agrees(chapter) {
    const found = difference(this.caches(), ofState(await this.sim.state()));
    if (found) throw new Error(`After "${chapter}" the caches are not /sim/state: ${found}`);
    console.log(`== ${chapter}: the caches equal /sim/state`);
  }

  /** Both are the same, or what is not. */
  same(chapter, found, wanted) {
    const other = difference(found, wanted);
    if (other) throw new Error(`${chapter}: ${other}`);
  }

  async guild() {
    return (await this.sim.state()).guilds[0];
  }

  async channel(name) {
    return (await this.guild()).channels.find((channel) => channel.name === name).id;
  }

  async tables() {
    return [await this.channel('Table One'), await this.channel('Table Two')];
  }

  turnThePage() {
    this.ledger.expected.length = this.ledger.seen.length = 0;
  }

  /** Whatever was said until now was heard, and is forgotten: a line of its own comes after
   * it. */
  async told(chapter) {
    const { sim, userId } = this;
    const channelId = await this.channel('game-night');
    const { id } = await sim.act('POST', '/messages', { channelId, authorId: userId, content: chapter });
    const line = `message ${id} by ${userId}: ${chapter}`;
    await this.ledger.until(`The end of "${chapter}"`, () => this.ledger.seen.includes(line));
    this.turnThePage();
  }

  /** Somebody joins, moves, mutes and leaves. */
  async voices() {
    const { ledger, sim, guildId, userId } = this;
    const [first, second] = await this.tables();
    ledger.expect(
      `voice ${userId} in ${first}`,
      `voice ${userId} in ${second}`,
      `voice ${userId} in ${second} muted`,
      `voice ${userId} in null`,
    );
    await sim.voice(guildId, { userId, channelId: first });
    await sim.voice(guildId, { userId, channelId: second });
    await sim.voice(guildId, { userId, selfMute: true });
    await sim.voice(guildId, { userId, channelId: null });
    await ledger.settled('voices');
    this.proved('voice states');
  }

  /** Channels and roles come, change and go, and a newcomer is given one. */
  async house() {
    const { ledger, sim } = this;
    const at = `/guilds/${this.guildId}`;
    const { id: role } = await sim.act('POST', `${at}/roles`, { name: 'Visitor', color: 0x3f8f6b });
    const { id: channel } = await sim.act('POST', `${at}/channels`, {
      name: 'Guest Room',
      permissionOverwrites: [{ id: role, type: 0, allow: '1024', deny: '0' }],
    });
    const { id: user } = await sim.act('POST', '/users', { username: 'wanda.new', globalName: 'Wanda' });
    ledger.expect(`role ${role} made: Visitor`, `channel ${channel} made: Guest Room`);
    await ledger.settled('a role and a channel');

    await sim.act('POST', `${at}/members`, { userId: user });
    await sim.act('PUT', `${at}/members/${user}/roles/${role}`);
    await sim.act('PATCH', `${at}/members/${user}`, { nick: 'The Newcomer' });
    await sim.act('PATCH', `/roles/${role}`, { name: 'Guest' });
    await sim.act('PATCH', `/channels/${channel}`, { name: 'Guest Hall' });
    ledger.expect(
      `member ${user} came`,
      `member ${user} changed: null, 1 roles`,
      `member ${user} changed: The Newcomer, 1 roles`,
      `role ${role} changed: Guest`,
      `channel ${channel} changed: Guest Hall`,
    );
    await ledger.settled('a newcomer');
    await this.agrees('a newcomer');

    await sim.act('DELETE', `/channels/${channel}`);
    await sim.act('DELETE', `${at}/members/${user}`);
    await sim.act('DELETE', `/roles/${role}`);
    ledger.expect(`channel ${channel} gone`, `member ${user} went`, `role ${role} gone`);
    await ledger.settled('everything taken back');
    this.proved('channels, roles and members');
  }

  /** Messages of people, with their content. */
  async messages() {
    const { ledger, sim, userId } = this;
    const channelId = await this.channel('game-night');
    const { id } = await sim.act('POST', '/messages', { channelId, authorId: userId, content: 'Who brings the dice?' });
    ledger.expect(`message ${id} by ${userId}: Who brings the dice?`);
    await ledger.settled('a message');
    const path = `/channels/${channelId}/messages/${id}`;
    await sim.act('PATCH', path, { content: 'Who brings the cards?' });
    await sim.act('DELETE', path);
    ledger.expect(`message ${id} now: Who brings the cards?`, `message ${id} gone`);
    await ledger.settled('a message changed and deleted');
    this.proved('messages');
  }

  /** Somebody uses the bot; resolves to the interaction as /sim shows it, once `is` of it. */
  async use(body, is = ({ callback }) => callback !== null) {
    const asks = { userId: this.userId, channelId: await this.channel('game-night'), ...body };
    const { id } = await this.sim.act('POST', '/interactions', asks);
    for (const late = Date.now() + PATIENCE; Date.now() < late;) {
      const shown = await this.sim.act('GET', `/interactions/${id}`);
      if (!is(shown)) continue;
      this.proved(`callback type ${shown.callback}`);
      return shown;
    }
    const shown = await this.sim.act('GET', `/interactions/${id}`);
    throw new Error(`${JSON.stringify(body)} was not answered as it should: ${JSON.stringify(shown)}`);
  }

  /** Gives the bot's role what webhooks, threads and polls ask for. */
  async empower() {
    const { id, permissions } = (await this.guild()).roles.find((role) => role.name === 'Doorkeeper');
    const more = [13n, 14n, 15n, 29n, 34n, 35n, 36n, 38n, 49n].reduce((sum, bit) => sum | (1n << bit), BigInt(permissions));
    await this.sim.act('PATCH', `/roles/${id}`, { permissions: more.toString() });
    this.ledger.expect(`role ${id} changed: Doorkeeper`);
    await this.ledger.settled('more rights for the bot');
  }

  /** Somebody else spends the bucket of roles, so that the library meets a real 429: `statuses`
   * are those of `ask()`, which resolves to the number of roles. */
  async limits(statuses, ask) {
    const path = `/guilds/${this.guildId}/roles`;
    const headers = { authorization: `Bot ${this.application.botToken}` };
    // On a slow machine the bucket is full again before the library asks.
    for (let tries = 0; tries < 50; tries += 1) {
      while ((await fetch(`${this.origin}/api/v10${path}`, { headers })).status !== 429);
      statuses.length = 0;
      const roles = await ask();
      if (roles !== (await this.guild()).roles.length) throw new Error('Roles are missing after the 429.');
      if (statuses.at(0)?.endsWith(' 429') && statuses.at(-1)?.endsWith(' 200')) {
        console.log('== a 429, waited out');
        this.proved('a 429 waited out');
        return;
      }
    }
    throw new Error(`No 429 was waited out: ${JSON.stringify(statuses)}`);
  }

  async #attached() {
    return (await this.sim.state()).sessions.filter((session) => session.attached).map((session) => session.id);
  }

  /** The connection ends so that the session goes on. */
  async resumes(chapter, fault) {
    const { ledger, sim, guildId, userId } = this;
    const [first, second] = await this.tables();
    await sim.voice(guildId, { userId, channelId: first });
    ledger.expect(`voice ${userId} in ${first}`);
    await ledger.settled(`before ${chapter}`);
    const [before, attached] = [this.sessions, await this.#attached()];
    await sim.fault(fault);
    await ledger.until(`A resumption after ${chapter}`, () => ledger.seen.includes('resumed'));
    await sim.voice(guildId, { userId, channelId: second });
    ledger.expect('resumed', `voice ${userId} in ${second}`);
    await ledger.settled(chapter);
    if (this.sessions !== before || difference(attached, await this.#attached())) {
      throw new Error(`${chapter} cost the session.`);
    }
    this.turnThePage();
    this.proved(`resuming after ${chapter}`);
  }

  /** A drop while people move: the replay brings each step, in order, then RESUMED. Until
   * everybody has moved the resume host answers 503. */
  async replay() {
    const { ledger, sim, guildId, userId } = this;
    const [first, second] = await this.tables();
    await sim.fault({ kind: 'resume_503', times: 1000 });
    await sim.fault({ kind: 'drop' });
    for (const channelId of [first, second, first]) await sim.voice(guildId, { userId, channelId });
    await sim.fault({ kind: 'resume_503', times: 0 });
    ledger.expect(`voice ${userId} in ${first}`, `voice ${userId} in ${second}`, `voice ${userId} in ${first}`, 'resumed');
    await ledger.settled('a drop while people move, and a resume host that answers 503');
    this.turnThePage();
    this.proved('a replay');
  }

  /** Op 9 with false: a new session shows the world as it is now, members included. */
  async anew(members) {
    const { ledger, sim, guildId, userId } = this;
    const before = this.sessions;
    await sim.voice(guildId, { userId, channelId: null });
    ledger.expect(`voice ${userId} in null`);
    await ledger.settled('nobody in a room');
    await sim.fault({ kind: 'invalid_session', resumable: false });
    await ledger.until('A new session after op 9', () => this.sessions === before + 1);
    await members();
    await ledger.settled('op 9 with false');
    await this.agrees('op 9 with false');
    this.proved('a new session after op 9');
  }
}
