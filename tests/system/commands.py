#!/usr/bin/python3
"""Commands to devices through the running daemon: delivered to a device that is connected, or at its next
report, answered, refused, expired, and none sent more often than it may be, whatever dies in between."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import make_district, publish, receive, watch_frame  # noqa: E402
from stack import BIN, Stack, Tap, wait_for  # noqa: E402

WATCHES = [f"73000001{number:02}" for number in range(8)]
TERMINAL, PANEL, BOX = "13800000042", "0A42", "CB-1"
CONFIGURATION = "[command]\nanswer_s = 3\n"


def ctl(stack, *arguments, who="wang"):
    return subprocess.run([f"{BIN}/onekeyctl", "--config", stack.values["ONEKEY_CONF"], "--json", "device",
                           *arguments, "--as", f"990100/{who}"], env=stack.environment(), capture_output=True, text=True,
                          timeout=60)


def ask(stack, *arguments, who="wang"):
    """The number of the command."""
    done = ctl(stack, *arguments, who=who)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)["detail"]["command"]


def state_of(stack, command):
    return stack.sql(f"select state, attempts, coalesce(answer, '') from onekey.device_command where id = {command}")[0]


def comes_to(stack, command, state, deadline_s=30):
    wait_for(lambda: state_of(stack, command)[0] == state, deadline_s)
    return state_of(stack, command)


def live(stack, identity):
    """A connection of that watch, which has reported and been answered; a command may come right behind."""
    client = stack.connect("watch")
    client.sendall(watch_frame(identity, "LK"))
    client.recv(len(watch_frame(identity, "LK")), socket.MSG_WAITALL)
    return client


def commanded(client, identity, content, deadline_s=30):
    """Whether exactly this command came."""
    wanted = watch_frame(identity, content).replace(b"3G", b"SG")
    return receive(client, len(wanted), deadline_s) == wanted


def test_a_connected_device(tap, stack):
    with live(stack, WATCHES[0]) as client:
        began = time.monotonic()
        command = ask(stack, "locate", WATCHES[0], who="li")
        came = commanded(client, WATCHES[0], "CR")
        took = time.monotonic() - began
        sent = state_of(stack, command)
        client.sendall(watch_frame(WATCHES[0], "CR"))
        done = comes_to(stack, command, "done")
        tap.check(came and sent[0] == "sent" and done == ["done", "1", "CR"],
                  "a connected device gets a command, and its answer is the result",
                  f"{took * 1000:.0f} ms from onekeyctl's start to the device", sent, done)
        first, second = ask(stack, "interval", WATCHES[0], "600"), ask(stack, "locate", WATCHES[0])
        in_order = commanded(client, WATCHES[0], "UPLOAD,600")
        waits = state_of(stack, second)
        client.sendall(watch_frame(WATCHES[0], "UPLOAD,600"))
        in_order = in_order and commanded(client, WATCHES[0], "CR")
        client.sendall(watch_frame(WATCHES[0], "CR"))
        ends = comes_to(stack, first, "done"), comes_to(stack, second, "done")
        tap.check(in_order and waits[0] == "waiting" and [end[0] for end in ends] == ["done", "done"],
                  "of two the second waits for the answer to the first", waits, *ends)
        command = ask(stack, "sos", WATCHES[0], "+15550100", "15550101")
        one = commanded(client, WATCHES[0], "SOS1,+15550100")
        client.sendall(watch_frame(WATCHES[0], "SOS1,+15550100"))
        two = commanded(client, WATCHES[0], "SOS2,15550101")
        client.sendall(watch_frame(WATCHES[0], "SOS2"))
        tap.check(one and two and comes_to(stack, command, "done")[0] == "done",
                  "each SOS number is a frame of its own", one, two, state_of(stack, command))


def test_at_the_next_report(tap, stack):
    command = ask(stack, "locate", WATCHES[1])
    with live(stack, WATCHES[1]) as client:
        came = commanded(client, WATCHES[1], "CR")
        client.sendall(watch_frame(WATCHES[1], "CR"))
        tap.check(came and comes_to(stack, command, "done")[0] == "done", "a sleeping device gets it when it reports",
                  came, state_of(stack, command))


def test_nobody_hears(tap, stack):
    gone = ask(stack, "locate", WATCHES[2], "--expires", "5")
    with live(stack, WATCHES[3]) as client:
        command = ask(stack, "locate", WATCHES[3])
        once = commanded(client, WATCHES[3], "CR")
        again = receive(client, 1, 4)  # the time for its answer passes; it has not been heard of since
        client.sendall(watch_frame(WATCHES[3], "LK"))
        answered = client.recv(len(watch_frame(WATCHES[3], "LK")), socket.MSG_WAITALL) == watch_frame(WATCHES[3], "LK")
        twice = commanded(client, WATCHES[3], "CR")
        failed = comes_to(stack, command, "failed")
        tap.check(once and not again and answered and twice and failed == ["failed", "2", "no answer"],
                  "without an answer it is sent once more, at the next report, behind what that is owed", once, again,
                  answered, twice, failed)
    expired = comes_to(stack, gone, "expired")
    tap.check(expired[:2] == ["expired", "0"], "one that could not be sent expires", expired)


def test_refusals(tap, stack):
    refused = comes_to(stack, ask(stack, "locate", PANEL), "refused")
    tap.check(refused == ["refused", "0", "this protocol has no such command"],
              "a protocol without the command refuses it", refused)
    done = ctl(stack, "interval", WATCHES[0], "600", who="li")
    other = ctl(stack, "interval", WATCHES[0], "5")
    nobody = ctl(stack, "locate", "nobody")
    wrong = ctl(stack, "interval", WATCHES[0], "often")
    tap.check((done.returncode, other.returncode, nobody.returncode, wrong.returncode) == (1, 1, 1, 2)
              and "not for your role" in done.stderr and "10 to 86400" in other.stderr
              and "no device nobody" in nobody.stderr, "who may not, and what cannot be, is refused with its reason",
              done.stderr, other.stderr, nobody.stderr, wrong.stderr)
    secret = WATCHES[7]
    command = ask(stack, "locate", secret, "--expires", "5")
    with live(stack, secret) as client:
        answers = b""
        for _ in range(4):  # until the command has come to the daemon, and beyond
            client.sendall(watch_frame(secret, "LK"))
            answers += receive(client, 1000, 0.5)
        silent = b"CR" not in answers and answers.count(b"LK") == 4
        refused = comes_to(stack, command, "refused")
        tap.check(silent and refused[2] == "the device did not prove who it is",
                  "what does not prove to be the device gets none of its commands", silent, refused)


def test_the_daemon_dies(tap, stack):
    client = live(stack, WATCHES[4])
    command = ask(stack, "locate", WATCHES[4])
    once = commanded(client, WATCHES[4], "CR")
    stack.kill("onekeyd")
    client.close()
    stack.start("onekeyd")
    with live(stack, WATCHES[4]) as client:
        twice = commanded(client, WATCHES[4], "CR")
        client.sendall(watch_frame(WATCHES[4], "CR"))
        done = comes_to(stack, command, "done")
        tap.check(once and twice and done == ["done", "2", "CR"],
                  "sent, and the daemon killed: it is sent once more, and then answered", once, twice, done)


def test_played_devices(tap, stack):
    for protocol, identity, words in (("watch", WATCHES[5], ["locate", "interval 600"]),
                                      ("jt808", TERMINAL, ["locate", "interval 600", "acknowledge"])):
        with subprocess.Popen([f"{BIN}/onekey-sim", "device", "--protocol", protocol, "--identity", identity, "--port",
                               str(stack.port(protocol))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as device:
            device.stdin.write("heartbeat\n")
            device.stdin.flush()
            asked = [ask(stack, word.split()[0], identity, *word.split()[1:]) for word in words]
            ends = [comes_to(stack, command, "done") for command in asked]
            device.communicate("quit\n", timeout=60)
            tap.check(all(end[0] == "done" for end in ends), f"a played {protocol} obeys {', '.join(words)}", *ends)
    command = ask(stack, "acknowledge", BOX)
    topic = f"onekey/v1/call_box/{BOX}"
    comes_to(stack, command, "sent")
    publish(stack, f"{topic}/up/result", {"id": command, "done": True, "text": "lamp on"})
    done = comes_to(stack, command, "done")
    tap.check(done == ["done", "1", "lamp on"], "a device on the broker answers below its own topic", done)


def test_listing(tap, stack):
    rows = [json.loads(line) for line in ctl(stack, "commands", WATCHES[0]).stdout.splitlines()]
    listed = [json.loads(line) for line in ctl(stack, "list", who="li").stdout.splitlines()]
    shown = json.loads(ctl(stack, "show", WATCHES[0]).stdout)
    tap.check([row["kind"] for row in rows] == ["sos_numbers", "locate", "interval", "locate"]
              and len(listed) == 11 and shown["identity"] == WATCHES[0] and "secret" not in shown,
              "onekeyctl lists devices and commands", rows, len(listed), shown)


def main():
    tap = Tap()
    devices = [("watch", identity, "wristband") for identity in WATCHES]
    devices += [("jt808", TERMINAL, "wristband"), ("sia_dc09", PANEL, "call_box"), ("meter_json", BOX, "call_box")]
    with tempfile.TemporaryDirectory() as folder, Stack(CONFIGURATION) as stack:
        stack.command("load", make_district(folder, devices))
        stack.sql("select onekey.set_user('990100', name, role) from (values ('li', 'operator'), ('wang', 'supervisor'))"
                  " u(name, role)")
        stack.sql(f"update onekey.device set secret = 'hush' where identity = '{WATCHES[7]}'")
        wait_for(lambda: stack.metric("onekey_devices") == len(devices))
        for test in (test_a_connected_device, test_at_the_next_report, test_nobody_hears, test_refusals,
                     test_the_daemon_dies, test_played_devices, test_listing):
            test(tap, stack)
    tap.finish()


if __name__ == "__main__":
    main()
