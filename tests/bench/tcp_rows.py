"""Rows of devices on TCP: acknowledged alarms, heartbeats, the memory of a connection."""
import os
import shutil
import socket
import subprocess
import tempfile

import harness
from harness import CannotRun, Server, column, interleave, run
from stack import wait_for

SECONDS = 1
HELD = 5000  # connections, for the memory of one


def client(says, port, connections, rate, first, seconds=SECONDS):
    result = run("tcp_client", says, port, connections, rate, seconds, first)
    if result["unanswered"] or result["broken"]:
        raise RuntimeError(f"{says} at {rate}/s: {result['unanswered']:.0f} unanswered, "
                           f"{result['broken']:.0f} broken")
    return result


def panic_ack(bench, report):
    """Device sends -> reply received, beside a bare epoll echo with one preallocated fdatasync a turn."""
    port = bench.stack.port("watch")
    bench.forget_tickets()
    with Server("floor_sync", os.path.join(bench.stack.folder, "floor")) as floor:
        for rate, seconds in ((100, 2), (1000, 1), (10000, 1)):
            connections = max(20, rate // 10)

            def measure(at, rate=rate, seconds=seconds, connections=connections):
                bench.settle()
                first = bench.presses(rate * seconds * 1.1)
                return client("panic", at, connections, rate, first, seconds)

            client("panic", port, connections, rate, bench.presses(rate), 0.3)
            ours, floors = interleave(lambda: measure(port), lambda: measure(floor.port))
            for quantile in ("p50", "p99"):
                report.row(f"panic_ack_{quantile}@{rate}", "us", column(ours, quantile),
                           column(floors, quantile), ("<=", 2.0))
            reached = min(column(ours, "rate") + column(floors, "rate"))
            if reached < 0.9 * rate:
                report.note(f"panic_ack@{rate}: the generator reached only {reached:.0f}/s")


class Redis:
    """redis-server without any persistence."""

    def __enter__(self):
        if not shutil.which("redis-server"):
            raise CannotRun("redis-server is not installed")
        self.folder = tempfile.mkdtemp(prefix="onekey-redis-")
        self.port = harness.free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--maxclients", "12000", "--dir", self.folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_for(self.is_listening, 10):
            raise CannotRun("redis-server does not start")
        return self

    def is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def heartbeat_rate(bench, report):
    """Messages a second, each connection with one under way."""
    port = bench.stack.port("watch")
    with Server("floor_echo") as echo, Redis() as redis:
        for connections in (1000, 9000):  # the descriptors of both ends count against one limit of 20,000
            ours, echoes, pings = interleave(
                lambda: client("heartbeat", port, connections, 0, 0),
                lambda: client("heartbeat", echo.port, connections, 0, 0),
                lambda: client("ping", redis.port, connections, 0, 0))
            name = f"heartbeat_rate@{connections}"
            report.row(name, "1/s", column(ours, "rate"), column(pings, "rate"), (">=", 1.0), "redis")
            report.row(name, "1/s", column(ours, "rate"), column(echoes, "rate"), (">=", 0.7), "echo")


def heartbeat_rate_of(protocol):
    """The same of another protocol, beside an echo of the wristbands' frames."""
    def measure(bench, report):
        port = bench.stack.port(protocol)
        with Server("floor_echo") as echo:
            ours, echoes = interleave(lambda: client(protocol, port, 1000, 0, 0),
                                      lambda: client("heartbeat", echo.port, 1000, 0, 0))
            report.row(f"heartbeat_rate_{protocol}@1000", "1/s", column(ours, "rate"),
                       column(echoes, "rate"), (">=", 0.7), "echo")
    return measure


class Held:
    """Connections that have said one heartbeat and stay."""

    def __init__(self, port, command=None, count=HELD):
        self.count = count
        self.command = command or ["tcp_client", "heartbeat", port, HELD, 0, 0, 0]

    def __enter__(self):
        name, *arguments = self.command
        self.process = subprocess.Popen([harness.program(name), *map(str, arguments)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        held = harness.pairs(self.process.stdout.readline()).get("held", 0)
        if held != self.count:
            raise RuntimeError(f"only {held:.0f} of {self.count} connections were answered")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def grown_by(pid, held):
    before = harness.memory_bytes(pid)
    with held:
        return (harness.memory_bytes(pid) - before) / held.count


def idle_bytes(bench, report):
    """Growth of the process for each connected and identified device, of a process just started."""
    port = bench.stack.port("watch")

    def ours():
        bench.restart()
        return grown_by(bench.stack.pid("onekeyd"), Held(port))

    def floor():
        with Server("floor_echo") as echo:
            return grown_by(echo.pid, Held(echo.port))

    values, floors = interleave(ours, floor)
    report.row("idle_bytes", "B", values, goal=("<=", 1500))
    report.note(f"idle_bytes: the libevent echo takes {harness.number(sorted(floors)[len(floors) // 2])} B")


ROWS = [("panic_ack", panic_ack), ("heartbeat_rate", heartbeat_rate),
        ("heartbeat_rate_jt808", heartbeat_rate_of("jt808")),
        ("heartbeat_rate_sia_dc09", heartbeat_rate_of("sia_dc09")), ("idle_bytes", idle_bytes)]
