#!/usr/bin/python3
"""What devices say beyond alarms, on the wire of a real stack: the latest values and the history."""
import datetime
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import make_district, publish, receive, watch_frame  # noqa: E402
from stack import Stack, Tap, wait_for  # noqa: E402

BAND, BOX = "7200000001", "BOX-7201"
DEVICES = [("watch", BAND, "wristband"), ("meter_json", BOX, "call_box")]
CONFIGURATION = """
[observation]
interval_s = 1
waiting_max = 100
"""


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def device_id(stack, identity):
    return stack.value(f"select id from onekey.device where identity = '{identity}'")


def eventually(stack, query, wanted, deadline_s=30):
    """The rows of the query, once they are as wanted or the deadline has passed."""
    wait_for(lambda: stack.sql(query) == wanted, deadline_s, 0.1)
    return stack.sql(query)


def test_watch(tap, stack):
    at = now() - datetime.timedelta(minutes=3)
    with stack.connect("watch") as client:
        for content in ["LK,4321,0,77", f"UD,{at:%d%m%y},{at:%H%M%S},A,31.230416,N,121.473701,E,0.0,0,0,7,60,77,4321,0,00000000",
                        "bphrt,131,82,71", "oxygen,0,97", "btemp2,1,36.5"]:
            client.sendall(watch_frame(BAND, content))
        receive(client, len(watch_frame(BAND, "LK")))
        found = eventually(
            stack, "select battery_percent, steps, round(longitude::numeric, 5), round(latitude::numeric, 5), "
            f"position_at = '{at:%Y-%m-%d %H:%M:%S}Z', systolic, diastolic, heart_rate, oxygen_percent, temperature_c, "
            f"vitals_at > now() - interval '1 min' from onekey.device where identity = '{BAND}'",
            [["77", "4321", "121.47370", "31.23042", "t", "131", "82", "71", "97", "36.50", "t"]])
    tap.check(found[0][4:] == ["t", "131", "82", "71", "97", "36.50", "t"] and found[0][0] == "77",
              "a watch's battery, place and vitals are the latest of its device", found)
    rows = eventually(stack, "select count(heart_rate), count(longitude), count(battery_percent), "
                      f"bool_and(received_at > now() - interval '1 min'), max(occurred_at) = '{at:%Y-%m-%d %H:%M:%S}Z' "
                      f"from onekey.observation where device_id = {device_id(stack, BAND)}",
                      [["1", "1", "1", "t", "t"]])
    tap.check(rows == [["1", "1", "1", "t", "t"]], "and one row each of its history, with both times", rows)


def test_flood(tap, stack):
    before = stack.metric("onekey_observations_thinned_total")
    with stack.connect("watch") as client:
        client.sendall(b"".join(watch_frame(BAND, f"LK,{5000 + i},0,76") for i in range(500)))
        receive(client, 500 * len(watch_frame(BAND, "LK")))
    thinned = wait_for(lambda: stack.metric("onekey_observations_thinned_total") - before >= 400)
    count = int(stack.value("select count(*) from onekey.observation where battery_percent = 76"))
    tap.check(thinned and 0 < count < 60, "a device that speaks without end fills no history", f"{count} rows of 500 frames")


def test_database_away(tap, stack):
    stack.kill("postgres")
    for battery in range(51, 54):
        publish(stack, f"onekey/v1/call_box/{BOX}/up/heartbeat", {"battery": battery, "stored": True})
    publish(stack, f"onekey/v1/call_box/{BOX}/up/alarm", {"type": "panic", "id": "p-1", "battery": 42})
    tap.check(wait_for(lambda: stack.metric("onekey_observations_waiting") >= 3), "the history waits while PostgreSQL is away",
              stack.metric("onekey_observations_waiting"))
    stack.start("postgres")
    rows = f"select count(*) >= 4, bool_or(battery_percent = 42) from onekey.observation where device_id = {device_id(stack, BOX)}"
    found = eventually(stack, rows, [["t", "t"]], 60)
    tap.check(found == [["t", "t"]], "and is stored when it is back", found)
    tap.check(stack.value(f"select count(*) from onekey.ticket where identity = '{BOX}' and kind = 'panic'") == "1",
              "beside the alarm that came meanwhile")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as data:
        make_district(data, DEVICES)
        with Stack(CONFIGURATION, data) as stack:
            wait_for(lambda: stack.metric("onekey_devices") == len(DEVICES))
            test_watch(tap, stack)
            test_flood(tap, stack)
            test_database_away(tap, stack)
    tap.finish()


main()
