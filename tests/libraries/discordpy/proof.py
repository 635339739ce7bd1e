"""discord.py, as it is published, against the simulator at argv[1], such as
http://127.0.0.1:4000. Only addresses are set, by class attributes. Ends with 0
if everything was told once, in order, and the caches equal /sim/state.
"""

import asyncio
import sys
import traceback

import aiohttp
import discord
import yarl

from ledger import PATIENCE, Ledger, Sim, Wrong, difference
from world import of_caches, of_state


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
    "message": lambda message: f"message {message.id} by {message.author.id}: {message.content}",
    "message_edit": lambda _, message: f"message {message.id} now: {message.content}",
    "message_delete": lambda message: f"message {message.id} gone",
}


class Witness(discord.Client):
    """Notes each event where the library hands it out: its handlers run as tasks,
    and by then the cached thing may have changed again.
    """

    def __init__(self, ledger, trace):
        intents = discord.Intents(
            guilds=True, members=True, voice_states=True, guild_messages=True, message_content=True
        )
        super().__init__(intents=intents, http_trace=trace)
        self.ledger = ledger
        self.sessions = 0
        self.failure = None

    def dispatch(self, event, /, *args, **kwargs):
        super().dispatch(event, *args, **kwargs)
        if event in LINES:
            self.ledger.see(LINES[event](*args))
        elif event == "ready":
            # Counted, not told: when it calls a session ready is the library's affair.
            self.sessions += 1
            self.ledger.poke()

    def fail(self, sentence):
        self.failure = sentence
        self.ledger.poke()


