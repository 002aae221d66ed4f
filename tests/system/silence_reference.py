#!/usr/bin/python3
"""The silence detector on readings of real homes: its alarms against those of the reference, its figures
against the reference's tables, the fixed rule against a plain count over the same file; and what
onekey-sim silence says to bad input. The data lie outside the repository, in ONEKEY_SHARED."""
import bisect
import collections
import csv
import datetime
import gzip
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
SIMULATOR = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin/onekey-sim")
WATER = os.path.join(os.environ.get("ONEKEY_SHARED", os.path.join(ROOT, "../shared")), "water")
READINGS, HOMES = os.path.join(WATER, "dev.csv.gz"), os.path.join(WATER, "homes.csv")
ABSENT = None if os.path.exists(READINGS) else f"no {os.path.relpath(READINGS, ROOT)}"

# Alarms, false alarms a home-year, delay median, p95, mean; None where the tables are silent.
TABLE = {
    ("global",): (902, 18.5, None, None, None),
    ("cal",): (913, 18.8, None, None, None),
    ("cal_leak",): (992, 20.4, None, None, None),
    ("cal", "--r", "31.3"): (None, 48.8, 5.2, 9.8, 5.5),
    ("cal", "--r", "14.5"): (None, 28.7, 6.6, 10.9, 6.6),
    ("cal", "--r", "6.5"): (None, 18.7, 7.8, 12.8, 7.9),
    ("cal", "--r", "2.57"): (None, 13.5, 9.6, 14.8, 9.6),
    ("fixed",): (None, 59.6, 9.75, 12.25, 8.6),
}
HOME_YEARS = 48.636
# An alarm an hour after the reference's: E is 22.1936 h there, theta 22.1948 h; theta's r and the prior
# profile are known to four and three digits only.
EXCEPTIONS = {("cal", "D52", "2016-05-13T00:26"), ("cal", "D52", "2016-05-13T01:26")}

failed = False
count = 0


def check(is_good, name, skip=None):
    global failed, count
    count += 1
    failed |= not is_good
    print(f"{'ok' if is_good else 'not ok'} {count} - {name}{' # SKIP ' + skip if skip else ''}",
          flush=True)


def run(*arguments):
    return subprocess.run([SIMULATOR, "silence", *arguments], capture_output=True, text=True,
                          timeout=60)


def judge(mode, *options):
    """The result as a dictionary, and the alarms as (mode, home, time)."""
    with tempfile.TemporaryDirectory() as folder:
        alarms = os.path.join(folder, "alarms.csv")
        done = run("--readings", READINGS, "--homes", HOMES, "--mode", mode, *options, "--json",
                   "--alarms", alarms)
        with open(alarms) as file:
            rows = [(row["mode"], row["household_id"], row["alarm_time"])
                    for row in csv.DictReader(file)]
    return json.loads(done.stdout), rows


def near(value, wanted, within):
    return wanted is None or abs(value - wanted) <= within


def check_tables():
    for options, (alarms, per_year, median, p95, mean) in TABLE.items():
        name = "mode " + " ".join(options)
        if ABSENT:
            check(True, name, ABSENT)
            continue
        got, _ = judge(*options)
        delay = got["delay_hours"]
        good = (near(got["alarms"], alarms, (alarms or 0) * 0.01)
                and near(got["home_years"], HOME_YEARS, 0.001)
                and near(got["alarms_per_home_year"], per_year, per_year * 0.01)
                and near(delay["median"], median, 0.25) and near(delay["p95"], p95, 0.25)
                and near(delay["mean"], mean, 0.25))
        check(good, f"{name}: {got['alarms']} alarms, {got['alarms_per_home_year']} a home-year, delay "
                    f"{delay['median']} / {delay['p95']} / {delay['mean']} h")


