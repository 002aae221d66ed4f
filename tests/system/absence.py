#!/usr/bin/python3
"""Silences on the real stack: explained and recorded, judged by a home's own scheme, closed and learned from,
and what was learned kept through a crash and the loss of the journal."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import make_district, publish  # noqa: E402
from stack import BIN, Stack, Tap, wait_for  # noqa: E402

DISTRICT = "990100"
CONFIGURATION = """
[silence]
care_call_s = 2

[scheme quick]
mode = both
hours = 3

[scheme running]
daily_litres = 300
tap_hours = 1
"""


def home(number):
    return f"(select id from onekey.household where code = 'H{number}')"


def read(stack, number, hours_ago, litres):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600 * hours_ago))
    publish(stack, f"onekey/v1/meter/WM-{number}/up/reading", {"at": at, "total_l": litres})


def stay_silent(stack, number, hours=5):
    """The meter says that nothing has run for so long."""
    read(stack, number, hours + 1, 100)
    read(stack, number, hours, 120)
    read(stack, number, 0, 120)


def ticket(stack, number, kind):
    """The open ticket of that kind of that home, waited for."""
    rows = wait_for(lambda: stack.sql(
        f"select id, detail -> 'rules' from onekey.ticket where household_id = {home(number)}"
        f" and kind = '{kind}' and state <> 'closed'"))
    return rows[0] if rows else [None, None]


def close(stack, number, outcome):
    """Someone looks into the silence of that home."""
    stack.sql(f"select onekey.act_as('{DISTRICT}', 'li', 'test', true);"
              f" select onekey.ticket_claim('{DISTRICT}', {number});"
              f" select onekey.ticket_verify('{DISTRICT}', {number}, 'spoke with the person');"
              f" select onekey.ticket_close('{DISTRICT}', {number}, '{outcome}')")


def profile(stack, number):
    """What that home's meter has learned, as onekeyctl shows it; {}: not known."""
    done = subprocess.run([f"{BIN}/onekeyctl", "--json", "--conninfo", "", "silence", "show", f"H{number}"],
                          env=stack.environment(), text=True, capture_output=True, timeout=30)
    meters = json.loads(done.stdout)["meters"] if done.returncode == 0 else []
    return meters and meters[0]["profile"] or {}


def moved(stack, number):
    """Hours by which outcomes have moved the threshold of that home."""
    return profile(stack, number).get("moved_by_outcomes_hours")


def rules_of(stack, number):
    """By what the daemon judges that meter: scheme, millilitres and seconds."""
    done = subprocess.run([f"{BIN}/onekeyctl", "--config", stack.values["ONEKEY_CONF"], "--json", "show", "silence",
                           f"WM-{number}"], capture_output=True, text=True, timeout=20, check=False)
    known = json.loads(done.stdout) if done.returncode == 0 else {}
    return tuple(str(known.get(name)) for name in ("scheme", "fixed_ml", "fixed_window_s"))


def test_an_absence(tap, stack):
    absence = stack.value(f"select onekey.set_absence('{DISTRICT}', {home(0)}, 'hospital', now() - interval '8 hours')")
    seen = wait_for(lambda: "silence.explained reason=absence identity=WM-0" in stack.log())
    tap.check(seen, "an absence reaches the meter")
    read(stack, 0, 30, 100)
    read(stack, 0, 29, 120)
    read(stack, 0, 0, 120)
    said = wait_for(lambda: stack.sql("select detail -> 'reasons' from onekey.signal"
                                      " where kind = 'silence_explained' and identity = 'WM-0'"))
    tap.check(said == [['["absence"]']], "the silence is recorded with its reason", said)
    tap.check(stack.value("select count(*) from onekey.ticket") == "0", "and raises no ticket")
    metric = 'onekey_silences_explained_total{reason="absence"}'
    tap.check(stack.metric(metric) == 1, "and is counted")
    stack.kill("onekeyd")
    stack.start("onekeyd")
    stack.value(f"select onekey.end_absence('{DISTRICT}', {absence})")
    number, _ = ticket(stack, 0, "care_call")
    tap.check(number, "nobody shows life after the absence: someone is to call, a crash or not")


