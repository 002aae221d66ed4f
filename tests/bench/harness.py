"""What the rows of the benchmark share: programs, the stack with its devices, rounds and the verdict."""
import os
import socket
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import stack as stack_module  # noqa: E402

PROGRAMS = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
DEVICES = 100000  # IDENTITIES of bench.h
METERS = 1000  # of mqtt_client.c
DISTRICT = "990100"
CONFIGURATION = """
[gateway]
devices_max = 150000
[listen watch]
connections_max = 20000
accepts_per_second = 100000
[log]
level = warning
"""
REGISTER = f"""
insert into onekey.area (district, code, level, name_zh)
    values ('{DISTRICT}', '{DISTRICT}', 'district', '试验区');
insert into onekey.household (district, code, area_id, address)
    select '{DISTRICT}', 'h' || g, (select id from onekey.area limit 1), 'Invented Lane ' || g
    from generate_series(1, {DEVICES}) g;
insert into onekey.device (district, protocol, identity, kind, household_id)
    select '{DISTRICT}', 'watch', 7000000000 + row_number() over (order by id) - 1, 'wristband', id
    from onekey.household;
insert into onekey.device (district, protocol, identity, kind, household_id)
    select '{DISTRICT}', 'meter_json', 9000000 + row_number() over (order by id) - 1, 'meter', id
    from onekey.household order by id limit {METERS};
analyze;
"""


class CannotRun(Exception):
    """Why a row has no result here."""


def program(name):
    return os.path.join(PROGRAMS, name)


def pairs(line):
    """{"p50": 210.0, ...} of a line of name=value."""
    return {key: float(value) for key, value in
            (word.split("=", 1) for word in line.split() if "=" in word)}


def run(name, *arguments, env=None, timeout=60):
    """What a program of the benchmark measured."""
    done = subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True,
                          env=env, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(f"{name} {arguments}: {done.stderr.strip() or done.returncode}")
    return pairs(done.stdout)


class Server:
    """A floor's server: runs until its standard input ends."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen([program(name), *map(str, arguments)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{name} does not start")
        self.port = int(pairs(line).get("port", 0))
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Bench:
    """The stack that the rows share, brought up when the first of them asks for it."""

    def __init__(self):
        self.running = None
        self.next_press = 0

    @property
    def stack(self):
        if self.running is None:
            self.running = stack_module.Stack(CONFIGURATION)
            self.running.__enter__()
            self.running.sql(REGISTER)
            self.restart()
        return self.running

    def restart(self):
        """The daemon anew, knowing every device."""
        self.running.stop("onekeyd")
        self.running.start("onekeyd")
        if not stack_module.wait_for(
                lambda: self.running.metric("onekey_devices") >= DEVICES + METERS and
                self.running.http("/-/ready")[0] == 200):
            raise RuntimeError("onekeyd does not learn the devices")

    def presses(self, count):
        """Number of the first of so many presses that nobody has made yet."""
        first = self.next_press
        self.next_press += int(count)
        return first

    def forget_tickets(self):
        """So that each wristband's next press opens a ticket again."""
        self.settle()
        self.stack.sql("set session_replication_role = replica; truncate onekey.ticket, "
                       "onekey.ticket_event, onekey.signal")

    def committed(self):
        return self.stack.metric('onekey_outbox_committed_total{lane="alarms"}')

    def settle(self):
        """Waits until nothing waits for the database."""
        for lane in ("alarms", "readings"):
            stack_module.wait_for(
                lambda: self.stack.metric(f'onekey_outbox_records{{lane="{lane}"}}') == 0, 60)

    def close(self):
        if self.running is not None:
            self.running.__exit__(None, None, None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


def interleave(*measures, turns=ROUNDS):
    """One list of results a measure, over all rounds; the order turns round each time, so that no
    measure always has the quieter moment."""
    results = [[] for _ in measures]
    for turn in range(turns):
        order = range(len(measures)) if turn % 2 == 0 else reversed(range(len(measures)))
        for i in order:
            results[i].append(measures[i]())
    return results


def column(results, key):
    return [result[key] for result in results]


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values):
    return f"{number(min(values))}..{number(max(values))}"


class Report:
    """Prints a line a row, and remembers the verdicts."""

    def __init__(self):
        self.missed = self.crashed = 0

    def row(self, name, unit, values, floors=None, goal=None, floor_name=""):
        """goal: (">=" or "<=", limit), of the ratio to the floor where there is one, else of the value."""
        value = statistics.median(values)
        text = f"{name}  {number(value)} {unit}"
        judged = value
        if floors:
            floor = statistics.median(floors)
            judged = value / floor if floor else float("nan")
            text += f"  {floor_name or 'floor'} {number(floor)} {unit}  {judged:.2f}x"
        if goal:
            is_met = judged >= goal[1] if goal[0] == ">=" else judged <= goal[1]
            self.missed += not is_met
            text += f"  goal {goal[0]} {goal[1]:g}{'x' if floors else ' ' + unit}"
            text += f"  {'ok' if is_met else 'MISS'}"
        noise = f"spread {spread(values)}"
        if floors:
            noise += f" / {spread(floors)}"
        print(f"{text}  ({noise}, n={len(values)})", flush=True)

    def note(self, text):
        print(f"# {text}", flush=True)

    def absent(self, name, why):
        print(f"{name}  not run: {why}", flush=True)

    def crash(self, name, error):
        self.crashed += 1
        print(f"{name}  CRASHED: {error}", flush=True)

