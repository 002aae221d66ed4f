#!/usr/bin/python3
"""A crowd of idle connections, and peers that misbehave: the others do not feel them.

CROWD (10,000, or as many as RLIMIT_NOFILE allows) wristbands hold a connection and send heartbeats.
Then come peers that never read, that send a byte a second, that send what is no frame or never ends,
and that stall in the TLS handshake. They, and they alone, are closed, each kind with its reason; the
time to the acknowledgement of the others stays within twice that without them. It is measured side by
side, at the 90th and 99th percentile, in up to ROUNDS rounds, since a busy machine moves it as well.
"""
import os
import resource
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import Pressers, free_port, is_closed, missing, quantile, watch_frame  # noqa: E402
from stack import Stack, Tap, wait_for  # noqa: E402

SPARE = 500  # descriptors for all else
CROWD = int(os.environ.get("CROWD", "10000"))
HEARTBEATS_PER_SECOND = 500
ROUNDS = 3
MEASURE_S = 4
RATIO_MAX = 2
FLOOR_S = 0.01  # below this a ratio says more about the machine than about the daemon
RSS_MAX = 400 << 20
HANDSHAKE_S = 5
SLOW_FRAME_S = 30  # a frame may take so long
OF_A_KIND = 5
SLOW_FRAME = watch_frame("7600000003", "UD," + "0," * 50)


def raise_limit():
    """How many connections this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(CROWD, most - SPARE)


def connect(port, receive_buffer=None):
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    return client


def play_crowd(port, count):
    """A process of its own: holds `count` connections, sends heartbeats, until its stdin closes."""
    raise_limit()
    clients = [connect(port) for _ in range(count)]
    print("ready", flush=True)
    sent = i = 0
    began = time.monotonic()
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        while sent < (time.monotonic() - began) * HEARTBEATS_PER_SECOND:
            client = clients[i % count]
            client.sendall(watch_frame(str(7_500_000_000 + i % count), "LK"))
            sent, i = sent + 1, i + 1
            if i > count // 2:  # what was asked half a round ago was answered long ago
                clients[(i - count // 2) % count].recv(4096)
    print(sent, flush=True)


def start_crowd(stack, count):
    process = subprocess.Popen([sys.executable, __file__, "crowd", str(stack.port("watch")), str(count)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


class Offenders:
    """Peers that misbehave. `misbehave` goes on with it; it never blocks."""

    def __init__(self, stack, secure_port):
        port = stack.port("watch")
        self.kinds = {
            "never reads": [connect(port, 4096) for _ in range(OF_A_KIND)],
            "sends a byte a second": [connect(port) for _ in range(OF_A_KIND)],
            "sends no frames": [connect(port) for _ in range(OF_A_KIND)],
            "sends a frame without end": [connect(port) for _ in range(OF_A_KIND)],
            "stalls in the handshake": [connect(secure_port) for _ in range(OF_A_KIND)],
        }
        self.began = time.monotonic()
        self.bytes_sent = 0
        self.gone = set()
        for clients in self.kinds.values():
            for client in clients:
                client.setblocking(False)
        for client in self.kinds["sends a frame without end"]:
            self.send(client, b"[3G*7600000002*FFFF*UD,")

    def send(self, client, data):
        if client in self.gone:
            return
        try:
            client.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self.gone.add(client)

    def misbehave(self):
        for client in self.kinds["never reads"]:
            self.send(client, watch_frame("7600000001", "LK") * 600)
        for client in self.kinds["sends no frames"]:
            self.send(client, bytes(range(1, 91)) * 50)
        for client in self.kinds["sends a frame without end"]:
            self.send(client, b"x" * 8192)
        if time.monotonic() - self.began >= self.bytes_sent:
            for client in self.kinds["sends a byte a second"]:
                self.send(client, SLOW_FRAME[self.bytes_sent:self.bytes_sent + 1])
            self.bytes_sent += 1


def measure(pressers, offenders=None):
    """Seconds from press to acknowledgement, while the offenders (if any) do their worst."""
    taken, end = [], time.monotonic() + MEASURE_S
    while time.monotonic() < end:
        taken += pressers.measure(0.05)
        if offenders:
            offenders.misbehave()
    return taken


def say(name, taken):
    return f"{name}: {len(taken)} presses, " + ", ".join(
        f"p{share * 100:g} {quantile(taken, share) * 1000:.1f} ms" for share in (0.5, 0.9, 0.99))


def is_slower(taken, base):
    return any(quantile(taken, share) > RATIO_MAX * max(quantile(base, share), FLOOR_S)
               for share in (0.9, 0.99))


def compare(tap, name, pressers, base, offenders=None):
    """Against `base`, or against what is measured just before with the offenders at rest."""
    remarks, lost = [], 0
    for _ in range(ROUNDS):
        if offenders:
            base = measure(pressers)
        taken = measure(pressers, offenders)
        lost += taken.count(None)
        taken = [t for t in taken if t is not None]
        remarks += [say("without", base), say(name, taken)]
        if lost or not is_slower(taken, base):
            break
    tap.check(lost == 0, f"{name}: every press is acknowledged")
    tap.check(not is_slower(taken, base), f"{name}: within {RATIO_MAX} times the time without",
              *remarks)


def rss(pid):
    with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_offenders(tap, stack, pressers, base, secure_port):
    offenders = Offenders(stack, secure_port)
    compare(tap, "with offenders", pressers, base, offenders)
    end = time.monotonic() + SLOW_FRAME_S + 15
    closed = 'onekey_connections_closed_total{reason="slow_reader"}'
    reasons = {
        "never reads": lambda: stack.metric(closed) >= OF_A_KIND,
        "sends a byte a second": lambda: stack.metric("onekey_sessions_slow_total") >= OF_A_KIND,
        "sends no frames": lambda: "unreadable" in stack.log(),
        "sends a frame without end": lambda: "unreadable" in stack.log(),
        "stalls in the handshake":
            lambda: stack.metric("onekey_tls_handshakes_failed_total") >= OF_A_KIND,
    }
    while time.monotonic() < end and not all(reason() for reason in reasons.values()):
        offenders.misbehave()
        time.sleep(0.05)  # their pace
    for name, clients in offenders.kinds.items():
        tap.check(reasons[name](), f"who {name} is closed, with its reason")
        tap.check(all(client in offenders.gone or is_closed(client, 5) for client in clients),
                  f"who {name}: every one")
    compare(tap, "after them", pressers, base)


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=crowd.invalid", "-keyout",
                    f"{folder}/crowd.key", "-out", f"{folder}/crowd.crt"],
                   check=True, capture_output=True, timeout=60)


def configuration(folder, secure_port):
    return f"""
