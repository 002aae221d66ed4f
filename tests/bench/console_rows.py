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
REQUESTS = 200
OPEN = 10000  # tickets
STEP_S = 30  # for one alarm to be everywhere


class Database:
    """As much of PostgreSQL's protocol as a query and a notification need, with nothing between."""

    def __init__(self, stack, user="postgres"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{stack.values['PGHOST']}/.s.PGSQL.{stack.values['PGPORT']}")
        words = f"user\0{user}\0database\0{stack.values['PGDATABASE']}\0\0".encode()
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

    def prepare(self, sql):
        self.send(b"P", b"one\0" + sql.encode() + b"\0\0\0")
        self.send(b"S", b"")
        self.until(b"Z")

    def pipeline(self, values, count):
        """That statement so many times, each a transaction of its own, none waiting for another's answer."""
        fields = b"".join(struct.pack("!i", len(value)) + value for value in values)
        for _ in range(count):
            self.send(b"B", b"\0one\0\0\0" + struct.pack("!h", len(values)) + fields + b"\0\0")
            self.send(b"E", b"\0\0\0\0\0")
            self.send(b"S", b"")
        for _ in range(count):
            self.until(b"Z")

    def send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)


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


FILL = f"""insert into onekey.ticket (district, kind, priority, subject, household_id, device_id, area_id, protocol, identity,
                                 last_signal_at, received_at)
    select d.district, k.name, k.priority, 'household:' || h.id, h.id, d.id, h.area_id, d.protocol, d.identity, d.at, d.at
    from (select *, now() - row_number() over (order by id) * interval '1 s' as at from onekey.device order by id limit {OPEN}) d
    join onekey.household h on h.district = d.district and h.id = d.household_id
    join onekey.ticket_kind k on k.name = (array['panic', 'fall', 'silence', 'low_battery'])[1 + d.id % 4];
    analyze onekey.ticket"""


def requests(bench, report):
    """Pages of the queue a second, one after another on one connection, while 10,000 tickets are open; beside the same
    statement by one connection to PostgreSQL in pipeline mode."""
    import http.client
    browser = log_in(bench)
    bench.forget_tickets()
    bench.stack.sql(FILL)
    token = bench.stack.value("select encode(token_hash, 'hex') from onekey.console_session order by created_at desc limit 1")
    database = Database(bench.stack, "console")
    database.prepare("select status, body, array_to_string(shown, ' ')"
                     " from onekey.console_request($1, $2::bytea, $3, $4, $5::jsonb)")
    values = [harness.DISTRICT.encode(), f"\\x{token}".encode(), b"bench", b"queue", b'{"lane": "alarms", "limit": 50}']

    def ours():
        connection = http.client.HTTPConnection("127.0.0.1", browser.port)
        began = time.monotonic()
        for _ in range(REQUESTS):
            connection.request("GET", "/api/queue?lane=alarms&limit=50", headers={"Cookie": browser.cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"queue: {answer.status}")
        connection.close()
        return REQUESTS / (time.monotonic() - began)

    def bare():
        began = time.monotonic()
        for _ in range(REQUESTS // 20):
            database.pipeline(values, 20)
        return REQUESTS / (time.monotonic() - began)

    for measure in (ours, bare):  # each connection has its plans
        measure()
    rates, floors = interleave(ours, bare, turns=3)
    report.row("console_requests", "1/s", rates, floors, (">=", 0.5), "the same SQL in pipeline mode")
    report.note(f"a page of 50 of {OPEN} open tickets: {1000 / statistics.median(rates):.1f} ms")
    bench.forget_tickets()


ROWS = [("console_fanout", fanout), ("console_requests", requests)]
