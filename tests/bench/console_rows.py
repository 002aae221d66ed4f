"""Rows of the console: from a commit to every open browser, beside a bare LISTEN client; requests a second."""
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

import harness
from harness import interleave

sys.path.insert(0, os.path.join(harness.ROOT, "tests/lib"))
from console import Browser  # noqa: E402

ALARMS = 40  # one after another, for each measure
REQUESTS = 200
OPEN = 10000  # tickets


class Database:
    """As much of PostgreSQL's protocol as a query and a notification need, with nothing between."""

    def __init__(self, stack, user="postgres"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{stack.values['PGHOST']}/.s.PGSQL.{stack.values['PGPORT']}")
        words = f"user\0{user}\0database\0{stack.values['PGDATABASE']}\0\0".encode()
        self.socket.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        self.buffer = self.row = b""
        self.until(b"Z")

    def until(self, kind, word=None):
        """Reads messages up to one of that kind that holds the word; an error is raised."""
        while True:
            while len(self.buffer) < 5 or len(self.buffer) < 1 + struct.unpack("!i", self.buffer[1:5])[0]:
                self.buffer += self.socket.recv(65536)
            size = 1 + struct.unpack("!i", self.buffer[1:5])[0]
            found, body, self.buffer = self.buffer[:1], self.buffer[5:size], self.buffer[size:]
            if found == b"E":
                raise RuntimeError(body.decode(errors="replace"))
            if found == b"D":
                self.row = body
            if found == kind and (word is None or word in re.split(rb"[ \0]", body)):
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
    """The number of its ticket, as text."""
    database.run(f"""select ticket_id from onekey.raise_tickets('bench', '{harness.DISTRICT}', array[{time.time_ns() // 1000}]::bigint[],
        array['watch']::text[], array['{name}']::text[], array['panic']::text[], array['none']::text[], array['']::text[],
        array[null]::timestamptz[], array[now()]::timestamptz[], array[null]::bytea[], array[null]::jsonb[])""")
    return database.row[6:]  # behind the count of columns and the size of this one


def log_in(bench):
    values = bench.stack.values
    browser = Browser(values["CONSOLE_URL"])
    if browser.log_in(values["CONSOLE_OPERATOR"], values["CONSOLE_OPERATOR_PASSWORD"]) != 200:
        raise RuntimeError("no log-in")
    return browser


class Crowd:
    """So many open streams, in a program that reads them as fast as it can."""

    def __init__(self, browser, count):
        self.process = subprocess.Popen([harness.program("stream_client"), str(browser.port), str(count), browser.cookie],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the streams ended")
        return harness.pairs(line)

    def wait(self):
        """When, by time.monotonic(), 99 % of the streams had that."""
        return self.read()["p99"] / 1e6

    def watch(self, mark):
        self.process.stdin.write(mark + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def p99_ms(delays):
    return sorted(delays)[max(0, int(len(delays) * 0.99) - 1)] * 1000


def fanout(bench, report):
    """From before the call that raises a ticket until 99 % of the browsers have its row; how long the commit took by
    itself is the floor's measure, of a client that only listens."""
    writer, listener = Database(bench.stack), Database(bench.stack)
    listener.run("listen onekey_ticket")
    browser = log_in(bench)
    crowds = {}

    def raised(name):
        began = time.monotonic()
        listener.until(b"A", raise_one(writer, name))
        return began, time.monotonic()

    def bare():
        return p99_ms([told - began for began, told in (raised(f"bare-{time.time_ns()}") for _ in range(ALARMS))])

    def ours(count):
        crowd = crowds[count]
        delays = []
        for _ in range(ALARMS):
            name = f"fan-{time.time_ns()}"
            crowd.watch(name)
            began, _ = raised(name)
            delays.append(crowd.wait() - began)
        return p99_ms(delays)

    for count, goal in ((200, 2), (2000, None)):
        crowds[count] = Crowd(browser, count)
        values, floors = interleave(lambda: ours(count), bare, turns=3)
        crowds[count].close()
        report.row(f"console_fanout_p99@{count}", "ms", values, floors, goal and ("<=", goal), "LISTEN")


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
