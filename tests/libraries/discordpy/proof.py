"""discord.py, as it is published, against the simulator at argv[1], such as
http://127.0.0.1:4000. Only addresses are set, by class attributes. Ends with 0
if everything was told once, in order, and the caches equal /sim/state.
"""

import asyncio
import sys
import traceback
from pathlib import Path

import aiohttp
import discord
import yarl

sys.path.append(str(Path(__file__).resolve().parent.parent / "frame"))
from journey import Journey
from ledger import PATIENCE, Wrong

from commands import commands
from places import direct_messages, polls, threads, webhooks
from world import of_caches


def muted(voice):
    return " muted" if voice.channel and voice.self_mute else ""


# What the library says, in its own words, turned into lines.
LINES = {
    "resumed": lambda: "resumed",
    "voice_state_update": lambda member, _, now: (
        f"voice {member.id} in {now.channel and now.channel.id}{muted(now)}"
    ),
    "guild_channel_create": lambda channel: f"channel {channel.id} made: {channel.name}",
    "guild_channel_update": lambda _, channel: f"channel {channel.id} changed: {channel.name}",
    "guild_channel_delete": lambda channel: f"channel {channel.id} gone",
    "guild_role_create": lambda role: f"role {role.id} made: {role.name}",
    "guild_role_update": lambda _, role: f"role {role.id} changed: {role.name}",
    "guild_role_delete": lambda role: f"role {role.id} gone",
    "member_join": lambda member: f"member {member.id} came",
    "member_update": lambda _, member: (
        f"member {member.id} changed: {member.nick}, {len(member.roles) - 1} roles"
    ),
    "member_remove": lambda member: f"member {member.id} went",
    "message": lambda message: (
        f"a message of type {message.type.value} in {message.channel.id}"
        if message.type.value in (18, 21)  # that a thread began, and what it is about
        else f"message {message.id} by {message.author.id}: {message.content}"
    ),
    "message_edit": lambda _, message: f"message {message.id} now: {message.content}",
    "message_delete": lambda message: f"message {message.id} gone",
    "raw_poll_vote_add": lambda vote: f"{vote.user_id} voted for {vote.answer_id}",
    "raw_poll_vote_remove": lambda vote: f"{vote.user_id} voted no more for {vote.answer_id}",
    "thread_create": lambda thread: f"thread {thread.id} made: {thread.name}",
    "thread_join": lambda thread: f"thread {thread.id} joined",
    "thread_update": lambda _, thread: f"thread {thread.id} now: {thread.name}{', archived' if thread.archived else ''}",
    "thread_delete": lambda thread: f"thread {thread.id} gone",
    "thread_remove": lambda thread: f"thread {thread.id} left",
    "thread_member_join": lambda member: f"thread {member.thread_id}: {member.id} in",
    "thread_member_remove": lambda member: f"thread {member.thread_id}: {member.id} out",
    "webhooks_update": lambda channel: f"webhooks of {channel.id} changed",
}


class Witness(discord.Client):
    """Notes each event where the library hands it out: its handlers run as tasks,
    and by then the cached thing may have changed again.
    """

    def __init__(self, journey, trace):
        intents = discord.Intents(
            guilds=True,
            members=True,
            voice_states=True,
            messages=True,
            polls=True,
            webhooks=True,
            message_content=True,
        )
        super().__init__(intents=intents, http_trace=trace)
        self.journey = journey
        self.failure = None
        # Set by the chapter that answers interactions.
        self.answer = None

    def dispatch(self, event, /, *args, **kwargs):
        super().dispatch(event, *args, **kwargs)
        if event in LINES:
            self.journey.ledger.see(LINES[event](*args))
        elif event == "ready":
            # Counted, not told: when it calls a session ready is the library's affair.
            self.journey.began()

    async def on_interaction(self, interaction):
        if self.answer:
            try:
                await self.answer(interaction)
            except Exception:
                self.fail(traceback.format_exc())

    def fail(self, sentence):
        self.failure = sentence
        self.journey.ledger.poke()


