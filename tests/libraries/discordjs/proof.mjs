// discord.js, as it is published, against the simulator at argv[2], such as
// http://127.0.0.1:4000. Only the address is set, by its own option. Ends with 0
// if everything was told once, in order, and the caches equal /sim/state.

import {
  ChannelType, Client, Events, GatewayIntentBits, OverwriteType, Partials, PermissionFlagsBits, version,
} from 'discord.js';

import { Journey } from '../frame/journey.mjs';
import { commands } from './commands.mjs';
import { directMessages, polls, threads, webhooks } from './places.mjs';
import { ofCaches } from './world.mjs';

const origin = process.argv[2];
if (!origin) throw new Error('Give the origin of a simulator, such as http://127.0.0.1:4000.');
const journey = await Journey.begin(origin, () => ofCaches(client));
const { application, guildId, ledger, sim } = journey;

const client = new Client({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildVoiceStates,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.GuildMessagePolls,
    GatewayIntentBits.GuildWebhooks,
    GatewayIntentBits.DirectMessages,
    GatewayIntentBits.MessageContent,
  ],
  // Channels of direct messages are not told before something is said in them.
  partials: [Partials.Channel],
  rest: { api: `${origin}/api`, cdn: origin },
});

// What the library says, in its own words turned into lines.
const told = (event, line) => client.on(event, (...args) => ledger.see(line(...args)));
told(Events.VoiceStateUpdate, (_, now) => `voice ${now.id} in ${now.channelId}${now.channelId && now.selfMute ? ' muted' : ''}`);
told(Events.ChannelCreate, (channel) => `channel ${channel.id} made: ${channel.name}`);
told(Events.ChannelUpdate, (_, channel) => `channel ${channel.id} changed: ${channel.name}`);
told(Events.ChannelDelete, (channel) => `channel ${channel.id} gone`);
told(Events.GuildRoleCreate, (role) => `role ${role.id} made: ${role.name}`);
told(Events.GuildRoleUpdate, (_, role) => `role ${role.id} changed: ${role.name}`);
told(Events.GuildRoleDelete, (role) => `role ${role.id} gone`);
told(Events.GuildMemberAdd, (member) => `member ${member.id} came`);
told(Events.GuildMemberUpdate, (_, member) => `member ${member.id} changed: ${member.nickname}, ${member.roles.cache.size - 1} roles`);
told(Events.GuildMemberRemove, (member) => `member ${member.id} went`);
told(Events.MessageCreate, (message) => message.system
  ? `a message of type ${message.type} in ${message.channelId}`
  : `message ${message.id} by ${message.author.id}: ${message.content}`);
told(Events.MessageUpdate, (_, message) => `message ${message.id} now: ${message.content}`);
told(Events.MessageDelete, (message) => `message ${message.id} gone`);
told(Events.MessagePollVoteAdd, ({ id }, userId) => `${userId} voted for ${id}`);
told(Events.MessagePollVoteRemove, ({ id }, userId) => `${userId} voted no more for ${id}`);
told(Events.ThreadCreate, (thread) => `thread ${thread.id} made: ${thread.name}`);
told(Events.ThreadUpdate, (_, thread) => `thread ${thread.id} now: ${thread.name}${thread.archived ? ', archived' : ''}`);
// It calls a thread that it deletes itself a channel, unless the event comes before the answer.
told(Events.ThreadDelete, (thread) => `channel ${thread.id} gone`);
told(Events.ThreadMembersUpdate, (added, removed, thread) => (
  `thread ${thread.id}: ${[...added.map(({ id }) => `${id} in`), ...removed.map(({ id }) => `${id} out`)]}`
));
told(Events.WebhooksUpdate, (channel) => `webhooks of ${channel.id} changed`);
told(Events.ShardResume, () => 'resumed');

// Connections and answers are counted, not told: how many of them is the library's affair.
client.on(Events.ShardReady, () => journey.began());
const statuses = [];
client.rest.on('response', (request, response) => statuses.push(`${request.method} ${request.route} ${response.status}`));
client.on(Events.Error, (error) => fail(error));
client.on(Events.Warn, (warning) => fail(new Error(`discord.js warns: ${warning}`)));
process.on('unhandledRejection', fail);

function fail(error) {
  console.error(`discord.js ${version} against ${origin}: ${error.stack ?? error}`);
  process.exit(1);
}

/** Asks each guild for all of its members (op 8), whom GUILD_CREATE leaves out. */
async function members() {
  for (const guild of client.guilds.cache.values()) await guild.members.fetch();
}

async function login() {
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(application.botToken);
  await ready;
  await ledger.until('A session', () => journey.sessions === 1);
  if (client.user.id !== application.id) throw new Error(`The bot is ${client.user.id}, not ${application.id}.`);
  await members();
  await journey.agrees('login');
  journey.proved('the whole state');
}

