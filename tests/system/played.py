#!/usr/bin/python3
"""Devices that onekey-sim plays, of every protocol, against the running daemon: one at a time by words,
and a mixed fleet whose messages are cut, late, doubled and wrapped in garbage."""
import collections
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from stack import BIN, Stack, Tap, wait_for  # noqa: E402

DEVICES = {"watch": "7300000001", "sia_dc09": "0A42", "ev07b": "350000000000017",
           "jt808": "13800000042", "gt06": "350000000000025", "h02": "7300000002",
           "eelink": "350000000000033", "ev07_text": "350000000000041"}
DATAGRAMS = ("sia_dc09", "jt808", "h02", "ev07_text")
FAULTS = "cut=0.1 delay=0.1 duplicate=0.2 garbage=0.1 clock=0.3"
FLEET_S = 6


def simulate(*arguments, words="", timeout_s=90):
    return subprocess.run([f"{BIN}/onekey-sim", *arguments], input=words, capture_output=True,
                          text=True, timeout=timeout_s)


def kinds_of(stack, protocol, identity):
    return [row[0] for row in stack.sql(
        "select kind from onekey.signal where ticket_id is not null and "
        f"protocol = '{protocol}' and identity = '{identity}' order by number")]


def check_played(tap, stack, protocol, identity, done, wanted, name):
    wait_for(lambda: len(kinds_of(stack, protocol, identity)) >= len(wanted), 10)
    found = kinds_of(stack, protocol, identity)
    is_good = done.returncode == 0 and found == wanted
    said = (done.stdout + done.stderr).splitlines()
    tap.check(is_good, f"{protocol} {name}", *(() if is_good else said + [found]))


def test_words(tap, stack):
    """Two presses: the second is one of its own, in protocols that show a state too."""
    for protocol, identity in DEVICES.items():
        port = str(stack.port(protocol))
        done = simulate("device", "--protocol", protocol, "--identity", identity, "--port", port,
                        words="press\nheartbeat\nposition\npress\nquit\nfall\n")
        check_played(tap, stack, protocol, identity, done, ["panic"] * 2, "by TCP: two presses")
    for protocol in DATAGRAMS:
        identity = DEVICES[protocol][:-1] + "9"
        done = simulate("device", "--protocol", protocol, "--identity", identity, "--udp", "--port",
                        str(stack.port(protocol)), words="press")
        check_played(tap, stack, protocol, identity, done, ["panic"], "by a datagram")
    for protocol, identity in DEVICES.items():
        identity = identity[:-1] + "8"
        done = simulate("device", "--protocol", protocol, "--identity", identity, "--port",
                        str(stack.port("any")), words="press\n")
        check_played(tap, stack, protocol, identity, done, ["panic"], "by a listener for any")
    done = simulate("device", "--protocol", "watch", "--identity", "7300000005", "--host",
                    "localhost", "--port", stack.values["PORT_TLS"], "--tls",
                    stack.values["TLS_CA"], words="fall\n")
    check_played(tap, stack, "watch", "7300000005", done, ["fall"], "by TLS")
    broker = f"127.0.0.1:{stack.values['MQTT_PORT']}"
    done = simulate("device", "--protocol", "meter_json", "--identity", "CB-7", "--mqtt", broker,
                    words="press\ntaxi\ncancel\n")
    check_played(tap, stack, "meter_json", "CB-7", done, ["panic", "service", "cancel"], "by MQTT")
    done = simulate("device", "--protocol", "cjt188", "--identity", "78330000000042", "--mqtt",
                    broker, words="reading\nlow battery\n")
    check_played(tap, stack, "cjt188", "78330000000042", done, ["low_battery"], "by MQTT")


def test_nobody_answers(tap):
    done = simulate("device", "--protocol", "watch", "--identity", "7300000001", "--port", "1",
                    words="press\n")
    tap.check(done.returncode == 1 and "no connection" in done.stdout, "without a gateway it says "
              "so and fails", done.stdout)
    done = simulate("device", "--protocol", "watch", "--identity", "7300000001")
    tap.check(done.returncode == 2 and "usage" in done.stderr, "nowhere to go is an error")


def write_mix(stack, path):
    lines = ["protocol,kind,count,report_every_s,presses_per_hour,to,faults"]
    for protocol in DEVICES:
        lines.append(f"{protocol},wristband,4,2,900,127.0.0.1:{stack.port(protocol)},{FAULTS}")
    for protocol in DATAGRAMS:
        lines.append(f"{protocol},wristband,2,2,900,udp:127.0.0.1:{stack.port(protocol)},"
                     "duplicate=0.3")
    lines += ["meter_json,call_box,4,2,900,,duplicate=0.3 delay=0.1", "meter_json,meter,2,2,0,,",
              f"cjt188,meter,2,2,0,127.0.0.1:{stack.port('cjt188')},garbage=0.2"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def run_fleet(stack, folder, prefix, seed):
    """What the fleet says at its end, and the alarms that it had acknowledged."""
    done = simulate("fleet", "--mix", f"{folder}/mix.csv", "--mqtt",
                    f"127.0.0.1:{stack.values['MQTT_PORT']}", "--seconds", str(FLEET_S), "--drain",
                    "30", "--retransmit", "2", "--alarms-per-second", "0", "--seed", seed,
                    "--prefix", prefix, "--record", f"{folder}/{prefix}")
    with open(f"{folder}/{prefix}", encoding="utf-8") as file:
        return done, [line.strip().split(",") for line in file][1:]


def pressed_by(records):
    """Identity without its prefix -> kinds in the order of their times."""
    kinds = collections.defaultdict(list)
    for identity, _, kind, at in sorted(records, key=lambda record: record[3]):
        kinds[identity.replace("77", "##", 1).replace("78", "##", 1)].append(kind)
    return kinds


def test_fleet(tap, stack, folder):
    write_mix(stack, f"{folder}/mix.csv")
    done, records = run_fleet(stack, folder, "77", "5")
    tap.check(done.returncode == 0 and len(records) > 20, f"a fleet with faults: {len(records)} "
              "alarms, each acknowledged", done.stdout, done.stderr)

    def absent():
        rows = stack.sql("select identity, detail->>'message_id', kind from onekey.signal "
                         "where ticket_id is not null")
        stored = {tuple(row) for row in rows}
        return [record for record in records if tuple(record[:3]) not in stored]
    wait_for(lambda: not absent(), 15)
    tap.check(not absent(), "and each is in the database with a ticket", absent())
    _, again = run_fleet(stack, folder, "78", "5")
    first, second = pressed_by(records), pressed_by(again)
    differing = [who for who in set(first) & set(second)
                 if any(a != b for a, b in zip(first[who], second[who]))]
    tap.check(not differing and len(set(first) & set(second)) >= 0.8 * len(first),
              "the same seed presses the same again", differing)


def main():
    tap = Tap()
    test_nobody_answers(tap)
    with Stack() as stack, tempfile.TemporaryDirectory() as folder:
        test_words(tap, stack)
        test_fleet(tap, stack, folder)
    tap.finish()


main()
