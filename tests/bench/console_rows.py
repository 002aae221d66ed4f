"""Rows of the console: from a commit to every open browser, beside a bare LISTEN client; requests a second."""
import os
import selectors
import socket
import statistics
import struct
import sys
import time

import harness
from harness import interleave

sys.path.insert(0, os.path.join(harness.ROOT, "tests/lib"))
from console import Browser  # noqa: E402

ALARMS = 40  # one after another, for each measure
REQUESTS = 400
STEP_S = 30  # for one alarm to be everywhere


class Database:
    """As much of PostgreSQL's protocol as a query and a notification need, with nothing between."""

    def __init__(self, stack):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{stack.values['PGHOST']}/.s.PGSQL.{stack.values['PGPORT']}")
        words = f"user\0{stack.values['PGUSER']}\0database\0{stack.values['PGDATABASE']}\0\0".encode()
        self.socket.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        self.buffer = b""
        self.until(b"Z")

    def until(self, kind):
        """Reads messages up to one of that kind; an error is raised."""
        while True:
            while len(self.buffer) < 5 or len(self.buffer) < 1 + struct.unpack("!i", self.buffer[1:5])[0]:
                self.buffer += self.socket.recv(65536)
            size = 1 + struct.unpack("!i", self.buffer[1:5])[0]
            found, body, self.buffer = self.buffer[:1], self.buffer[5:size], self.buffer[size:]
            if found == b"E":
                raise RuntimeError(body.decode(errors="replace"))
            if found == kind:
                return

    def run(self, sql):
        data = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(data) + 4) + data)
        self.until(b"Z")


def raise_one(database, name):
    database.run(f"""select onekey.raise_tickets('bench', '{harness.DISTRICT}', array[{time.time_ns() // 1000}]::bigint[],
        array['watch']::text[], array['{name}']::text[], array['panic']::text[], array['none']::text[], array['']::text[],
        array[null]::timestamptz[], array[now()]::timestamptz[], array[null]::bytea[], array[null]::jsonb[])""")


def log_in(bench):
    values = bench.stack.values
    browser = Browser(values["CONSOLE_URL"])
    if browser.log_in(values["CONSOLE_OPERATOR"], values["CONSOLE_OPERATOR_PASSWORD"]) != 200:
        raise RuntimeError("no log-in")
    return browser


class Crowd:
    """So many open streams."""

    def __init__(self, browser, count):
        self.selector = selectors.DefaultSelector()
        self.sockets = []
        head = f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {browser.cookie}\r\n\r\n".encode()
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", browser.port))
            client.sendall(head)
            client.setblocking(False)
            self.selector.register(client, selectors.EVENT_READ)
            self.sockets.append(client)
        self.wait(b"event: hello", 60)

    def wait(self, mark, deadline_s=STEP_S):
        """When each stream had read those bytes."""
        waiting, tails, times, ended = set(self.sockets), {}, [], 0
        end = time.monotonic() + deadline_s
        while waiting and time.monotonic() < end:
            for key, _ in self.selector.select(0.5):
                received = key.fileobj.recv(1 << 18)
                if not received:
                    ended += 1
                    self.selector.unregister(key.fileobj)
                data = tails.get(key.fileobj, b"") + received
                if key.fileobj in waiting and mark in data:
                    waiting.discard(key.fileobj)
                    times.append(time.monotonic())
                tails[key.fileobj] = data[-len(mark):]
        if waiting:
            raise RuntimeError(f"{len(waiting)} streams did not get {mark!r}; {ended} were ended")
        return times

    def close(self):
        for client in self.sockets:
            client.close()


def p99_ms(delays):
    return sorted(delays)[max(0, int(len(delays) * 0.99) - 1)] * 1000


def fanout(bench, report):
    """From before the call that raises a ticket until the last browsers have its row."""
    writer, listener = Database(bench.stack), Database(bench.stack)
    listener.run("listen onekey_ticket")
    browser = log_in(bench)

    def bare():
        delays = []
        for i in range(ALARMS):
            began = time.monotonic()
            raise_one(writer, f"bare-{time.time_ns()}")
            listener.until(b"A")
            delays.append(time.monotonic() - began)
        return p99_ms(delays)

    for count in (200, 2000):
        crowd = Crowd(browser, count)

        def ours():
            delays = []
            for i in range(ALARMS // 2):
                name = f"fan-{time.time_ns()}"
                began = time.monotonic()
                raise_one(writer, name)
                listener.until(b"A")
                delays += [at - began for at in crowd.wait(name.encode())]
            return p99_ms(delays)

        values, floors = interleave(ours, bare, turns=3)
        report.row(f"console_fanout_p99@{count}", "ms", values, floors, ("<=", 2) if count == 200 else None, "LISTEN")
        crowd.close()


def requests(bench, report):
    """Pages of the queue a second, one after another on one connection, beside a file of the page."""
    import http.client
    browser = log_in(bench)

    def rate(path):
        connection = http.client.HTTPConnection("127.0.0.1", browser.port)
        began = time.monotonic()
        for _ in range(REQUESTS):
            connection.request("GET", path, headers={"Cookie": browser.cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
        connection.close()
        return REQUESTS / (time.monotonic() - began)

    values, floors = interleave(lambda: rate("/api/queue?lane=alarms&limit=50"), lambda: rate("/-/healthy"), turns=3)
    report.row("console_requests", "1/s", values, floors, None, "no database")
    report.note(f"a page of 50 of the queue: {1000 / statistics.median(values):.1f} ms")


ROWS = [("console_fanout", fanout), ("console_requests", requests)]