const named = (name) => client.guilds.cache.get(guildId).channels.cache.find((channel) => channel.name === name);
/** The bot acts by REST: a role, a gated room, a move, a message. */
async function rest() {
  const guild = client.guilds.cache.get(guildId);
  const role = await guild.roles.create({ name: 'Table Three', permissions: [], reason: 'A room of its own' });
  ledger.expect(`role ${role.id} made: Table Three`);
  await ledger.settled('a role by REST');

  const allow = [PermissionFlagsBits.ViewChannel, PermissionFlagsBits.Connect];
  const room = await guild.channels.create({
    name: 'Table Three',
    type: ChannelType.GuildVoice,
    permissionOverwrites: [
      { id: guildId, type: OverwriteType.Role, deny: allow },
      { id: role.id, type: OverwriteType.Role, allow },
      { id: client.user.id, type: OverwriteType.Member, allow },
    ],
  });
  ledger.expect(`channel ${room.id} made: Table Three`);
  await ledger.settled('a channel with overwrites by REST');

  const [userId, lobby] = [journey.userId, named('The Hearth')];
  const member = await guild.members.fetch(userId);
  // Counted before, because the event may come before the answer; @everyone is among them.
  const held = member.roles.cache.size;
  await member.roles.add(role);
  ledger.expect(`member ${userId} changed: ${member.nickname}, ${held} roles`);
  await ledger.settled('a role given by REST');
  await sim.voice(guildId, { userId, channelId: lobby.id });
  ledger.expect(`voice ${userId} in ${lobby.id}`);
  await ledger.settled('somebody in the lobby');
  await member.voice.setChannel(room);
  ledger.expect(`voice ${userId} in ${room.id}`);
  await ledger.settled('a move by REST');

  const said = await named('game-night').send({ content: 'Table Three is open.', allowedMentions: { parse: [] } });
  ledger.expect(`message ${said.id} by ${client.user.id}: Table Three is open.`);
  await ledger.settled('a message by REST');
  await said.edit('Table Three is full.');
  ledger.expect(`message ${said.id} now: Table Three is full.`);
  await ledger.settled('an edit by REST');
  await said.delete();
  ledger.expect(`message ${said.id} gone`);
  await ledger.settled('a deletion by REST');
  await journey.agrees('acting by REST');

  await room.setName('Table Four');
  ledger.expect(`channel ${room.id} changed: Table Four`);
  await role.setName('Table Four');
  ledger.expect(`role ${role.id} changed: Table Four`);
  await member.voice.disconnect();
  ledger.expect(`voice ${userId} in null`);
  await ledger.settled('somebody sent away by REST');
  await room.delete();
  ledger.expect(`channel ${room.id} gone`);
  await ledger.settled('a room deleted by REST');
  await role.delete();
  const roles = guild.members.cache.get(userId).roles.cache.filter((one) => one.id !== role.id).size - 1;
  ledger.expect(`role ${role.id} gone`, `member ${userId} changed: ${member.nickname}, ${roles} roles`);
  await ledger.settled('a role deleted by REST');
  await journey.agrees('everything taken back by REST');
  journey.proved('acting by REST');
}

/** The bot itself joins and leaves (op 4). */
async function ownVoice() {
  const [hearth, { shard }] = [named('The Hearth').id, client.guilds.cache.get(guildId)];
  const op4 = (channelId) => shard.send({ op: 4, d: { guild_id: guildId, channel_id: channelId, self_mute: false, self_deaf: false } });
  op4(hearth);
  ledger.expect(`voice ${application.id} in ${hearth}`);
  await ledger.settled('the bot in The Hearth');
  op4(null);
  ledger.expect(`voice ${application.id} in null`);
  await ledger.settled('the bot gone');
  journey.proved('its own voice state (op 4)');
}

console.log(`@version ${version}`);
try {
  await login();
  await journey.voices();
  await ownVoice();
  await journey.house();
  await journey.messages();
  await rest();
  await journey.empower();
  await commands(client, journey);
  await webhooks(client, journey);
  await threads(client, journey);
  await directMessages(client, journey);
  await polls(client, journey);
  await journey.limits(statuses, async () => (await client.guilds.cache.get(guildId).roles.fetch()).size);
  journey.turnThePage();
  await journey.resumes('a drop', { kind: 'drop' });
  await journey.resumes('op 7', { kind: 'reconnect' });
  await journey.replay();
  await journey.anew(members);
  await journey.agrees('the end');
  await client.destroy();
  console.log(`discord.js ${version}: everything was told once, in order, and the caches equal /sim/state.`);
} catch (error) {
  fail(error);
}
