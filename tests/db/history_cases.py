"""onekey-sim history: an invented year in the customer's proportions, the same again from the same seed."""
import json
import os
import subprocess

from database import PROGRAM, Database, equal, holds

SIM = os.path.join(os.path.dirname(PROGRAM), "onekey-sim")
# A year's services of the customer by kind; care by telephone, visits apart.
YEARLY = {"care_call": 1143020, "rescue": 43295, "taxi": 325, "registration": 86, "consult": 8734, "life_care": 5443,
          "other": 45696}


def history(db, *arguments):
    return subprocess.run([SIM, "history", "--households", "120", "--from", "2026-01-01", *arguments], text=True,
                          env=db.server.environment(db.name, "postgres"), capture_output=True, timeout=300)


def figures(db, measure, until_day):
    text = db.sql(f"select * from onekey.read_measure('{measure}', '990200', '2026-01-01', '{until_day}')")
    return [json.loads(line) for line in text.splitlines()]


def test_a_year_has_the_services_of_the_customer(db):
    equal(history(db, "--year", "--scale", "0.01").returncode, 0)
    found = {one["service"]: one["services"] for one in figures(db, "services", "2027-01-01")}
    equal(set(found), set(YEARLY))
    for service, yearly in YEARLY.items():  # a month is a whole number of each kind, and rescue is of three kinds
        assert abs(found[service] - yearly / 100) <= 12 * 3 / 2 + 1, (service, found[service], yearly / 100)
    whole = sum(found.values())
    assert abs(100 * found["care_call"] / whole - 91.7) < 0.2, found
    equal(db.sql("select count(*) from onekey.ticket where kind = 'silence'"),
          str(sum(round(252 * days / 365) for days in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])))
    equal(db.sql("""select count(*) from onekey.ticket t where state <> 'closed'
        or not raised_at between received_at and closed_at or coalesce(answered_at, claimed_at) < claimed_at
        or coalesce(closed_at < greatest(answered_at, dispatched_at, on_scene_at, verified_at), false)"""), "0")
    equal(db.sql("select count(*) from onekey.care_plan where due_at < now() - interval '1 day'"), "0")
    alarms = next(one for one in figures(db, "answer", "2027-01-01") if one["class"] == "alarm" and one["mode"] == "normal")
    assert 95 < alarms["within_60"] < 100, alarms


def test_the_same_seed_writes_the_same_month(db):
    told = []
    for number, seed in enumerate(["7", "7", "8"]):
        copy = Database(db.server, f"{db.name}_{number}")
        equal(history(copy, "--months", "1", "--scale", "0.005", "--seed", seed).returncode, 0)
        told.append(copy.sql("select kind, household_id, received_at, closed_at, outcome from onekey.ticket order by id"))
    assert told[0] == told[1] != told[2] and told[0], [len(one) for one in told]


def test_history_is_not_written_twice_nor_in_part(db):
    equal(history(db, "--months", "1", "--scale", "0.001").returncode, 0)
    tickets = db.sql("select count(*) from onekey.ticket")
    done = history(db, "--months", "1", "--scale", "0.001")
    equal(done.returncode, 1)
    holds("duplicate key", done.stderr)
    equal(db.sql("select count(*) from onekey.ticket"), tickets)
    equal(history(db, "--months", "x").returncode, 2)