def test_a_scheme(tap, stack):
    stack.sql(f"select onekey.set_silence('{DISTRICT}', {home(1)}, 'quick')")
    done = [subprocess.run([f"{BIN}/onekeyctl", "--conninfo", "", "silence", "set", *words], env=stack.environment(),
                           capture_output=True, text=True, check=False).returncode
            for words in (["H2", "--hours", "4", "--litres", "30"], ["H2", "--hours", "900"], ["nobody"], ["--hours", "4"])]
    tap.check(done == [0, 1, 1, 2], "a home's own litres and hours are set, and no nonsense", str(done))
    judged = wait_for(lambda: [rules_of(stack, number) for number in (1, 2, 3)] == [
        ("quick", "10000", "10800"), ("", "30000", "14400"), ("", "10000", "43200")])
    tap.check(judged, "the daemon knows what was set", [rules_of(stack, number) for number in (1, 2, 3)])
    for number in (3, 1, 2):
        stay_silent(stack, number)
    for number in (1, 2):
        found, rules = ticket(stack, number, "silence")
        tap.check(found and "fixed" in rules, f"home {number} is judged by its own hours", rules)
    tap.check(stack.sql(f"select id from onekey.ticket where household_id = {home(3)}") == [],
              "a home without is judged by the configuration")


def test_running_water(tap, stack):
    """Two rules fire beside the one that learns; home 3 uses as much, and its rules do not ask."""
    stack.sql(f"select onekey.set_silence('{DISTRICT}', {home(4)}, 'running')")
    wait_for(lambda: rules_of(stack, 4)[0] == "running")
    for number in (3, 4):
        for hours_ago in (3, 2, 1, 0):
            read(stack, number, hours_ago, 2000 * (4 - hours_ago))
    found, _ = ticket(stack, 4, "running_water")
    rules = "select distinct jsonb_array_elements_text(detail -> 'rules') from onekey.signal where kind = 'running_water'"
    tap.check(found and wait_for(lambda: sorted(stack.sql(rules)) == [["daily"], ["tap"]]),
              "water that runs too long and too much is raised by both of its rules", stack.sql(rules))
    tap.check(stack.value("select count(*) from onekey.ticket where kind = 'running_water'") == "1",
              "in one ticket, and in no home whose scheme does not ask")


def test_lessons(tap, stack):
    number, _ = ticket(stack, 1, "silence")
    close(stack, number, "person_well")
    tap.check(wait_for(lambda: moved(stack, 1) == 0.25), "a false alarm moves the threshold of its home a little",
              moved(stack, 1))
    tap.check(wait_for(lambda: stack.value("select count(*) from onekey.silence_lesson where identity = 'WM-1'") == "0"),
              "and the lesson is done")
    known = profile(stack, 1)
    tap.check((known["false_before"], known["true_before"]) == (1, 0), "what was false and true before is counted")
    tap.check((known["scheme"], known["fixed_ml"], known["fixed_window_s"]) == ("quick", 10000, 3 * 3600),
              "and the rules are those of its scheme", known)
    stack.kill("onekeyd")
    stack.start("onekeyd")
    return number


def test_lost_journal(tap, stack, number):
    stack.stop("onekeyd")
    shutil.rmtree(os.path.join(stack.folder, "state", "journal"), ignore_errors=True)
    journals = [path for path, _, _ in os.walk(stack.folder) if os.path.basename(path) == "journal"]
    for path in journals:
        shutil.rmtree(path)
    stack.start("onekeyd")
    tap.check(wait_for(lambda: "profiles.loaded" in stack.log()), "without its journal it loads what it had learned")
    stack.sql(f"select onekey.act_as('{DISTRICT}', 'li', 'test', true);"
              f" select onekey.ticket_reopen('{DISTRICT}', {number}, 'once more')")
    close(stack, number, "person_well")
    learned = wait_for(lambda: (moved(stack, 1) or 0) > 0.4 and moved(stack, 1))
    tap.check(learned == 0.47, "and learns on from there", moved(stack, 1))


def main():
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="onekey-absence-")
    os.chmod(folder, 0o755)
    make_district(folder, [("meter_json", f"WM-{i}", "meter") for i in range(5)])
    try:
        with Stack(CONFIGURATION, folder) as stack:
            stack.sql(f"select onekey.set_user('{DISTRICT}', 'li', 'operator')")
            wait_for(lambda: stack.metric("onekey_devices") == 5)
            stack.stop("onekeyd")
            stack.start("onekeyd")
            test_an_absence(tap, stack)
            test_a_scheme(tap, stack)
            test_running_water(tap, stack)
            test_lost_journal(tap, stack, test_lessons(tap, stack))
    finally:
        shutil.rmtree(folder)
    tap.finish()


if __name__ == "__main__":
    main()