class Proof(Journey):
    """What discord.py does itself, and the journey of them all."""

    def __init__(self, origin, http):
        super().__init__(origin, http, lambda: of_caches(self.client), lambda: self.client.failure)
        self.answers = []
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._answered)
        self.client = Witness(self, trace)

    async def _answered(self, _session, _context, end):
        self.answers.append((end.method, end.url, end.response.status))

    async def run(self):
        await self.begin()
        running = asyncio.create_task(self._run_client())
        try:
            await self.login()
            await self.voices()
            await self.own_voice()
            await self.house()
            await self.messages()
            await self.rest()
            await self.empower()
            await commands(self.client, self)
            await webhooks(self.client, self)
            await threads(self.client, self)
            await direct_messages(self.client, self)
            await polls(self.client, self)
            await self.limits(self.was_limited, self.roles)
            self.turn_the_page()
            await self.resumes("a drop", kind="drop")
            await self.resumes("op 7", kind="reconnect")
            await self.replay()
            await self.anew()
            await self.agrees("the end")
        finally:
            await self.client.close()
            await running
        if self.client.failure:
            raise Wrong(self.client.failure)

    async def _run_client(self):
        try:
            await self.client.start(self.token)
        except Exception:
            self.client.fail(f"discord.py gave up: {traceback.format_exc()}")

    async def login(self):
        await self.until("A session", lambda: self.sessions == 1)
        if self.client.user.id != self.application_id:
            raise Wrong(f"The bot is {self.client.user.id}, not {self.application_id}.")
        dialled = [url for _, url, status in self.answers if status == 101]
        if [url.query.get("compress") for url in dialled] != ["zlib-stream"]:
            raise Wrong(f"The gateway was not asked for zlib-stream: {dialled}")
        await self.agrees("login")
        self.proved("the whole state")

    async def own_voice(self):
        """The bot itself joins and leaves (op 4)."""
        guild, hearth = self.client.get_guild(self.guild_id), self.named("The Hearth")
        await guild.change_voice_state(channel=hearth)
        self.ledger.expect(f"voice {self.application_id} in {hearth.id}")
        await self.settled("the bot in The Hearth")
        await guild.change_voice_state(channel=None)
        self.ledger.expect(f"voice {self.application_id} in None")
        await self.settled("the bot gone")
        self.proved("its own voice state (op 4)")

    def named(self, name):
        """A channel as the library has it."""
        return discord.utils.get(self.client.get_guild(self.guild_id).channels, name=name)

    async def rest(self):
        """The bot acts by REST: a role, a gated room, a move, a message."""
        guild = self.client.get_guild(self.guild_id)
        role = await guild.create_role(
            name="Table Three", permissions=discord.Permissions.none(), reason="A room of its own"
        )
        self.ledger.expect(f"role {role.id} made: Table Three")
        await self.settled("a role by REST")

        opened = discord.PermissionOverwrite(view_channel=True, connect=True)
        closed = discord.PermissionOverwrite(view_channel=False, connect=False)
        overwrites = {guild.default_role: closed, role: opened, guild.me: opened}
        room = await guild.create_voice_channel("Table Three", overwrites=overwrites)
        self.ledger.expect(f"channel {room.id} made: Table Three")
        await self.settled("a channel with overwrites by REST")

        member, lobby = guild.get_member(self.user_id), self.named("The Hearth")
        roles = len(member.roles)
        await member.add_roles(role)
        self.ledger.expect(f"member {member.id} changed: {member.nick}, {roles} roles")
        await self.settled("a role given by REST")
        await self.voice(lobby.id)
        self.ledger.expect(f"voice {member.id} in {lobby.id}")
        await self.settled("somebody in the lobby")
        await member.move_to(room)
        self.ledger.expect(f"voice {member.id} in {room.id}")
        await self.settled("a move by REST")

        said = await self.named("game-night").send(
            "Table Three is open.", allowed_mentions=discord.AllowedMentions.none()
        )
        self.ledger.expect(f"message {said.id} by {self.application_id}: Table Three is open.")
        await self.settled("a message by REST")
        await said.edit(content="Table Three is full.")
        self.ledger.expect(f"message {said.id} now: Table Three is full.")
        await self.settled("an edit by REST")
        await said.delete()
        self.ledger.expect(f"message {said.id} gone")
        await self.settled("a deletion by REST")
        await self.agrees("acting by REST")

        await room.edit(name="Table Four")
        await role.edit(name="Table Four")
        await room.delete()
        await role.delete()
        self.ledger.expect(
            f"channel {room.id} changed: Table Four",
            f"role {role.id} changed: Table Four",
            f"voice {member.id} in None",
            f"channel {room.id} gone",
            f"role {role.id} gone",
            f"member {member.id} changed: {member.nick}, {roles - 1} roles",
        )
        await self.settled("everything taken back by REST")
        await self.agrees("everything taken back by REST")
        self.proved("acting by REST")

    async def roles(self):
        self.answers.clear()
        return await self.client.get_guild(self.guild_id).fetch_roles()

    def was_limited(self):
        """Whether the last thing asked for was refused, and asked for again."""
        statuses = [status for _, _, status in self.answers]
        return statuses[0] == 429 and statuses[-1] == 200


async def main(origin):
    discord.http.Route.BASE = f"{origin}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(origin.replace("http", "ws", 1)) / "gateway"
    discord.Asset.BASE = origin
    print(f"@version {discord.__version__}", flush=True)
    limit = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with aiohttp.ClientSession(timeout=limit) as http:
            await Proof(origin, http).run()
    except Exception as error:
        if not isinstance(error, Wrong):
            traceback.print_exc()
        sys.exit(f"discord.py {discord.__version__} against {origin}: {error}")
    print(f"discord.py {discord.__version__}: everything was told once, in order, and the caches equal /sim/state.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give the origin of a simulator, such as http://127.0.0.1:4000.")
    asyncio.run(main(sys.argv[1]))
