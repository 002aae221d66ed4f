#!/usr/bin/python3
"""A street goes dark: 2,000 devices are lost within a minute and become one ticket, with a panic in the
middle of it first in the queue, a restart that says nothing, and a return that closes it."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import receive, watch_acknowledgement, watch_press  # noqa: E402
from stack import Stack, Tap, wait_for  # noqa: E402

DARK, LIT = int(os.environ.get("OUTAGE_DEVICES", "2000")), 600
LOST_AFTER_S, HOLD_OFF_S, GRACE_S = 20, 9, 2
DISTRICT, STREET, OTHER = "990100", "9901D", "9901L"
CONFIGURATION = f"""
[supervise]
wristband_s = {LOST_AFTER_S}
hold_off_s = {HOLD_OFF_S}
startup_grace_s = {GRACE_S}
early_s = 0
interval_min_s = 1
interval_max_s = 5

[outage]
window_s = 60

[listen watch]
accepts_per_second = 20000
"""


def identity(i):
    return str(9_800_000_000 + i)


def make_street(folder):
    """Two streets with one home a wristband; also the devices of each as files for the simulator."""
    homes = [(i, STREET if i < DARK else OTHER) for i in range(DARK + LIT)]
    head = "protocol,identity,kind,household,report_interval_s,secret"
    files = {
        "areas": ["code,parent,level,name_zh,name_en", f"{DISTRICT},,district,试验区,Trial",
                  f"{STREET},{DISTRICT},street_town,暗街,Dark", f"{OTHER},{DISTRICT},street_town,亮街,Lit"],
        "households": ["code,area,address,resident,birth_year,living_alone,phone,conditions,notes,lon,lat"] +
                      [f"H{i},{area},Invented Lane {i},Nobody {i},,,,,,," for i, area in homes],
        "devices": [head] + [f"watch,{identity(i)},wristband,H{i},," for i, _ in homes],
        "dark": [head] + [f"watch,{identity(i)},wristband,H{i},," for i, area in homes if area == STREET],
        "lit": [head] + [f"watch,{identity(i)},wristband,H{i},," for i, area in homes if area == OTHER],
    }
    for name, lines in files.items():
        with open(f"{folder}/{name}.csv", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    return folder


class Street:
    """The wristbands of one file, connected and reporting until it is left dark."""

    def __init__(self, stack, name):
        self.stack, self.name, self.process = stack, name, None

    def light(self):
        self.process = self.stack.simulator(
            "load", "--watch", f"127.0.0.1:{self.stack.port('watch')}", "--devices",
            f"{self.stack.parent}/{self.name}.csv", "--alarms-per-second", "0", "--report-every", "2",
            "--seconds", "0")

    def darken(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=60)
        self.process = None


def tickets(stack, kind):
    """(subject, state, outcome) of all of a kind, but for what was before the street went dark."""
    return sorted(tuple(row) for row in stack.sql(
        f"select subject, state, coalesce(outcome, '') from onekey.ticket where kind = '{kind}' and id > {stack.before}"))


def alone(stack):
    """The device_lost tickets that stand by themselves. What was told before it was seen that they are
    many is merged; on a machine with time that is none."""
    return [row for row in tickets(stack, "device_lost") if row[2] != "merged"]


def figures(stack):
    return [f"{name} {stack.metric(name):.0f}" for name in
            ("onekey_devices_lost", "onekey_devices_in_outages", "onekey_outages", "onekey_sessions")]


def press(stack, name):
    with stack.connect("watch") as client:
        client.sendall(watch_press(name))
        wanted = watch_acknowledgement(name)
        return receive(client, len(wanted)) == wanted


def test_dark(tap, stack, dark):
    area = stack.value(f"select id from onekey.area where code = '{STREET}'")
    stack.before = stack.value("select coalesce(max(id), 0) from onekey.ticket")
    dark.darken()
    one = wait_for(lambda: tickets(stack, "outage"), 60)
    tap.check(one == [(f"outage:area:{area}", "open", "")], f"{DARK} devices lost at once are one outage", one)
    whole = wait_for(lambda: stack.metric("onekey_devices_in_outages") == DARK, 60)
    tap.check(whole and wait_for(lambda: alone(stack) == [], 30), "and no ticket of any of them", *figures(stack),
              alone(stack)[:3], f"{len(tickets(stack, 'device_lost'))} were told by themselves and merged")
    row = stack.sql("select area_id, flags, detail->>'cause', jsonb_array_length(detail->'devices') from onekey.ticket "
                    "where kind = 'outage'")
    tap.check(row == [[area, "{}", "area", "12"]], "it says where, and names some", row)


def test_panic(tap, stack):
    tap.check(press(stack, identity(3)), "a panic in the middle of it is acknowledged")
    first = wait_for(lambda: stack.sql(
        "select kind, identity from onekey.v_open_tickets order by priority, received_at limit 1"), 30)
    wait_for(lambda: tickets(stack, "panic"), 30)
    first = stack.sql("select kind, identity from onekey.v_open_tickets order by priority, received_at limit 1")
    tap.check(first == [["panic", identity(3)]], "and the first in the queue", first)
    own = wait_for(lambda: alone(stack), 60)
    home = stack.value("select id from onekey.household where code = 'H3'")
    tap.check(own == [(f"household:{home}", "open", "")], "its wristband, silent again, is told by itself", own)


def test_restart(tap, stack):
    before = alone(stack), tickets(stack, "outage")
    stack.kill("onekeyd")
    stack.start("onekeyd")
    count = stack.metric("onekey_devices_in_outages")
    tap.check(count == DARK - 1, "after a crash the outage is known as before", *figures(stack))
    changed = wait_for(lambda: (alone(stack), tickets(stack, "outage")) != before,
                       GRACE_S + LOST_AFTER_S + 4)
    tap.check(not changed, "the restart raises nothing", alone(stack)[:5],
              tickets(stack, "outage"), *figures(stack))


def test_return(tap, stack, dark):
    dark.light()
    closed = wait_for(lambda: {row[1:] for row in tickets(stack, "outage")} == {("closed", "restored")}, 60)
    tap.check(closed, "their return closes it", tickets(stack, "outage"))
    back = wait_for(lambda: [row[1:] for row in alone(stack)] == [("closed", "restored")], 30)
    tap.check(back, "and the ticket of the one alone", alone(stack)[:5])
    tap.check(wait_for(lambda: stack.metric("onekey_devices_lost") == 0, 60), "nobody is lost any more",
              *figures(stack))
    tap.check(len(tickets(stack, "outage")) == 1, "it was one ticket all along")


def main():
    tap = Tap()
    with Stack(CONFIGURATION) as stack:
        stack.command("load", make_street(stack.parent))
        dark, lit = Street(stack, "dark"), Street(stack, "lit")
        try:
            dark.light()
            lit.light()
            held = wait_for(lambda: stack.metric("onekey_sessions") == DARK + LIT and
                            stack.metric("onekey_devices_lost") == 0, 60)
            tap.check(held, f"{DARK + LIT} wristbands are connected", *figures(stack))
            test_dark(tap, stack, dark)
            test_panic(tap, stack)
            test_restart(tap, stack)
            test_return(tap, stack, dark)
        finally:
            dark.darken()
            lit.darken()
    tap.finish()


main()
