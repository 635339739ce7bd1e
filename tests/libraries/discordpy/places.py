"""Webhooks, threads, direct messages and polls with discord.py, as its examples use them."""

import datetime
import io

import discord


async def webhooks(client, journey):
    """A webhook is made, speaks by itself and by its token, changes what it said, and goes."""
    ledger, same = journey.ledger, journey.same
    channel = journey.named("game-night")
    webhook = await channel.create_webhook(name="Herald", reason="News")
    ledger.expect(f"webhooks of {channel.id} changed")
    await journey.settled("a webhook")
    said = await webhook.send(
        "Hear, hear",
        username="Crier",
        avatar_url="https://example.org/a.png",
        embed=discord.Embed(title="News"),
        file=discord.File(io.BytesIO(b"map"), "map.txt"),
        wait=True,
    )
    ledger.expect(f"message {said.id} by {webhook.id}: Hear, hear")
    await journey.settled("what a webhook says")
    same("Its guise", [said.author.name, said.webhook_id, said.attachments[0].filename], ["Crier", webhook.id, "map.txt"])
    by_token = discord.Webhook.partial(webhook.id, webhook.token, session=journey.http)
    await by_token.edit_message(said.id, content="Heard")
    ledger.expect(f"message {said.id} now: Heard")
    same("A message fetched", (await by_token.fetch_message(said.id)).content, "Heard")
    same("A webhook fetched by its token", (await by_token.fetch(prefer_auth=False)).name, "Herald")
    await by_token.delete_message(said.id)
    ledger.expect(f"message {said.id} gone")
    await webhook.edit(name="Old Herald")
    ledger.expect(f"webhooks of {channel.id} changed")
    same("The webhooks", [one.name for one in await channel.webhooks()], ["Old Herald"])
    same("A webhook fetched", (await client.fetch_webhook(webhook.id)).name, "Old Herald")
    await webhook.delete()
    ledger.expect(f"webhooks of {channel.id} changed")
    await journey.settled("a webhook taken back")
    journey.proved("webhooks")


async def threads(client, journey):
    """Threads are begun in each way, joined, archived, brought back and deleted."""
    ledger, same, user, own = journey.ledger, journey.same, journey.user_id, journey.application_id
    channel = journey.named("game-night")
    thread = await channel.create_thread(name="Snacks", type=discord.ChannelType.public_thread, auto_archive_duration=60)
    ledger.expect(f"thread {thread.id} made: Snacks", f"thread {thread.id} joined", f"a message of type 18 in {channel.id}")
    await journey.settled("a thread")
    first = await thread.send("Who brings crisps?")
    ledger.expect(f"message {first.id} by {own}: Who brings crisps?")
    await thread.add_user(discord.Object(user))
    ledger.expect(f"thread {thread.id}: {user} in")
    await journey.settled("a message and somebody in it")
    same("Who is in it", sorted(member.id for member in await thread.fetch_members()), sorted([own, user]))
    same("Those that go on", [one.id for one in await channel.guild.active_threads()], [thread.id])
    await thread.remove_user(discord.Object(user))
    ledger.expect(f"thread {thread.id}: {user} out")
    await thread.leave()
    ledger.expect(f"thread {thread.id} left")
    await journey.settled("everybody out")
    await thread.join()
    ledger.expect(f"thread {thread.id} joined")
    await journey.settled("the bot in it again")
    await thread.edit(name="Crisps")
    ledger.expect(f"thread {thread.id} now: Crisps")
    await thread.edit(archived=True)
    ledger.expect(f"thread {thread.id} now: Crisps, archived")
    await journey.settled("a thread archived")
    same("The archive", [one.id async for one in channel.archived_threads()], [thread.id])
    said = {"channelId": str(thread.id), "authorId": str(user), "content": "Me"}
    answer = (await journey.sim.act("POST", "/messages", said))["id"]
    ledger.expect(*returned(thread, user, answer))
    await journey.settled("a thread that comes back")
    await thread.delete()
    ledger.expect(f"thread {thread.id} gone")
    await journey.settled("a thread deleted")

    said = await channel.send("What do we play?")
    ledger.expect(f"message {said.id} by {own}: What do we play?")
    await journey.settled("a message to talk about")
    about = await said.create_thread(name="Games")
    ledger.expect(
        f"thread {about.id} made: Games",
        f"thread {about.id} joined",
        f"message {said.id} now: What do we play?",
        f"a message of type 21 in {about.id}",
    )
    await journey.settled("a thread about a message")
    same("Its id", about.id, said.id)
    webhook = await channel.create_webhook(name="Herald")
    below = await webhook.send("Chess", thread=about, wait=True)
    ledger.expect(f"webhooks of {channel.id} changed", f"message {below.id} by {webhook.id}: Chess")
    await webhook.delete()
    ledger.expect(f"webhooks of {channel.id} changed")
    await about.delete()
    await said.delete()
    ledger.expect(f"thread {about.id} gone", f"message {said.id} gone")
    await journey.settled("a webhook in a thread")
    hidden = await channel.create_thread(name="Surprise", type=discord.ChannelType.private_thread, invitable=False)
    ledger.expect(f"thread {hidden.id} made: Surprise", f"thread {hidden.id} joined")
    await journey.settled("a private thread")
    await hidden.edit(locked=True)
    ledger.expect(f"thread {hidden.id} now: Surprise")
    await hidden.delete()
    ledger.expect(f"thread {hidden.id} gone")
    await journey.settled("a private thread locked and deleted")
    journey.proved("threads")


