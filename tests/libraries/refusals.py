"""What the simulator refuses, tried over raw sockets.

    refusals.py roomy=http://HOST:PORT strict=… spent=… mute=…   tries every row of refusals.json
    refusals.py --write                                   writes the table in docs/simulator.md

The rows are in refusals.json and nowhere else: the table in the documentation is
made from them, and a run fails when it is not what they make. Nothing here is
shared with the simulator, and nothing is needed but Python's standard library.
"""

import base64
import http.client
import json
import os
import re
import socket
import struct
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROWS = HERE / "refusals.json"
MANUAL = HERE.parent.parent / "docs" / "simulator.md"
PAGES = "https://docs.discord.com/developers/"
BEGIN, END = "<!-- refusals: begin -->", "<!-- refusals: end -->"

# Nothing here takes longer unless it is broken.
PATIENCE = 20.0
INTENTS = 1 | 1 << 1 | 1 << 7 | 1 << 9


class Wrong(Exception):
    """Something else came than the row says."""


class Socket:
    """The client side of one WebSocket, by hand."""

    def __init__(self, origin, path):
        address = urlsplit(origin)
        self.raw = socket.create_connection((address.hostname, address.port), PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.came = self.raw.makefile("rb")
        self.inflated = zlib.decompressobj() if "zlib-stream" in path else None
        status = self.came.readline()
        if b" 101 " not in status:
            raise Wrong(f"the upgrade was answered {status.decode().strip()!r}")
        while self.came.readline().strip():
            pass

    def send(self, opcode, payload, masked=True):
        mask = os.urandom(4) if masked else b""
        bit, length = 0x80 if masked else 0, len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, bit | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, bit | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, bit | 127, length)
        if masked:
            payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self.raw.sendall(head + mask + payload)

    def receive(self):
        """The next payload, or `{"close": code}`."""
        while True:
            head = self.came.read(2)
            if len(head) < 2:
                return {"close": None}
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.came.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.came.read(8))
            payload = self.came.read(length)
            opcode = head[0] & 0x0F
            if opcode == 8:
                return {"close": struct.unpack("!H", payload[:2])[0] if payload else None}
            if opcode == 1:
                return json.loads(payload)
            if opcode == 2 and self.inflated:
                return json.loads(self.inflated.decompress(payload))

    def receive_until(self, holds):
        while True:
            came = self.receive()
            if "close" in came or holds(came):
                return came

    def tear(self):
        self.came.close()
        self.raw.close()


class House:
    """One simulator: what its world calls things, and how it is spoken to."""

    def __init__(self, origin):
        self.origin = origin
        self.host = urlsplit(origin).netloc
        state = self.http("GET", "/sim/state", {})[1]
        guild = state["guilds"][0]
        self.names = {"token": state["application"]["botToken"], "guild": guild["id"]}
        for kind, things in (("channel", guild["channels"]), ("role", guild["roles"])):
            self.names.update({f"{kind}:{thing['name']}": thing["id"] for thing in things})
        self.names.update({f"user:{user['username']}": user["id"] for user in state["users"]})
        said = {
            "channelId": self.names["channel:game-night"],
            "authorId": guild["members"][0]["userId"],
            "content": "Who brings the dice?",
        }
        self.names["message"] = self.http("POST", "/sim/messages", {}, json.dumps(said))[1]["id"]

    def http(self, method, path, headers, body=None):
        """Status and JSON of one call; an answer without JSON is `None`."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def fill(self, value):
        """Puts the world's own ids for `{names}`."""
        if isinstance(value, str):
            return re.sub(r"\{([a-z]+(?::[^{}]+)?)\}", lambda found: self.names[found[1]], value)
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if isinstance(value, dict):
            if value.keys() == {"repeat", "times"}:
                return value["repeat"] * value["times"]
            return {name: self.fill(one) for name, one in value.items()}
        return value


def over_the_gateway(house, row):
    """Sends a row's payloads; what then came."""
    path = row.get("path", "/gateway/?v=10&encoding=json")
    connection = Socket(house.origin, path)
    wanted = row["answer"]
    if row["send"] or wanted != {"close": 4012}:
        hello = connection.receive()
        if hello.get("op") != 10:
            raise Wrong(f"instead of HELLO came {hello}")
    for step in row["send"]:
        if step == "redial" or "redial" in step:
            connection.tear()
            connection = Socket(house.origin, path if step == "redial" else step["redial"])
            came = connection.receive()
            if "close" in came:
                connection.tear()
                return came
        elif step == "ready":
            be_ready(house, connection, 0)
        elif "ready" in step:
            be_ready(house, connection, step["ready"])
        elif "leave" in step:
            connection.send(8, struct.pack("!H", step["leave"]))
            connection.receive_until(lambda _: False)
        elif "text" in step:
            connection.send(1, step["text"].encode())
        elif "binary" in step:
            connection.send(2, bytes.fromhex(step["binary"]))
        elif "frame" in step:
            head = int(step["frame"], 16) & 0x7F
            connection.send(head, bytes.fromhex(step["bytes"]), step.get("masked", True))
        elif "long" in step:
            connection.send(1, json.dumps({"op": 1, "d": None}).encode().ljust(step["long"]))
        else:
            payload = json.dumps(house.fill(step["json"])).encode()
            for _ in range(step.get("times", 1)):
                connection.send(1, payload)
    if "dispatch" in wanted:
        came = connection.receive_until(lambda one: one.get("t") == wanted["dispatch"])
        came = {"dispatch": came["t"]} if "t" in came else came
    elif "op" in wanted:
        came = connection.receive_until(lambda one: one.get("op") == wanted["op"])
        came = {name: came[name] for name in ("op", "d") if name in came} or came
    else:
        came = connection.receive_until(lambda _: False)
    connection.tear()
    return came


