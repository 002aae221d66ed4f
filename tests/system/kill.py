#!/usr/bin/python3
"""Kill -9 at any moment: every alarm that a device saw acknowledged is in the database, once.

Devices press 500 times a second over TCP and MQTT and repeat themselves until they are answered,
while onekeyd is killed KILLS times (200), then with PostgreSQL, with the broker, and with both of
them killed as well. Afterwards each acknowledged message must be exactly one signal with a ticket.
"""
import csv
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from stack import Stack, Tap, wait_for  # noqa: E402

KILLS = int(os.environ.get("KILLS", "200"))
OTHER_KILLS = max(1, KILLS // 20)
ALARMS_PER_SECOND = 500
CATCH_UP_KILLS = 10  # after so many it may store what waits: else a busy machine measures its full journal
CATCH_UP_RECORDS = 1000
LIMIT_S = 1500


def load(stack, record, prefix):
    """Devices that nobody knows press until it is asked to end, then it waits for its last answers."""
    return stack.simulator(
        "load", "--watch", f"127.0.0.1:{stack.port('watch')}",
        "--mqtt", f"127.0.0.1:{stack.values['MQTT_PORT']}", "--wristbands", "1000",
        "--call-boxes", "500", "--alarms-per-second", str(ALARMS_PER_SECOND), "--panics-only",
        "--retransmit", "2", "--report-every", "60", "--seconds", str(LIMIT_S), "--drain", "60",
        "--record", record, "--seed", "7", "--prefix", prefix)


def kill_and_start(stack, name):
    stack.kill(name)
    stack.start(name)


def disturb(stack, chance, kills, others):
    """Kills onekeyd `kills` times, each of the others now and then; returns how long it took."""
    began = time.monotonic()
    for i in range(kills):
        time.sleep(chance.uniform(0.0, 0.5))  # the random moment that is the point of this test
        down = [name for name in others if i % max(1, kills // OTHER_KILLS) == 0]
        for name in down:
            stack.kill(name)
        stack.kill("onekeyd")
        for name in down:
            stack.start(name)
        stack.start("onekeyd")
        if i % CATCH_UP_KILLS == CATCH_UP_KILLS - 1:
            wait_for(lambda: waiting(stack) < CATCH_UP_RECORDS, 60)
    return time.monotonic() - began


def waiting(stack):
    """Alarms that are accepted and not yet stored."""
    return stack.metric('onekey_outbox_records{lane="alarms"}')


def is_settled(stack):
    return waiting(stack) == 0 and stack.http("/-/ready")[0] == 200


def acknowledged(record):
    with open(record, encoding="utf-8", newline="") as file:
        return {(row["identity"], row["message_id"]) for row in csv.DictReader(file)}


def stored(stack, since):
    """(identity, message id) -> number of signals, tickets, signals without a ticket"""
    rows = stack.sql("select identity, detail->>'message_id', count(*), count(distinct ticket_id), "
                     "count(*) filter (where ticket_id is null) from onekey.signal "
                     f"where received_at >= '{since}' group by 1, 2")
    return {(identity, message): (int(signals), int(tickets), int(without))
            for identity, message, signals, tickets, without in rows}


def round_of(tap, stack, name, prefix, kills, others):
    chance = random.Random(7)
    record = f"{stack.parent}/{name.replace(' ', '-')}.csv"
    began = stack.value("select clock_timestamp()")
    process = load(stack, record, prefix)
    wait_for(lambda: os.path.exists(record) and os.path.getsize(record) > 0, 60)
    took = disturb(stack, chance, kills, others)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    summary = json.loads(output.strip().splitlines()[-1])
    settled = wait_for(lambda: is_settled(stack), 60)
    found, acked = stored(stack, began), acknowledged(record)
    lost = [key for key in acked if key not in found]
    twice = [key for key in acked if key in found and found[key][0] != 1]
    loose = [key for key in acked if key in found and (found[key][1] != 1 or found[key][2] != 0)]
    tap.check(len(acked) > kills * 20, f"{name}: alarms were acknowledged all the while",
              f"{len(acked)} acknowledged, {summary['retransmissions']} retransmissions, "
              f"{summary['reconnections']} reconnections, {kills} kills in {took:.0f} s", errors[-500:])
    tap.check(settled, f"{name}: everything accepted reaches the database")
    tap.check(not lost, f"{name}: no acknowledged alarm is lost", f"lost: {lost[:5]} of {len(lost)}")
    tap.check(not twice, f"{name}: none is there twice", f"twice: {twice[:5]} of {len(twice)}")
    tap.check(not loose, f"{name}: each has one ticket", f"without: {loose[:5]} of {len(loose)}")


def main():
    tap = Tap()
    with Stack() as stack:
        round_of(tap, stack, "onekeyd killed", "91", KILLS, [])
        round_of(tap, stack, "with PostgreSQL killed", "92", OTHER_KILLS, ["postgres"])
        round_of(tap, stack, "with the broker killed", "93", OTHER_KILLS, ["broker"])
        round_of(tap, stack, "with both killed", "94", OTHER_KILLS, ["postgres", "broker"])
    tap.finish()


main()
