"""What the library is expected to say, what it said, and the hand under /sim.

Nothing here waits for time to pass: a wait ends with what it waits for, or with
a sentence after PATIENCE.
"""

import asyncio

import aiohttp

PATIENCE = 30.0


class Wrong(Exception):
    """What was told is not what happened."""


class Ledger:
    """Two lists of lines, in order: what must be seen, and what was."""

    def __init__(self):
        self.expected = []
        self.seen = []
        self._waiting = []

    def expect(self, *lines):
        self.expected.extend(lines)

    def see(self, line):
        """Notes what the library said."""
        print(f"  {line}", flush=True)
        self.seen.append(line)
        self.poke()

    def poke(self):
        """Looks again at everything that is waited for."""
        for holds, done in self._waiting:
            if not done.done() and holds():
                done.set_result(None)

    async def until(self, what, holds):
        """Returns once `holds()`, looked at whenever something is seen."""
        if holds():
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((holds, done))
        try:
            await asyncio.wait_for(done, PATIENCE)
        except asyncio.TimeoutError:
            raise Wrong(f"{what} did not happen within {PATIENCE:.0f} s.\n{self.story()}") from None
        finally:
            self._waiting.remove((holds, done))

    async def settled(self, chapter):
        """Everything expected so far was seen: as many, in this order, nothing else."""
        await self.until(f'What "{chapter}" expects', lambda: len(self.seen) >= len(self.expected))
        if self.seen != self.expected:
            raise Wrong(f'"{chapter}" was not told as it happened.\n{self.story()}')
        print(f"== {chapter}: {len(self.seen)} lines so far, each as expected", flush=True)

    def story(self):
        common = 0
        for ours, theirs in zip(self.expected, self.seen):
            if ours != theirs:
                break
            common += 1

        def rest(lines):
            return "\n".join(f"    {line}" for line in lines[common:])

        return f"From line {common + 1} on, expected:\n{rest(self.expected)}\n  seen:\n{rest(self.seen)}"


class Sim:
    """`/sim`: what no Discord has. Anything but success is an error."""

    def __init__(self, origin, http: aiohttp.ClientSession):
        self.origin = origin
        self.http = http

    async def act(self, method, path, body=None):
        async with self.http.request(method, f"{self.origin}/sim{path}", json=body) as answer:
            told = await answer.json()
            if answer.status >= 300:
                raise Wrong(f"{method} /sim{path}: {answer.status} {told}")
            return told

    async def state(self):
        return await self.act("GET", "/state")

    async def voice(self, guild_id, **body):
        return await self.act("POST", f"/guilds/{guild_id}/voice", body)

    async def fault(self, **body):
        return await self.act("POST", "/faults", body)


def difference(ours, theirs, path=""):
    """The first place where two trees differ, as a sentence; or None."""
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return None if ours == theirs else f"{path}: {ours!r} here, {theirs!r} in /sim/state"
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        found = difference(ours.get(key), theirs.get(key), f"{path}/{key}")
        if found:
            return found
    return None
