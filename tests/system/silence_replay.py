#!/usr/bin/python3
"""Readings of real homes (../shared/water/dev.csv.gz) through broker, daemon and database: the
silences that it raises are those of the rule `less than 10 L in 12 h`, computed here in a few lines.

The readings are shifted so that the last one is of now, and marked as stored by their meters: the
detector judges them by their own time then, whatever the time of their arrival. The exact boundary
is that of docs/DETECTOR.md: a report counts at its end, the window is (t - 12 h, t].
"""
import csv
import datetime
import gzip
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import UTC, make_district  # noqa: E402
from stack import SHARED, Stack, Tap, wait_for  # noqa: E402

READINGS = os.path.join(SHARED, "water/dev.csv.gz")
HOMES = os.environ.get("HOMES", "D01,D05,D21").split(",")
READINGS_MAX = int(os.environ.get("READINGS_MAX", "2500"))  # of each home, its first
LIMIT_ML, WINDOW_S = 10_000, 12 * 3600
CONFIGURATION = """
[silence]
mode = fixed
litres = 10
hours = 12
report_interval_s = 3600
"""


def read_homes():
    """home -> [(seconds since 1970, millilitres in the interval that ends then)]"""
    homes = {}
    with gzip.open(READINGS, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            readings = homes.setdefault(row["household_id"], [])
            if len(readings) < READINGS_MAX:
                at = datetime.datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
                readings.append((int(at.timestamp()), round(float(row["litres_in_interval"]) * 1000)))
    chosen = {home: homes[home] for home in HOMES if home in homes}
    return chosen or dict(list(homes.items())[:3])


def shift_to_now(homes):
    """Each home's last reading is of a minute ago."""
    now = int(datetime.datetime.now(UTC).timestamp()) - 60
    return {home: [(at + now - readings[-1][0], ml) for at, ml in readings]
            for home, readings in homes.items()}


def silences(readings):
    """[number of the reading at which a silence is raised], by a plain count over the window."""
    raised, is_open, first = [], False, readings[0][0]
    for i, (at, _) in enumerate(readings):
        used = sum(ml for t, ml in readings[max(0, i - 800):i + 1] if at - WINDOW_S < t <= at)
        silent = at - first >= WINDOW_S and used < LIMIT_ML
        if silent and not is_open:
            raised.append(at)
        is_open = silent
    return raised


def messages(readings):
    """Bodies of the meter's messages, with its total."""
    total = 0
    for at, ml in readings:
        total += ml
        yield json.dumps({"at": at, "total_l": total / 1000, "stored": True})


def publish_all(stack, home, readings):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", stack.values["MQTT_PORT"], "-q", "1",
                    "-t", f"onekey/v1/meter/{home}/up/reading", "-l"],
                   input="\n".join(messages(readings)) + "\n", text=True, check=True, timeout=120)


def raised_by_daemon(stack, home):
    """Times to which the meter was known when each silence was raised."""
    return [int(row[0]) // 1_000_000 for row in stack.sql(
        "select detail->>'known_us' from onekey.signal where kind = 'silence' and "
        f"identity = '{home}' order by number")]


def test_home(tap, stack, home, readings):
    wanted, found = silences(readings), raised_by_daemon(stack, home)
    stored = stack.value(f"select count(distinct at) from onekey.meter_reading where identity = '{home}'")
    tap.check(stored == str(len({at for at, _ in readings})), f"{home}: every reading is stored", stored)
    tap.check(found == wanted, f"{home}: silences as by the rule", f"{len(wanted)} wanted, "
              f"{len(found)} found", f"missing {sorted(set(wanted) - set(found))[:5]}",
              f"too many {sorted(set(found) - set(wanted))[:5]}")
    without = stack.value("select count(*) from onekey.signal where kind = 'silence' and "
                          f"identity = '{home}' and ticket_id is null")
    tap.check(without == "0", f"{home}: each has a ticket", without)


def main():
    tap = Tap()
    if not os.path.exists(READINGS):
        tap.skip("readings of real homes", f"no {READINGS}")
        tap.finish()
    homes = shift_to_now(read_homes())
    count = sum(len(readings) for readings in homes.values())
    with Stack(CONFIGURATION) as stack:
        stack.command("load", make_district(
            stack.parent, [("meter_json", home, "meter") for home in homes]))
        for home, readings in homes.items():
            publish_all(stack, home, readings)
        committed = 'onekey_outbox_committed_total{lane="readings"}'
        wait_for(lambda: stack.metric(committed) >= count, 60)
        wait_for(lambda: stack.metric('onekey_outbox_records{lane="alarms"}') == 0, 10)
        tap.check(stack.metric(committed) >= count, f"{count} readings arrive",
                  stack.metric(committed))
        for home, readings in homes.items():
            test_home(tap, stack, home, readings)
    tap.finish()


main()