def be_ready(house, connection, guilds):
    """A session, and so many of its guilds."""
    properties = {"os": "linux", "browser": "raw", "device": "raw"}
    identify = {"token": house.names["token"], "intents": INTENTS, "properties": properties}
    connection.send(1, json.dumps({"op": 2, "d": identify}).encode())
    ready = connection.receive_until(lambda one: one.get("t") == "READY")
    if "d" not in ready:
        raise Wrong(f"instead of READY came {ready}")
    house.names["session"] = ready["d"]["session_id"]
    for _ in range(guilds):
        connection.receive_until(lambda one: one.get("t") == "GUILD_CREATE")


def over_rest(house, row):
    """Makes a row's call, as often as it says; what the last one was answered."""
    method, path = house.fill(row["call"]).split(" ", 1)
    tokens = {"nobody": None, "stranger": "Bot bm9ib2R5.nobody.nobody"}
    token = tokens.get(row.get("as"), f"Bot {house.names['token']}")
    headers = {"authorization": token} if token else {}
    body = row.get("raw", json.dumps(house.fill(row["body"])) if "body" in row else None)
    if body is not None:
        headers["content-type"] = row.get("type", "application/json")
    for _ in range(row.get("times", 1)):
        status, told = house.http(method, f"/api/v10{path}", headers, body)
    came = {"status": status}
    if "code" in row["answer"]:
        came["code"] = told and told.get("code")
    return came


def attempt(houses, row):
    house = houses[row.get("house", "roomy")]
    try:
        came = over_rest(house, row) if "call" in row else over_the_gateway(house, row)
    except (Wrong, OSError, KeyError, TypeError, ValueError) as error:
        return f"{row['what']}: {error!r}"
    wanted = row["answer"]
    return None if came == wanted else f"{row['what']}: {wanted} was to come, {came} came"


def table(rows):
    """The rows as the documentation shows them."""
    lines = ["| What is sent | What comes | Documented in |", "|---|---|---|"]
    for row in rows:
        answer, call = row["answer"], row.get("call")
        sent = f"{row['what']} (`{re.sub(':[^}]*', '', call)}`)" if call else row["what"]
        if "close" in answer:
            comes = f"close {answer['close']}"
        elif "op" in answer:
            comes = f"op {answer['op']}, `{json.dumps(answer['d'])}`"
        elif "dispatch" in answer:
            comes = f"dispatch {answer['dispatch']}"
        else:
            comes = f"HTTP {answer['status']}" + (f", code {answer['code']}" if "code" in answer else "")
        lines.append(f"| {sent} | {comes} | [{row['page']}]({PAGES}{row['page']}) |")
    return "\n".join(lines)


def with_table(text, rows):
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}"


def main(arguments):
    rows = json.loads(ROWS.read_text())
    manual = MANUAL.read_text()
    if BEGIN not in manual or END not in manual:
        sys.exit(f"{MANUAL} has no place for the table: {BEGIN} … {END}")
    if arguments == ["--write"]:
        MANUAL.write_text(with_table(manual, rows))
        return
    if manual != with_table(manual, rows):
        sys.exit("The table in docs/simulator.md is not what refusals.json makes: run tests/libraries/refusals.py --write")
    try:
        houses = {name: House(origin) for name, origin in (one.split("=", 1) for one in arguments)}
    except (OSError, ValueError) as error:
        sys.exit(f"Each of {arguments} must name a simulator that runs, such as roomy=http://127.0.0.1:4000: {error}")
    failures = []
    for number, row in enumerate(rows, 1):
        failure = attempt(houses, row)
        print(f"{'WRONG' if failure else 'ok':5} {number:2} {failure or row['what']}", flush=True)
        failures += [failure] if failure else []
    if failures:
        sys.exit(f"{len(failures)} of {len(rows)} refusals are not as documented.")
    print(f"Refusals: all {len(rows)} came as documented.")


if __name__ == "__main__":
    main(sys.argv[1:])
