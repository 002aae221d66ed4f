#!/usr/bin/python3
"""Water cut off, on the real stack: an area's meters fall silent together, which is recorded and raises nothing
while it explains them, a day at most and through a crash; a home elsewhere is raised as ever.

The daemon's clock is ours (tests/lib/shifted_clock.c): it begins three days ago and is put forward.
"""
import json
import os
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from stack import ROOT, Stack, Tap, wait_for  # noqa: E402

DISTRICT, HERE, ELSEWHERE = "990100", "9901H", "9901E"
HOMES = 12  # in each area
LONE = HOMES  # the first of those elsewhere
DAYS = 16  # that habits are learned from: the mains are watched after 14
HOURS = 80  # played at most
STEP_S = 1200  # the clock's step
COMMITTED = 'onekey_outbox_committed_total{lane="readings"}'


class Town:
    """Two streets whose homes use water in two hours of three, day and night."""

    def __init__(self, stack):
        self.stack, self.random = stack, random.Random(7)
        self.began = int(time.time()) - HOURS * 3600
        self.hour, self.sent = 0, 0
        self.litres = [0] * 2 * HOMES
        self.clock = os.path.join(stack.parent, "clock")
        self.pipes = []
        with open(self.clock, "wb") as file:
            file.write(struct.pack("q", 0))

    def open(self):
        """Has the daemon see our clock, and opens a way in for each meter."""
        library = os.path.join(self.stack.parent, "shifted_clock.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library,
                        f"{ROOT}/tests/lib/shifted_clock.c"], check=True)
        self.stack.stop("onekeyd")
        os.environ.update({"LD_PRELOAD": library, "SHIFTED_CLOCK": self.clock})
        self.pass_until(self.began)
        self.stack.start("onekeyd")
        for name in range(2 * HOMES):
            self.pipes.append(subprocess.Popen(
                ["mosquitto_pub", "-h", "127.0.0.1", "-p", self.stack.values["MQTT_PORT"], "-q", "1", "-l",
                 "-t", f"onekey/v1/meter/WM-{name}/up/reading"], stdin=subprocess.PIPE, text=True))

    def close(self):
        for name in ("LD_PRELOAD", "SHIFTED_CLOCK"):
            os.environ.pop(name, None)
        for pipe in self.pipes:
            pipe.stdin.close()
            pipe.wait(timeout=30)

    def pass_until(self, at):
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("q", at - int(time.time())))

    def read(self, at, runs, **more):
        """Each meter tells its total."""
        for name, pipe in enumerate(self.pipes):
            self.litres[name] += 12 if runs(name) and self.random.random() < 2 / 3 else 0
            pipe.stdin.write(json.dumps({"at": at, "total_l": self.litres[name], **more}) + "\n")
            pipe.stdin.flush()
        self.sent += len(self.pipes)

    def settle(self):
        """All that was said is stored, readings and what followed from them."""
        return wait_for(lambda: self.stack.metric(COMMITTED) >= self.sent and
                        self.stack.metric('onekey_outbox_records{lane="alarms"}') == 0, 120)

    def learn(self):
        for hour in range(-24 * DAYS, 0):
            self.read(self.began + hour * 3600, lambda _: True, stored=True)
        return self.settle()

    def live(self, hours, runs=lambda _: True):
        """Hours pass; water runs in those homes."""
        for _ in range(hours):
            for step in range(STEP_S, 3601, STEP_S):
                self.pass_until(self.began + self.hour * 3600 + step)
                self.stack.metric(COMMITTED)  # a turn of the loop
            self.hour += 1
            self.read(self.began + self.hour * 3600, runs)
            self.settle()

    def crash(self):
        self.stack.kill("onekeyd")
        self.stack.start("onekeyd")
        self.sent = 0

    def silent(self):
        """Homes that have a ticket for their silence."""
        rows = self.stack.sql("select distinct substr(h.code, 2)::integer from onekey.ticket t join onekey.household h"
                              " on h.district = t.district and h.id = t.household_id where t.kind = 'silence' order by 1")
        return [int(row[0]) for row in rows]


def in_other_street(name):
    return name > LONE


