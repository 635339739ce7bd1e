// Webhooks, threads, direct messages and polls with discord.js, as its guide uses them.

import { ChannelType, ThreadAutoArchiveDuration, WebhookClient } from 'discord.js';

const named = (client, journey, name) => (
  client.guilds.cache.get(journey.guildId).channels.cache.find((channel) => channel.name === name)
);

/** A webhook is made, speaks by itself and by its token, changes what it said, and goes. */
export async function webhooks(client, journey) {
  const { ledger, origin } = journey;
  const channel = named(client, journey, 'game-night');
  const webhook = await channel.createWebhook({ name: 'Herald', reason: 'News' });
  ledger.expect(`webhooks of ${channel.id} changed`);
  await ledger.settled('a webhook');
  const said = await webhook.send({
    content: 'Hear, hear', username: 'Crier', avatarURL: 'https://example.org/a.png', embeds: [{ title: 'News' }],
    files: [{ attachment: Buffer.from('map'), name: 'map.txt' }],
  });
  ledger.expect(`message ${said.id} by ${webhook.id}: Hear, hear`);
  await ledger.settled('what a webhook says');
  journey.same('Its guise', [said.author.username, said.webhookId, said.attachments.first().name], ['Crier', webhook.id, 'map.txt']);
  const byToken = new WebhookClient({ id: webhook.id, token: webhook.token }, { rest: { api: `${origin}/api` } });
  await byToken.editMessage(said.id, 'Heard');
  ledger.expect(`message ${said.id} now: Heard`);
  journey.same('A message fetched', (await byToken.fetchMessage(said.id)).content, 'Heard');
  await byToken.deleteMessage(said.id);
  ledger.expect(`message ${said.id} gone`);
  await webhook.edit({ name: 'Old Herald' });
  ledger.expect(`webhooks of ${channel.id} changed`);
  journey.same('The webhooks', (await channel.fetchWebhooks()).map(({ name }) => name), ['Old Herald']);
  journey.same('A webhook fetched', (await client.fetchWebhook(webhook.id)).name, 'Old Herald');
  await webhook.delete();
  ledger.expect(`webhooks of ${channel.id} changed`);
  await ledger.settled('a webhook taken back');
  byToken.destroy?.();
  journey.proved('webhooks');
}

/** Threads are begun in each way, joined, archived, brought back and deleted. */
export async function threads(client, journey) {
  const { ledger, sim, userId, application } = journey;
  const channel = named(client, journey, 'game-night');
  const thread = await channel.threads.create({ name: 'Snacks', autoArchiveDuration: ThreadAutoArchiveDuration.OneHour, type: ChannelType.PublicThread });
  ledger.expect(`thread ${thread.id} made: Snacks`, `thread ${thread.id}: ${application.id} in`, `a message of type 18 in ${channel.id}`);
  await ledger.settled('a thread');
  const first = await thread.send('Who brings crisps?');
  ledger.expect(`message ${first.id} by ${application.id}: Who brings crisps?`);
  await thread.members.add(userId);
  ledger.expect(`thread ${thread.id}: ${userId} in`);
  await ledger.settled('a message and somebody in it');
  journey.same('Who is in it', [...(await thread.members.fetch()).keys()].sort(), [application.id, userId].sort());
  journey.same('Those that go on', (await channel.threads.fetchActive()).threads.map(({ id }) => id), [thread.id]);
  await thread.members.remove(userId);
  ledger.expect(`thread ${thread.id}: ${userId} out`);
  await thread.leave();
  ledger.expect(`thread ${thread.id}: ${application.id} out`);
  await ledger.settled('everybody out');
  await thread.join();
  ledger.expect(`thread ${thread.id}: ${application.id} in`);
  await thread.setName('Crisps');
  ledger.expect(`thread ${thread.id} now: Crisps`);
  await thread.setArchived(true);
  ledger.expect(`thread ${thread.id} now: Crisps, archived`);
  await ledger.settled('a thread archived');
  journey.same('The archive', (await channel.threads.fetchArchived()).threads.map(({ id }) => id), [thread.id]);
  const { id: answer } = await sim.act('POST', '/messages', { channelId: thread.id, authorId: userId, content: 'Me' });
  ledger.expect(`thread ${thread.id} now: Crisps`, `thread ${thread.id}: ${userId} in`, `message ${answer} by ${userId}: Me`);
  await ledger.settled('a thread that comes back');
  await thread.delete();
  ledger.expect(`channel ${thread.id} gone`);
  await ledger.settled('a thread deleted');

  const said = await channel.send('What do we play?');
  ledger.expect(`message ${said.id} by ${application.id}: What do we play?`);
  await ledger.settled('a message to talk about');
  const about = await said.startThread({ name: 'Games' });
  ledger.expect(
    `thread ${about.id} made: Games`, `thread ${about.id}: ${application.id} in`,
    `message ${said.id} now: What do we play?`, `a message of type 21 in ${about.id}`,
  );
  await ledger.settled('a thread about a message');
  journey.same('Its id', [about.id, said.hasThread, (await about.fetchStarterMessage()).id], [said.id, true, said.id]);
  const webhook = await channel.createWebhook({ name: 'Herald' });
  const below = await webhook.send({ content: 'Chess', threadId: about.id });
  ledger.expect(`webhooks of ${channel.id} changed`, `message ${below.id} by ${webhook.id}: Chess`);
  await webhook.delete();
  ledger.expect(`webhooks of ${channel.id} changed`);
  await about.delete();
  await said.delete();
  ledger.expect(`channel ${about.id} gone`, `message ${said.id} gone`);
  await ledger.settled('a webhook in a thread');
  const hidden = await channel.threads.create({ name: 'Surprise', type: ChannelType.PrivateThread, invitable: false });
  ledger.expect(`thread ${hidden.id} made: Surprise`, `thread ${hidden.id}: ${application.id} in`);
  await hidden.setLocked(true);
  ledger.expect(`thread ${hidden.id} now: Surprise`);
  await hidden.delete();
  ledger.expect(`channel ${hidden.id} gone`);
  await ledger.settled('a private thread');
  journey.proved('threads');
}