def returned(thread, user, answer):
    """What is told when somebody writes in a thread that was archived, which discord.py had forgotten."""
    return (
        f"thread {thread.id} joined",
        f"thread {thread.id}: {user} in",
        f"message {answer} by {user}: Me",
    )


async def direct_messages(client, journey):
    """The bot writes to somebody, who answers."""
    ledger, user, own = journey.ledger, journey.user_id, journey.application_id
    somebody = await client.fetch_user(user)
    said = await somebody.send("Psst")
    ledger.expect(f"message {said.id} by {own}: Psst")
    await journey.settled("a direct message")
    back = {"channelId": str(said.channel.id), "authorId": str(user), "content": "Yes?"}
    answer = (await journey.sim.act("POST", "/messages", back))["id"]
    ledger.expect(f"message {answer} by {user}: Yes?")
    await journey.settled("an answer")
    channel = await client.fetch_channel(said.channel.id)
    journey.same("The channel", [channel.type, channel.recipient.id], [discord.ChannelType.private, user])
    await said.edit(content="Nothing")
    ledger.expect(f"message {said.id} now: Nothing")
    await said.delete()
    ledger.expect(f"message {said.id} gone")
    await journey.settled("a direct message taken back")
    journey.proved("direct messages")


async def polls(client, journey):
    """Somebody votes, and votes for another; the bot looks who, and ends the poll."""
    ledger, user, own = journey.ledger, journey.user_id, journey.application_id
    channel = journey.named("game-night")
    poll = discord.Poll("When?", duration=datetime.timedelta(hours=1))
    poll.add_answer(text="Seven").add_answer(text="Eight", emoji="🎲")
    said = await channel.send(poll=poll)
    ledger.expect(f"message {said.id} by {own}: ")
    await journey.settled("a poll")
    votes = f"/channels/{channel.id}/messages/{said.id}/votes"
    for answer in (1, 2):
        await journey.sim.act("POST", votes, {"userId": str(user), "answerId": answer})
    ledger.expect(f"{user} voted for 1", f"{user} voted no more for 1", f"{user} voted for 2")
    await journey.settled("votes")
    voters = [voter.id async for voter in said.poll.get_answer(2).voters()]
    journey.same("Who voted", voters, [user])
    ended = await said.end_poll()
    ledger.expect(f"message {said.id} now: ")
    await journey.settled("a poll ended")
    counts = [answer.vote_count for answer in ended.poll.answers]
    journey.same("The results", [ended.poll.is_finalised(), counts], [True, [0, 1]])
    await said.delete()
    ledger.expect(f"message {said.id} gone")
    await journey.settled("a poll taken back")
    journey.proved("polls")
