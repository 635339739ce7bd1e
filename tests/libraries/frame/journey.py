"""The part of the journey that is the same for every library: what people do under /sim,
and the lines that the library must say of it. What the library does itself stands in its
own proof.
"""

import time

from ledger import PATIENCE, Ledger, Sim, Wrong, difference
from state import of_state


class Journey:
    """The chapters, each from a world at rest to a world at rest. A proof gives `caches`, what
    the library holds in the shape of `of_state`, and `trouble`, a sentence once it has failed.
    """

    def __init__(self, origin, http, caches, trouble):
        self.origin = origin
        self.http = http
        self.caches = caches
        self.trouble = trouble
        self.sim = Sim(origin, http)
        self.ledger = Ledger()
        # Those that the library began; its proof counts them.
        self.sessions = 0

    async def begin(self):
        state = await self.sim.state()
        self.token = state["application"]["botToken"]
        self.application_id = int(state["application"]["id"])
        self.guild_ids = {int(guild["id"]) for guild in state["guilds"]}
        self.guild_id = int(state["guilds"][0]["id"])
        self.user_id = int(state["guilds"][0]["members"][0]["userId"])

    def began(self):
        """A session began."""
        self.sessions += 1
        self.ledger.poke()

    @staticmethod
    def proved(capability):
        """Says that the library can do this, for the table in docs/simulator.md."""
        print(f"@proved {capability}", flush=True)

    def _fail_if_in_trouble(self):
        if self.trouble():
            raise Wrong(self.trouble())

    async def until(self, what, holds):
        await self.ledger.until(what, lambda: self.trouble() or holds())
        self._fail_if_in_trouble()

    async def settled(self, chapter):
        await self.ledger.settled(chapter)
        self._fail_if_in_trouble()

    async def agrees(self, chapter):
        """The caches hold what the simulator holds."""
        found = difference(self.caches(), of_state(await self.sim.state()))
        if found:
            raise Wrong(f'After "{chapter}" the caches are not /sim/state: {found}')
        print(f"== {chapter}: the caches equal /sim/state", flush=True)

    @staticmethod
    def same(chapter, found, wanted):
        if found != wanted:
            raise Wrong(f"{chapter}: {found!r} here, {wanted!r} wanted")

    async def guild(self):
        return (await self.sim.state())["guilds"][0]

    async def channel(self, name):
        channels = (await self.guild())["channels"]
        return int(next(channel["id"] for channel in channels if channel["name"] == name))

    async def tables(self):
        return await self.channel("Table One"), await self.channel("Table Two")

    async def voice(self, channel_id=None, **flags):
        body = flags or {"channelId": channel_id and str(channel_id)}
        await self.sim.voice(self.guild_id, userId=str(self.user_id), **body)

    def turn_the_page(self):
        self.ledger.expected.clear()
        self.ledger.seen.clear()

    async def told(self, chapter):
        """Whatever was said until now was heard, and is forgotten: a line of its own comes after it."""
        said = {"channelId": str(await self.channel("game-night")), "authorId": str(self.user_id), "content": chapter}
        message = (await self.sim.act("POST", "/messages", said))["id"]
        line = f"message {message} by {self.user_id}: {chapter}"
        await self.until(f'The end of "{chapter}"', lambda: line in self.ledger.seen)
        self.turn_the_page()

    async def voices(self):
        """Somebody joins, moves, mutes and leaves."""
        user, (first, second) = self.user_id, await self.tables()
        self.ledger.expect(
            f"voice {user} in {first}",
            f"voice {user} in {second}",
            f"voice {user} in {second} muted",
            f"voice {user} in None",
        )
        await self.voice(first)
        await self.voice(second)
        await self.voice(selfMute=True)
        await self.voice(None)
        await self.settled("voices")
        self.proved("voice states")

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
        self.proved("channels, roles and members")

    async def messages(self):
        """A message of a person, with its content."""
        channel = await self.channel("game-night")
        said = {"channelId": str(channel), "authorId": str(self.user_id), "content": "Who brings the dice?"}
        message = (await self.sim.act("POST", "/messages", said))["id"]
        self.ledger.expect(f"message {message} by {self.user_id}: Who brings the dice?")
        await self.settled("a message")
        path = f"/channels/{channel}/messages/{message}"
        await self.sim.act("PATCH", path, {"content": "Who brings the cards?"})
        await self.sim.act("DELETE", path)
        self.ledger.expect(f"message {message} now: Who brings the cards?", f"message {message} gone")
        await self.settled("a message changed and deleted")
        self.proved("messages")

    async def use(self, holds=lambda shown: shown["callback"] is not None, **body):
        """Somebody uses the bot; the interaction as /sim shows it, once it is so."""
        asks = {"userId": str(self.user_id), "channelId": str(await self.channel("game-night")), **body}
        asked = (await self.sim.act("POST", "/interactions", asks))["id"]
        late = time.monotonic() + PATIENCE
        while True:
            shown = await self.sim.act("GET", f"/interactions/{asked}")
            self._fail_if_in_trouble()
            if holds(shown):
                self.proved(f"callback type {shown['callback']}")
                return shown
            if time.monotonic() > late:
                raise Wrong(f"{body} was not answered as it should: {shown}")

    async def empower(self):
        """Gives the bot's role what webhooks, threads and polls ask for."""
        role = next(role for role in (await self.guild())["roles"] if role["name"] == "Doorkeeper")
        bits = int(role["permissions"])
        for bit in (13, 14, 15, 29, 34, 35, 36, 38, 49):
            bits |= 1 << bit
        await self.sim.act("PATCH", f"/roles/{role['id']}", {"permissions": str(bits)})
        self.ledger.expect(f"role {role['id']} changed: Doorkeeper")
        await self.settled("more rights for the bot")

    async def limits(self, met, ask):
        """Somebody else spends the bucket of roles, so that the library meets a real 429: `ask` gives
        the roles, and `met` says whether it was told to wait for them."""
        url = f"{self.origin}/api/v10/guilds/{self.guild_id}/roles"
        headers = {"authorization": f"Bot {self.token}"}
        # On a slow machine the bucket is full again before the library asks.
        for _ in range(50):
            status = None
            while status != 429:
                async with self.http.get(url, headers=headers) as answer:
                    status = answer.status
            roles = await ask()
            if len(roles) != len((await self.guild())["roles"]):
                raise Wrong("Roles are missing after the 429.")
            if met():
                self.proved("a 429 waited out")
                return
        raise Wrong("No 429 was waited out.")

    async def _attached(self):
        return [session["id"] for session in (await self.sim.state())["sessions"] if session["attached"]]

    async def resumes(self, chapter, **fault):
        """The connection ends so that the session goes on."""
        user, (first, second) = self.user_id, await self.tables()
        await self.voice(first)
        self.ledger.expect(f"voice {user} in {first}")
        await self.settled(f"before {chapter}")
        before, attached = self.sessions, await self._attached()
        await self.sim.fault(**fault)
        await self.until(f"A resumption after {chapter}", lambda: "resumed" in self.ledger.seen)
        await self.voice(second)
        self.ledger.expect("resumed", f"voice {user} in {second}")
        await self.settled(chapter)
        if self.sessions != before or await self._attached() != attached:
            raise Wrong(f"{chapter} cost the session.")
        self.turn_the_page()
        self.proved(f"resuming after {chapter}")

    async def replay(self):
        """A drop while people move: the replay brings each step, in order, then RESUMED. Until
        everybody has moved the resume host answers 503."""
        user, (first, second) = self.user_id, await self.tables()
        await self.sim.fault(kind="resume_503", times=1000)
        await self.sim.fault(kind="drop")
        for channel_id in (first, second, first):
            await self.voice(channel_id)
        await self.sim.fault(kind="resume_503", times=0)
        self.ledger.expect(*(f"voice {user} in {channel_id}" for channel_id in (first, second, first)), "resumed")
        await self.settled("a drop while people move, and a resume host that answers 503")
        self.turn_the_page()
        self.proved("a replay")

    async def anew(self, is_whole=lambda: True):
        """Op 9 with false: a new session shows the world as it is now."""
        before = self.sessions
        await self.voice(None)
        self.ledger.expect(f"voice {self.user_id} in None")
        await self.settled("nobody in a room")
        await self.sim.fault(kind="invalid_session", resumable=False)
        await self.until("A new session after op 9", lambda: self.sessions == before + 1 and is_whole())
        await self.settled("op 9 with false")
        await self.agrees("op 9 with false")
        self.proved("a new session after op 9")