def make_town(folder):
    areas = [HERE] * HOMES + [ELSEWHERE] * HOMES
    files = {
        "areas": ["code,parent,level,name_zh,name_en", f"{DISTRICT},,district,试验区,Trial",
                  f"{HERE},{DISTRICT},street_town,此街,Here", f"{ELSEWHERE},{DISTRICT},street_town,彼街,Elsewhere"],
        "households": ["code,area,address,resident,birth_year,living_alone,phone,conditions,notes,lon,lat"] +
                      [f"H{i},{area},Invented Lane {i},Nobody {i},,,,,,," for i, area in enumerate(areas)],
        "devices": ["protocol,identity,kind,household,report_interval_s,secret"] +
                   [f"meter_json,WM-{i},meter,H{i},," for i in range(2 * HOMES)],
    }
    for name, lines in files.items():
        with open(f"{folder}/{name}.csv", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    return folder


def figures(stack):
    return [stack.metric(f"onekey_{name}") for name in
            ("mains_outages", "mains_outages_total", "meters_in_mains_outages")]


def test_cut_off(tap, town):
    """Ten hours without water in one street; elsewhere one home falls silent as well."""
    stack = town.stack
    town.live(10, in_other_street)
    tap.check(town.silent() == [LONE], "the home elsewhere is raised, and none of the street without water",
              town.silent())
    said = stack.sql("select identity, detail ->> 'reasons' from onekey.signal where kind = 'silence_explained'"
                     " and ticket_id is null")
    tap.check(sorted({row[0] for row in said}) == sorted(f"WM-{i}" for i in range(HOMES)) and
              {row[1] for row in said} == {'["mains_outage"]'}, "each silence there is recorded with its reason", said[:3])
    shown = json.loads(stack.value("select onekey.read_silence('H3')"))
    tap.check([row["reasons"] for row in shown["explained"]] == [["mains_outage"]], "and shown to who asks for the home",
              shown["explained"])
    tap.check(shown["meters"][0]["profile"]["reasons"] == ["mains_outage"], "as what explains it now",
              shown["meters"][0]["profile"]["reasons"])
    tap.check(figures(stack) == [1, 1, HOMES], "the metrics tell of it", figures(stack))
    tap.check(stack.metric('onekey_silences_explained_total{reason="mains_outage"}') == HOMES, "and of the silences")


def test_return(tap, town):
    town.live(6)
    tap.check(figures(town.stack) == [0, 1, 0], "water runs again: nothing is cut off", figures(town.stack))
    tap.check(town.silent() == [LONE], "and nobody was raised for it", town.silent())
    town.live(10, lambda name: name != 0)
    tap.check(town.silent() == [0, LONE], "a home there that is silent by itself is raised again", town.silent())
    town.live(6)


def test_a_day(tap, town):
    """Cut off for a day and a half; the daemon crashes in it."""
    stack = town.stack
    town.live(14, lambda name: name >= HOMES)
    town.crash()
    tap.check(figures(stack)[0] == 1, "after a crash it is cut off as before", figures(stack))
    town.live(8, lambda name: name >= HOMES)
    tap.check(town.silent() == [0, LONE], "for a day it explains them", town.silent())
    town.live(14, lambda name: name >= HOMES)
    tap.check(town.silent() == list(range(HOMES + 1)), "then they are raised, every one", town.silent())
    tap.check("mains.too_long" in stack.log() and figures(stack)[0] == 0, "as it was too long", figures(stack))


def main():
    tap = Tap()
    with Stack() as stack:
        stack.command("load", make_town(stack.parent))
        wait_for(lambda: stack.metric("onekey_devices") == 2 * HOMES)
        town = Town(stack)
        try:
            town.open()
            tap.check(town.learn(), f"{2 * HOMES} meters tell of {DAYS} days", stack.metric(COMMITTED))
            town.live(4)
            tap.check(town.silent() == [] and figures(stack) == [0, 0, 0], "all is well", town.silent(), figures(stack))
            test_cut_off(tap, town)
            test_return(tap, town)
            test_a_day(tap, town)
        finally:
            town.close()
    tap.finish()


main()
