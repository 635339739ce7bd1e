"""A backend in Python, without a library: python.py URL GUILD ROOM, with GUILDHALL_TOKEN.

Says who is in the room, at each change.
"""

import json
import os
import sys
import urllib.request

url, guild, room = sys.argv[1:]
people = set()
request = urllib.request.Request(
    f"{url}api/stream?guild={guild}&channel={room}",
    headers={"Authorization": f"Bearer {os.environ['GUILDHALL_TOKEN']}"},
)


def take(event, payload):
    """Each event says how things are."""
    if event == "snapshot":
        people.clear()
        for one in (one for place in payload["guilds"] for one in place["rooms"]):
            if one["channelId"] == room:
                people.update(member["userId"] for member in one["members"])
    elif event in ("voice.joined", "voice.updated"):
        (people.add if payload["channelId"] == room else people.discard)(payload["userId"])
    elif event == "voice.left":
        people.discard(payload["userId"])
    else:
        return
    print(f"in the room: [{' '.join(sorted(people))}]", flush=True)


with urllib.request.urlopen(request) as stream:
    event = None
    for line in stream:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            event = value
        elif field == "data":
            take(event, json.loads(value))