def check_alarm_times():
    for mode in ("global", "cal", "cal_leak"):
        name = f"mode {mode}: alarms at the reference's times"
        if ABSENT:
            check(True, name, ABSENT)
            continue
        with open(os.path.join(WATER, "expected_alarms.csv")) as file:
            expected = {(row["mode"], row["household_id"], row["alarm_time"])
                        for row in csv.DictReader(file) if row["mode"] == mode}
        odd = (set(judge(mode)[1]) ^ expected) - EXCEPTIONS
        check(not odd, name + "".join(f"; {row}" for row in sorted(odd)[:5]))


def plain_fixed(times, litres, window=720, limit=10, burn=14 * 1440):
    """Minutes at which the litres that ended in (t - window, t] first are less than the limit."""
    sums, alarms, is_open = [0], [], False
    for litre in litres[1:]:
        sums.append(sums[-1] + litre)
    for i in range(1, len(times)):
        first = bisect.bisect_right(times, times[i] - window)
        is_dry = sums[i] - (sums[first - 1] if first > 0 else 0) < limit
        if is_dry and not is_open and times[i] - times[0] >= burn:
            alarms.append(times[i])
            is_open = True
        is_open = is_open and is_dry
    return alarms


def check_fixed():
    name = "the fixed rule fires where a plain count says so"
    if ABSENT:
        check(True, name, ABSENT)
        return
    with open(HOMES) as file:
        lived_in = {row["household_id"] for row in csv.DictReader(file) if row["lived_in"] == "1"}
    rows = collections.defaultdict(lambda: ([], []))
    epoch = datetime.datetime(1970, 1, 1)
    with gzip.open(READINGS, "rt") as file:
        for row in csv.DictReader(file):
            if row["household_id"] in lived_in:
                at = datetime.datetime.fromisoformat(row["timestamp"]) - epoch
                rows[row["household_id"]][0].append(at.days * 1440 + at.seconds // 60)
                rows[row["household_id"]][1].append(int(row["litres_in_interval"]))
    plain = {("fixed", home, (epoch + datetime.timedelta(minutes=at)).strftime("%Y-%m-%dT%H:%M"))
             for home, (times, litres) in rows.items() for at in plain_fixed(times, litres)}
    odd = set(judge("fixed")[1]) ^ plain
    check(bool(plain) and not odd, f"{name}: {len(plain)} alarms, {len(odd)} differ")


def check_incidents():
    name = "incidents played through the detector agree with the expectation, twice alike"
    if ABSENT:
        check(True, name, ABSENT)
        return
    expected, _ = judge("global")
    played = [judge("global", "--incidents", "2000", "--seed", "7")[0] for _ in range(2)]
    other, _ = judge("global", "--incidents", "2000", "--seed", "8")
    check(played[0] == played[1] != other
          and all(near(played[0]["delay_hours"][key], expected["delay_hours"][key], 0.4)
                  for key in ("median", "p95", "mean")),
          f"{name}: {played[0]['delay_hours']} and {expected['delay_hours']}")


def check_input():
    good = "household_id,timestamp,litres_in_interval\nX1,2024-01-01T00:00,0\n"
    cases = [
        ("a bad number", good + "X1,2024-01-01T01:00,many\n", ":3:", "many"),
        ("a bad time", good + "X1,yesterday,3\n", ":3:", "yesterday"),
        ("a missing column", "household_id,timestamp\n", ":1:", "litres_in_interval"),
        ("an empty file", "", "", "empty"),
        ("no home", good, "", "no home"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "readings.csv")
        for name, content, place, value in cases:
            with open(path, "w") as file:
                file.write(content)
            done = run("--readings", path, "--mode", "cal")
            check(done.returncode == 1 and place in done.stderr and value in done.stderr
                  and path in done.stderr, f"{name} is told with its place")
    done = run("--readings", "/nowhere.csv", "--mode", "cal")
    check(done.returncode == 1 and "/nowhere.csv" in done.stderr, "a missing file is told")
    done = run("--readings", "x.csv", "--mode", "best")
    check(done.returncode == 2 and "cal_leak" in done.stderr, "an unknown mode is told, with the known")


def main():
    print(f"1..{len(TABLE) + 3 + 1 + 1 + 7}")
    check_tables()
    check_alarm_times()
    check_fixed()
    check_incidents()
    check_input()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
