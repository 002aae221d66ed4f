"""Rows of TLS, of a crowd that comes back at once, and of what a message costs as the crowd grows."""
import concurrent.futures
import os
import subprocess
import time

import harness
from harness import Server, column, interleave, number, run
from tcp_rows import Held, client, grown_by

TLS_HELD = 2000  # connections, for the memory of one
PARALLEL = 16    # handshakes at a time
STORM = 9000     # devices: the descriptors of both ends count against one limit of 20,000
PRESS_EVERY = 100  # of them
CROWDS = (90, 900, 9000)
RATE = 5000  # messages a second of each crowd


def tls_floor(bench):
    folder = os.path.join(bench.stack.folder, "tls")
    return Server("floor_tls", f"{folder}/server.pem", f"{folder}/server.key")


def tls_handshakes(bench, report):
    """Full handshakes a second, beside a libevent server with the same certificate."""
    def measure(port):
        return run("tls_client", "handshake", port, PARALLEL, 1)

    with tls_floor(bench) as floor:
        ours, floors = interleave(lambda: measure(bench.stack.port("tls")), lambda: measure(floor.port))
    report.row("tls_handshakes", "1/s", column(ours, "rate"), column(floors, "rate"), (">=", 0.9))


def tls_idle_bytes(bench, report):
    """Growth of the process for each identified device on TLS, of a process just started."""
    ours_port = bench.stack.port("tls")

    def held(port):
        return Held(port, ["tls_client", "hold", port, TLS_HELD, 0], TLS_HELD)

    def ours():
        bench.restart()
        return grown_by(bench.stack.pid("onekeyd"), held(ours_port))

    def floor():
        with tls_floor(bench) as echo:
            return grown_by(echo.pid, held(echo.port))

    values, floors = interleave(ours, floor)
    report.row("tls_idle_bytes", "B", values, floors, ("<=", 1.1))


def presses_while(bench, seconds, beside):
    """The same presses each time, of devices that are connected, while something else goes on."""
    port, rate = bench.stack.port("watch"), 100
    bench.settle()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pressed = pool.submit(client, "panic", port, rate, rate, bench.presses(rate * seconds * 1.1), seconds)
        time.sleep(0.2)  # a part of the measurement: the storm comes while they press
        result = beside()
        return {"beside": result, **pressed.result()}


def reconnect_storm(bench, report):
    """All connect at once and say who they are, some with a press; others are connected and press. Beside calm."""
    port = bench.stack.port("watch")
    presses = STORM // PRESS_EVERY
    bench.forget_tickets()
    client("panic", port, presses, presses, bench.presses(presses), 0.5)

    def storm():
        return run("storm_client", bench.stack.port("any"), STORM, PRESS_EVERY, bench.presses(presses + 1))

    storms, calms = interleave(lambda: presses_while(bench, 3, storm), lambda: presses_while(bench, 3, dict))
    returned = column(storms, "beside")
    calm = column(calms, "p99")
    report.row(f"reconnect_storm@{STORM}", "ms", [took / 1000 for took in column(returned, "took_us")], goal=("<=", 10000))
    report.row("reconnect_storm_press_p99", "us", column(storms, "p99"), calm, ("<=", 3), "calm")
    report.row("reconnect_storm_first_press_p99", "us", column(returned, "p99"), calm, ("<=", 3), "calm")
    report.note(f"reconnect_storm: {STORM} devices, of which {presses} say a press first; the goal's 20,000 are more than the"
                " limit on descriptors lets both ends have here")


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def growth(bench, report):
    """The daemon's processor time for a message, of crowds that say the same number of messages a second."""
    port, pid = bench.stack.port("watch"), bench.stack.pid("onekeyd")

    def measure(connections):
        before = processor_s(pid)
        result = client("heartbeat", port, connections, RATE, 0, 3)
        return {"us": (processor_s(pid) - before) * 1e6 / result["sent"]}

    results = interleave(*(lambda connections=connections: measure(connections) for connections in CROWDS))
    costs = [column(result, "us") for result in results]
    for connections, cost in zip(CROWDS[1:], costs[1:]):
        report.row(f"growth@{connections}", "us", cost, costs[0], ("<=", 1.5), f"{CROWDS[0]} devices")


def connections(bench, report):
    """As many as the limit on descriptors allows, each with a heartbeat a minute: the daemon's share of a processor."""
    port, pid = bench.stack.port("watch"), bench.stack.pid("onekeyd")
    count, seconds = CROWDS[-1], 10
    command = [harness.program("tcp_client"), "heartbeat", port, count, count / 60, seconds + 5, 0]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        if not harness.stack_module.wait_for(lambda: bench.stack.metric("onekey_sessions") >= count, 30):
            raise RuntimeError(f"only {bench.stack.metric('onekey_sessions'):.0f} of {count} connections stand")
        before, began = processor_s(pid), time.monotonic()
        process.wait()
        share = (processor_s(pid) - before) / (time.monotonic() - began) * 100
    finally:
        process.kill()
        process.wait()
    report.row(f"connections@{count}", "% of a processor", [share], goal=("<=", 25))
    report.note(f"connections: {number(count)} is what the limit on descriptors allows here; the plan's 200,000 were not tried")


ROWS = [("tls_handshakes", tls_handshakes), ("tls_idle_bytes", tls_idle_bytes), ("reconnect_storm", reconnect_storm),
        ("growth", growth), ("connections", connections)]
