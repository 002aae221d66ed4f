"""Rows that end in the database: tickets read by a listener, alarms stored, a backlog worked off."""
import subprocess
import time

import harness
from harness import column, interleave, run
from stack import wait_for
from tcp_rows import client

HEARTBEATS = 10000  # a second, behind the tickets
BACKLOG = 20000  # alarms taken while the database is away
SCHEMA = """
create schema if not exists bench;
create table if not exists bench.ticket (id bigint generated always as identity primary key,
    identity text, kind text, raised_at timestamptz);
create table if not exists bench.plain (gateway text, number bigint, protocol text, identity text,
    kind text, received_at timestamptz, raw bytea, primary key (gateway, number));
"""


class Heartbeats:
    """So many a second to the gateway, for as long as this lasts."""

    def __init__(self, port):
        self.command = [harness.program("tcp_client"), "heartbeat", port, 1000, HEARTBEATS, 600, 50000]

    def __enter__(self):
        self.process = subprocess.Popen([str(word) for word in self.command],
                                        stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def panic_ticket(bench, report):
    """Device sends -> a listening client has read the row; heartbeats run behind the floor as well."""
    stack = bench.stack
    stack.sql(SCHEMA)
    bench.forget_tickets()

    def measure(mode, rate, seconds):
        result = run("ticket_client", mode, stack.port("watch"), rate, seconds,
                     bench.presses(rate * seconds), env=stack.environment())
        if result["unread"]:
            raise RuntimeError(f"{mode} at {rate}/s: {result['unread']:.0f} presses never read")
        return result

    with Heartbeats(stack.port("watch")):
        for rate, seconds in ((1, 3), (100, 2), (1000, 1)):
            measure("gateway", max(rate, 20), 0.5)
            ours, floors = interleave(lambda: measure("gateway", rate, seconds),
                                      lambda: measure("floor", rate, seconds))
            for quantile in ("p50", "p99"):
                report.row(f"panic_ticket_{quantile}@{rate}", "us", column(ours, quantile),
                           column(floors, quantile), ("<=", 1.5))


def committed(bench, count):
    if not wait_for(lambda: bench.committed() >= count, 60, 0.005):
        raise RuntimeError(f"{count - bench.committed():.0f} alarms never reached the database")


def inserts(bench):
    return run("floor_insert", 1, env=bench.stack.environment())["rate"]


def panic_rate(bench, report):
    """Alarms a second, from the first press until the last is committed."""
    bench.stack.sql(SCHEMA)
    port = bench.stack.port("watch")

    def ours():
        bench.settle()
        before, began = bench.committed(), time.monotonic()
        count = client("panic", port, 200, 0, bench.presses(40000), 1)["sent"]
        committed(bench, before + count)
        return count / (time.monotonic() - began)

    bench.forget_tickets()
    values, floors = interleave(ours, lambda: inserts(bench))
    report.row("panic_rate", "1/s", values, floors, (">=", 0.25), "unnest")


def backlog_drain(bench, report):
    """Alarms a second once the database is back, from the first that it takes to the last."""
    stack = bench.stack
    stack.sql(SCHEMA)
    port = stack.port("watch")

    def ours():
        bench.settle()
        before = bench.committed()
        stack.stop("postgres")
        client("panic", port, 200, BACKLOG, bench.presses(BACKLOG * 1.1), 1)
        stack.start("postgres")
        if not wait_for(lambda: bench.committed() > before, 60, 0.002):
            raise RuntimeError("the daemon does not come back to the database")
        first, began = bench.committed(), time.monotonic()
        wait_for(lambda: stack.metric('onekey_outbox_records{lane="alarms"}') == 0, 60, 0.005)
        return (bench.committed() - first) / (time.monotonic() - began)

    bench.forget_tickets()
    values, floors = interleave(ours, lambda: inserts(bench))
    report.row("backlog_drain", "1/s", values, floors, (">=", 0.5), "unnest")
    report.note(f"backlog_drain: about {BACKLOG} alarms, not a million")


ROWS = [("panic_ticket", panic_ticket), ("panic_rate", panic_rate), ("backlog_drain", backlog_drain)]
