"""What Python's HTTP clients make of us, with their own jars and their own readers of streams.

Told by one argument, JSON: `web` (our address) and `user` (whom the simulated Discord signs in).
Answers in lines of JSON on stdout; the whole-house test reads them.
"""

import asyncio
import json
import sys

import aiohttp
import httpx
import httpx_sse


def say(**words):
    print(json.dumps(words), flush=True)


async def sign_in_with_aiohttp(web, user):
    """Its default jar puts a value with `+`, `/` or `=` into double quotes."""
    async with aiohttp.ClientSession() as session:

        async def get(url):
            async with session.get(url, allow_redirects=False) as answer:
                await answer.read()
                return answer.status, answer.headers.get("location")

        _, authorize = await get(f"{web}/auth/login")
        _, callback = await get(f"{authorize}&sim_user={user}")
        signed_in, _ = await get(callback)
        state, _ = await get(f"{web}/api/state")
        say(client="aiohttp", callback=signed_in, state=state)


def follow_with_httpx_sse(web, user):
    """This one takes every line end of Unicode for a line end of the stream."""
    with httpx.Client(timeout=60) as client:
        authorize = client.get(f"{web}/auth/login").headers["location"]
        callback = client.get(f"{authorize}&sim_user={user}").headers["location"]
        client.get(callback)
        with httpx_sse.connect_sse(client, "GET", f"{web}/api/stream") as source:
            for event in source.iter_sse():
                if event.event == "snapshot":
                    say(client="httpx-sse", ready=True)
                elif event.event in ("voice.updated", "guild.removed"):
                    name = json.loads(event.data).get("username")
                    say(client="httpx-sse", event=event.event, name=name)
                    return


told = json.loads(sys.argv[1])
asyncio.run(sign_in_with_aiohttp(told["web"], told["user"]))
follow_with_httpx_sse(told["web"], told["user"])