/** The bot writes to somebody, who answers. */
export async function directMessages(client, journey) {
  const { ledger, sim, userId, application } = journey;
  const user = await client.users.fetch(userId);
  const said = await user.send('Psst');
  ledger.expect(`message ${said.id} by ${application.id}: Psst`);
  await ledger.settled('a direct message');
  const { id } = await sim.act('POST', '/messages', { channelId: said.channelId, authorId: userId, content: 'Yes?' });
  ledger.expect(`message ${id} by ${userId}: Yes?`);
  await ledger.settled('an answer');
  const channel = await client.channels.fetch(said.channelId);
  journey.same('The channel', [channel.type, channel.recipientId], [ChannelType.DM, userId]);
  await said.edit('Nothing');
  ledger.expect(`message ${said.id} now: Nothing`);
  await said.delete();
  ledger.expect(`message ${said.id} gone`);
  await ledger.settled('a direct message taken back');
  journey.proved('direct messages');
}

/** Somebody votes, and votes for another; the bot looks who, and ends the poll. */
export async function polls(client, journey) {
  const { ledger, sim, userId, application } = journey;
  const channel = named(client, journey, 'game-night');
  const said = await channel.send({
    poll: { question: { text: 'When?' }, answers: [{ text: 'Seven' }, { text: 'Eight', emoji: '🎲' }], duration: 1, allowMultiselect: false },
  });
  ledger.expect(`message ${said.id} by ${application.id}: `);
  const votes = `/channels/${channel.id}/messages/${said.id}/votes`;
  await ledger.settled('a poll');
  await sim.act('POST', votes, { userId, answerId: 1 });
  await sim.act('POST', votes, { userId, answerId: 2 });
  ledger.expect(`${userId} voted for 1`, `${userId} voted no more for 1`, `${userId} voted for 2`);
  await ledger.settled('votes');
  const voters = await said.poll.answers.get(2).voters.fetch();
  journey.same('Who voted', [...voters.keys()], [userId]);
  const ended = await said.poll.end();
  ledger.expect(`message ${said.id} now: `);
  await ledger.settled('a poll ended');
  journey.same('The results', [ended.poll.resultsFinalized, ended.poll.answers.get(2).voteCount], [true, 1]);
  await said.delete();
  ledger.expect(`message ${said.id} gone`);
  await ledger.settled('a poll taken back');
  journey.proved('polls');
}