class Proof:
    """The chapters, each from a world at rest to a world at rest."""

    def __init__(self, origin, http):
        self.origin = origin
        self.sim = Sim(origin, http)
        self.http = http
        self.answers = []
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._answered)
        self.ledger = Ledger()
        self.client = Witness(self.ledger, trace)

    async def _answered(self, _session, _context, end):
        self.answers.append((end.method, end.url, end.response.status))

    async def run(self):
        state = await self.sim.state()
        self.token = state["application"]["botToken"]
        self.application_id = int(state["application"]["id"])
        self.guild_id = int(state["guilds"][0]["id"])
        self.somebody = int(state["guilds"][0]["members"][0]["userId"])
        running = asyncio.create_task(self._run_client())
        try:
            await self.login()
            await self.voices()
            await self.house()
            await self.messages()
            await self.rest()
            await self.limits()
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

    async def until(self, what, holds):
        await self.ledger.until(what, lambda: self.client.failure or holds())
        if self.client.failure:
            raise Wrong(self.client.failure)

    async def settled(self, chapter):
        await self.ledger.settled(chapter)

    async def agrees(self, chapter):
        """The caches hold what the simulator holds."""
        found = difference(of_caches(self.client), of_state(await self.sim.state()))
        if found:
            raise Wrong(f'After "{chapter}" the caches are not /sim/state: {found}')
        print(f"== {chapter}: the caches equal /sim/state", flush=True)

    async def login(self):
        await self.until("A session", lambda: self.client.sessions == 1)
        if self.client.user.id != self.application_id:
            raise Wrong(f"The bot is {self.client.user.id}, not {self.application_id}.")
        dialled = [url for _, url, status in self.answers if status == 101]
        if [url.query.get("compress") for url in dialled] != ["zlib-stream"]:
            raise Wrong(f"The gateway was not asked for zlib-stream: {dialled}")
        await self.agrees("login")

    @property
    def guild(self):
        return self.client.get_guild(self.guild_id)

    def channel(self, name):
        return discord.utils.get(self.guild.channels, name=name)

    async def voice(self, channel_id, **flags):
        channel_id = channel_id and str(channel_id)
        await self.sim.voice(self.guild_id, userId=str(self.somebody), channelId=channel_id, **flags)

    async def voices(self):
        """Somebody joins, moves, mutes and leaves."""
        user, first, second = self.somebody, self.channel("Table One").id, self.channel("Table Two").id
        self.ledger.expect(
            f"voice {user} in {first}",
            f"voice {user} in {second}",
            f"voice {user} in {second} muted",
            f"voice {user} in None",
        )
        await self.voice(first)
        await self.voice(second)
        await self.voice(second, selfMute=True)
        await self.voice(None)
        await self.settled("voices")

    async def house(self):
        """Channels and roles come, change and go, and a newcomer is given one."""
        at, act = f"/guilds/{self.guild_id}", self.sim.act
        role = (await act("POST", f"{at}/roles", {"name": "Visitor", "color": 0x3F8F6B}))["id"]
        overwrites = [{"id": role, "type": 0, "allow": "1024", "deny": "0"}]
        room = {"name": "Guest Room", "permissionOverwrites": overwrites}
        channel = (await act("POST", f"{at}/channels", room))["id"]
        user = (await act("POST", "/users", {"username": "wanda.new", "globalName": "Wanda"}))["id"]
        self.ledger.expect(f"role {role} made: Visitor", f"channel {channel} made: Guest Room")
        await self.settled("a role and a channel")

        await act("POST", f"{at}/members", {"userId": user})
        await act("PUT", f"{at}/members/{user}/roles/{role}")
        await act("PATCH", f"{at}/members/{user}", {"nick": "The Newcomer"})
        await act("PATCH", f"/roles/{role}", {"name": "Guest"})
        await act("PATCH", f"/channels/{channel}", {"name": "Guest Hall"})
        self.ledger.expect(
            f"member {user} came",
            f"member {user} changed: None, 1 roles",
            f"member {user} changed: The Newcomer, 1 roles",
            f"role {role} changed: Guest",
            f"channel {channel} changed: Guest Hall",
        )
        await self.settled("a newcomer")
        await self.agrees("a newcomer")

        await act("DELETE", f"/channels/{channel}")
        await act("DELETE", f"{at}/members/{user}")
        await act("DELETE", f"/roles/{role}")
        self.ledger.expect(f"channel {channel} gone", f"member {user} went", f"role {role} gone")
        await self.settled("everything taken back")

    async def messages(self):
        """A message of a person, with its content."""
        channel = self.channel("game-night").id
        said = {"channelId": str(channel), "authorId": str(self.somebody), "content": "Who brings the dice?"}
        message = (await self.sim.act("POST", "/messages", said))["id"]
        self.ledger.expect(f"message {message} by {self.somebody}: Who brings the dice?")
        await self.settled("a message")
        path = f"/channels/{channel}/messages/{message}"
        await self.sim.act("PATCH", path, {"content": "Who brings the cards?"})
        await self.sim.act("DELETE", path)
        self.ledger.expect(f"message {message} now: Who brings the cards?", f"message {message} gone")
        await self.settled("a message changed and deleted")

    async def rest(self):
        """The bot acts by REST: a role, a gated room, a move, a message."""
        guild = self.guild
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

        member, lobby = guild.get_member(self.somebody), self.channel("The Hearth")
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

        said = await self.channel("game-night").send(
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

    async def limits(self):
        """Somebody else spends the bucket, so that the library meets a real 429."""
        url = f"{self.origin}/api/v10/guilds/{self.guild_id}/roles"
        headers = {"authorization": f"Bot {self.token}"}
        for spent in range(1000):
            async with self.http.get(url, headers=headers) as answer:
                if answer.status == 429:
                    break
        else:
            raise Wrong(f"A thousand calls of {url} met no 429.")
        self.answers.clear()
        roles = await self.guild.fetch_roles()
        if len(roles) != len((await self.sim.state())["guilds"][0]["roles"]):
            raise Wrong("Roles are missing after the 429.")
        statuses = [status for _, _, status in self.answers]
        if statuses[0] != 429 or statuses[-1] != 200:
            raise Wrong(f"No 429 was waited out: {statuses}")
        print(f"== a 429 after {spent} calls, waited out", flush=True)

    async def attached(self):
        return [session["id"] for session in (await self.sim.state())["sessions"] if session["attached"]]

    async def resumes(self, chapter, **fault):
        """The connection ends so that the session goes on."""
        user, first, second = self.somebody, self.channel("Table One").id, self.channel("Table Two").id
        await self.voice(first)
        self.ledger.expect(f"voice {user} in {first}")
        await self.settled(f"before {chapter}")
        before, sessions = self.client.sessions, await self.attached()
        await self.sim.fault(**fault)
        await self.until(f"A resumption after {chapter}", lambda: "resumed" in self.ledger.seen)
        await self.voice(second)
        self.ledger.expect("resumed", f"voice {user} in {second}")
        await self.settled(chapter)
        if self.client.sessions != before or await self.attached() != sessions:
            raise Wrong(f"{chapter} cost the session.")
        self.turn_the_page()

    async def replay(self):
        """A drop while people move: the replay brings each step, in order, then RESUMED."""
        user, first, second = self.somebody, self.channel("Table One").id, self.channel("Table Two").id
        await self.sim.fault(kind="resume_503", times=1)
        await self.sim.fault(kind="drop")
        for channel_id in (first, second, first):
            await self.voice(channel_id)
        self.ledger.expect(*(f"voice {user} in {channel_id}" for channel_id in (first, second, first)), "resumed")
        await self.settled("a drop while people move, and a resume host that answers 503 once")
        self.turn_the_page()

    async def anew(self):
        """Op 9 with false: a new session shows the world as it is now."""
        before = self.client.sessions
        await self.sim.fault(kind="invalid_session", resumable=False)
        await self.voice(None)
        await self.until("A new session after op 9", lambda: self.client.sessions == before + 1)
        await self.settled("op 9 with false")
        await self.agrees("op 9 with false")

    def turn_the_page(self):
        self.ledger.expected.clear()
        self.ledger.seen.clear()


async def main(origin):
    discord.http.Route.BASE = f"{origin}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(origin.replace("http", "ws", 1)) / "gateway"
    discord.Asset.BASE = origin
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