[listen watch]
accepts_per_second = 20000

[listen secure]
address = 127.0.0.1
port = {secure_port}
protocol = watch
transport = tls
certificate = {folder}/crowd.crt
key = {folder}/crowd.key
handshake_timeout_s = {HANDSHAKE_S}
"""


def main():
    tap = Tap()
    count = raise_limit()
    secure_port = free_port()
    stack = Stack()
    make_certificate(stack.parent)
    with open(f"{stack.folder}/conf.d/test.conf", "w", encoding="utf-8") as file:
        file.write(configuration(stack.parent, secure_port))
    with stack:
        pressers = Pressers(stack, 20)
        pressers.measure(1)
        base = measure(pressers)
        small = rss(stack.pid("onekeyd"))
        crowd = start_crowd(stack, count)
        held = wait_for(lambda: stack.metric("onekey_sessions") >= count + 20, 30)
        tap.check(held, f"{count} connections of {CROWD} wanted are held (RLIMIT_NOFILE)")
        compare(tap, "with the crowd", pressers, base)
        test_offenders(tap, stack, pressers, base, secure_port)
        tap.check(stack.metric("onekey_sessions") == count + 20, "all others are still there",
                  stack.metric("onekey_sessions"))
        large = rss(stack.pid("onekeyd"))
        tap.check(large < RSS_MAX, "the memory stays within bounds",
                  f"{small >> 20} MiB alone, {large >> 20} MiB now")
        sent, _ = crowd.communicate("end\n", timeout=20)
        tap.check(crowd.returncode == 0 and int(sent) > 0, "the crowd was answered all the while", sent)
        wait_for(lambda: not missing(stack, pressers.names), 20)
        tap.check(not missing(stack, pressers.names), "every acknowledged press is in the database")
        pressers.close()
    tap.finish()


if len(sys.argv) > 1:
    play_crowd(int(sys.argv[2]), int(sys.argv[3]))
else:
    main()
