"""A stream followed by a client that does not come back by itself: after each end it is opened
again with `Last-Event-ID`, after the wait that the server asked for, as the client's own
documentation has it.

Told by one argument, JSON: `client`, `url` and `cookie`. Says what it hears in lines of JSON on
stdout. It ends, and what it started with it, when its stdin does.
"""

import io
import json
import os
import subprocess
import sys
import threading

import httpx
import httpx_sse
import sseclient

TIMES = httpx.Timeout(5, read=40)


def with_httpx_sse(url, headers):
    with httpx.Client(timeout=TIMES) as client:
        with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
            for event in source.iter_sse():
                yield event.event, event.data, event.id, event.retry


def with_sseclient_py(url, headers):
    with httpx.stream("GET", url, headers=headers, timeout=TIMES) as answer:
        answer.raise_for_status()
        for event in sseclient.SSEClient(answer.iter_bytes()).events():
            yield event.event, event.data, event.id, event.retry


def with_curl(url, headers):
    """Its lines, as a shell script would read them: an event counts at its blank line."""
    words = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
    command = ["curl", "--silent", "--no-buffer", "--fail", *words, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        running.append(curl)
        event = {}
        for line in io.TextIOWrapper(curl.stdout, "utf-8", newline="\n"):
            name, _, value = line.rstrip("\n").partition(": ")
            event[name] = value
            if not name:
                yield event["event"], event["data"], event.get("id"), event.get("retry")
                event = {}
        running.remove(curl)


def follow(connect, url, cookie):
    cursor, retry_ms = None, 2_000
    while True:
        headers = {"Accept": "text/event-stream", "Cookie": cookie}
        if cursor:
            headers["Last-Event-ID"] = cursor
        try:
            for event, data, last_id, retry in connect(url, headers):
                cursor = last_id or cursor
                retry_ms = int(retry or retry_ms)
                said = {"event": event, "stamp": json.loads(data).get("username")}
                print(json.dumps(said), flush=True)
        except (httpx.HTTPError, httpx_sse.SSEError):
            # The connection tore, nobody is there, or a proxy said so: all that is waited out.
            pass
        never.wait(retry_ms / 1_000)


def end_with_stdin():
    sys.stdin.read()
    for child in running:
        child.kill()
    os._exit(0)


CLIENTS = {"httpx-sse": with_httpx_sse, "sseclient-py": with_sseclient_py, "curl": with_curl}
running = []
never = threading.Event()
told = json.loads(sys.argv[1])
threading.Thread(target=end_with_stdin, daemon=True).start()
follow(CLIENTS[told["client"]], told["url"], told["cookie"])
