#!/usr/bin/python3
"""Notices: by every transport, to receivers that fail, hang, flood and lie, and through a kill -9.

Nothing that a receiver does may hold up an alarm: the times from a press to its acknowledgement and to its
ticket are measured without notices and again in the midst of them, and compared.
"""
import base64
import collections
import email
import email.policy
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import Pressers, make_district, quantile  # noqa: E402
from receivers import Mail, Web, certificate  # noqa: E402
from stack import BIN, ROOT, Stack, Tap, wait_for  # noqa: E402

DEVICES = 20
MEASURE_S = 2.5
ROUNDS = 4  # at most, until the machine is quiet enough to tell
RATIO_MAX = 1.5
FLOOR_S = 0.005  # below this a ratio says more about the machine than about the daemon
TURN_MAX_S = 0.5  # every receiver that hangs does so for at least 1 s
SECRET = "whsec_" + base64.b64encode(b"an invented secret of 32 letters").decode()
EVIL = ["hangs", "drips", "redirects", "floods", "fails"]

SCRIPTS = {
    "says": 'cat >"{folder}/said"; env >"{folder}/environment"; ls -l /proc/$$/fd >"{folder}/descriptors"; exit 0',
    "later": '[ -e "{folder}/again" ] || {{ touch "{folder}/again"; exit 75; }}; exit 0',
    "never": 'exit 3',
    "sleeps": 'echo $$ >>"{folder}/sleepers"; sleep 600 & echo $! >>"{folder}/sleepers"; wait',
    "talks": 'head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2; touch "{folder}/talked"; exit 0',
}


class World:
    """The receivers, and the configuration that names them."""

    def __init__(self, folder):
        self.folder = folder
        paths = certificate(folder)
        self.web, self.elsewhere, self.secure = Web().run(), Web().run(), Web(paths).run()
        self.mail, self.bare = Mail(paths).run(), Mail().run()
        self.web.elsewhere = f"http://127.0.0.1:{self.elsewhere.port}/good"
        with open(f"{folder}/secret", "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        for name, script in SCRIPTS.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n" + script.format(folder=folder) + "\n")
            os.chmod(f"{folder}/{name}", 0o755)

    def configuration(self):
        parts = ["[notice]\nmqtt = yes\nfirst_retry_s = 1\nlongest_retry_s = 2\nticket_after_s = 2\n"]
        for name in ["lingers", "truncates", *EVIL]:
            url = f"http://127.0.0.1:{self.web.port}/{name}"
            more = "include = person\n" if name == "lingers" else ""
            parts.append(f"[webhook {name}]\nurl = {url}\nsecret_file = {self.folder}/secret\ntimeout_s = 1\n{more}")
        parts.append(f"[webhook secure]\nurl = https://127.0.0.1:{self.secure.port}/good\n"
                     f"secret_file = {self.folder}/secret\nca_file = {self.folder}/server.pem\ntimeout_s = 5\n")
        for name, server in [("desk", self.mail), ("bare", self.bare)]:
            parts.append(f"[mail {name}]\nserver = 127.0.0.1\nport = {server.port}\nca_file = {self.folder}/server.pem\n"
                         "from = onekey@gate.example\nto = a@desk.example b@desk.example\ninclude = person\n")
        parts.append(f"[mail nobody]\nserver = 127.0.0.1\nport = {self.mail.port}\nsecurity = none\n"
                     "from = onekey@gate.example\nto = nobody@desk.example\n")
        parts.append(f"[mail stranger]\nserver = 127.0.0.1\nport = {self.mail.port}\nfrom = onekey@gate.example\n"
                     "to = c@desk.example\n")
        parts += [f"[exec {name}]\nprogram = {self.folder}/{name}\ntimeout_s = {1 if name == 'sleeps' else 20}\n"
                  for name in SCRIPTS]
        return "".join(parts)


def enqueue(stack, transport, target, count=1, ticket="null", prefix=""):
    """Notices with the keys PREFIX-TRANSPORT-TARGET-1 and so on."""
    stack.sql(f"select onekey.enqueue_notice('{stack.values['DISTRICT']}', {ticket}, 'ticket.escalated', '{transport}',"
              f" '{target}', jsonb_build_object('nth', n), '{prefix}{transport}-{target}-' || n)"
              f" from generate_series(1, {count}) n")


def state(stack, key):
    return stack.value(f"select state from onekey.v_notices where idempotency_key = '{key}'")


def has_state(stack, key, wanted, deadline_s=30):
    return wait_for(lambda: state(stack, key) == wanted, deadline_s, 0.1)


def ticket_times(stack, since):
    rows = stack.sql("select extract(epoch from raised_at - received_at) from onekey.ticket"
                     f" where identity between '{Pressers.identity_of(0)}' and '{Pressers.identity_of(DEVICES)}'"
                     f" and received_at >= '{since}'")
    return [float(row[0]) for row in rows]


def measure(stack, pressers):
    """Seconds to the acknowledgement and to the ticket. The tickets are closed first, so that each press makes one."""
    stack.sql("update onekey.ticket set state = 'closed', outcome = 'test', closed_at = now() where state <> 'closed'"
              " and protocol = 'watch'")
    since = stack.value("select clock_timestamp()")
    taken = pressers.measure(MEASURE_S)
    wait_for(lambda: len(ticket_times(stack, since)) >= DEVICES, 20)
    return taken, ticket_times(stack, since)


def is_slower(beside, alone, share):
    return quantile(beside, share) > max(RATIO_MAX * quantile(alone, share), FLOOR_S)


def figures(name, pair):
    return f"{name}: " + ", ".join(
        f"{what} p50 {quantile(taken, 0.5) * 1000:.1f} p90 {quantile(taken, 0.9) * 1000:.1f} ms of {len(taken)}"
        for what, taken in zip(["ACK", "ticket"], pair))


def test_alarms_do_not_wait(tap, stack, world):
    pressers = Pressers(stack, DEVICES)
    pressers.measure(0.5)
    remarks, on_the_way, is_good = [], 0, [False, False]
    for nth in range(ROUNDS):
        if nth > 0:  # what the round before left
            stack.sql("update onekey.outbox set given_up_at = now() where delivered_at is null and given_up_at is null")
        alone = measure(stack, pressers)
        for name in EVIL:
            enqueue(stack, "webhook", name, 8, prefix=f"r{nth}-")
        enqueue(stack, "exec", "talks", 4, prefix=f"r{nth}-")
        wait_for(lambda: stack.metric("onekey_notices_on_the_way") >= 3, 10)
        on_the_way = max(on_the_way, stack.metric("onekey_notices_on_the_way"))
        beside = measure(stack, pressers)
        turn_s = stack.metric("onekey_turn_longest_seconds")
        remarks += [figures("alone", alone), figures("beside", beside)]
        is_good = [was_good or not any(is_slower(b, a, share) for share in (0.5, 0.9))
                   for was_good, a, b in zip(is_good, alone, beside)]
        if all(is_good):
            break
    pressers.close()
    tap.check(None not in beside[0] and len(beside[0]) > DEVICES, "every press is acknowledged beside bad receivers")
    for what, good in zip(["acknowledgement", "ticket"], is_good):
        tap.check(good, f"the {what} takes no longer than {RATIO_MAX} times that without notices", *remarks)
    tap.check(turn_s < TURN_MAX_S, "no turn of the loop waits for a receiver", f"the longest took {turn_s * 1000:.1f} ms")
    tap.check(on_the_way >= 3 and len(world.web.heard) > 20, "while receivers fail, hang, drip, redirect and flood",
              f"{on_the_way:.0f} on the way, {len(world.web.heard)} requests")


def test_retries_keep_their_id(tap, stack, world):
    for name in ["redirects", "hangs", "drips"]:
        tap.check(wait_for(lambda name=name: collections.Counter(world.web.ids(name)).most_common(1)[0][1] >= 2, 30, 0.1),
                  f"what {name} is sent again, under the same id")
    tap.check(not world.elsewhere.heard, "no redirect is followed", world.elsewhere.heard[:1])
    flooded = stack.value("select count(*) from onekey.v_notices where destination = 'floods' and state = 'delivered'")
    tap.check(int(flooded) > 0, "a yes counts however much follows it", f"{flooded} delivered")
    enqueue(stack, "webhook", "truncates")
    tap.check(has_state(stack, "webhook-truncates-1", "delivered") and world.web.ids("truncates") == ["webhook-truncates-1"] * 2,
              "a yes that is cut off does not, and the next one does", world.web.ids("truncates"))


def lost(stack, name):
    return stack.sql("select state, coalesce(outcome, '') from onekey.ticket where kind = 'notice_lost'"
                     f" and subject = 'notice:webhook:{name}' order by id")


def test_a_lost_target_is_a_ticket(tap, stack, world):
    for name in ["hangs", "fails"]:
        tap.check(wait_for(lambda name=name: lost(stack, name) == [["open", ""]], 30, 0.1),
                  f"a receiver that {name} for long is one ticket", lost(stack, name))
    world.web.is_mended = True
    tap.check(wait_for(lambda: lost(stack, "fails") == [["closed", "restored"]], 30, 0.1),
              "which closes by itself when it works again", lost(stack, "fails"))
    waiting = "select count(*) from onekey.v_notices where destination = 'fails' and state not in ('delivered', 'given_up')"
    tap.check(wait_for(lambda: stack.value(waiting) == "0", 30, 0.1), "and then all that waited arrives")
    kinds = stack.value("select count(*) from onekey.ticket where kind = 'notice_lost' and subject like '%fails'")
    tap.check(kinds == "1", "one ticket an episode", kinds)


def test_what_is_sent(tap, stack, world):
    ticket = stack.value("select max(id) from onekey.ticket where household_id is not null")
    enqueue(stack, "webhook", "secure", ticket=ticket)
    enqueue(stack, "webhook", "lingers", ticket=ticket)
    sent = [has_state(stack, f"webhook-{name}-1", "delivered") for name in ["secure", "lingers"]]
    tap.check(all(sent), "webhooks arrive, over TLS too")
    plain, person = world.secure.heard[0][2].decode(), world.web.heard[-1][2].decode()
    tap.check("Nobody" not in plain and "Lane" not in plain and json.loads(plain)["data"]["ticket"]["id"] == int(ticket),
              "without names or addresses", plain)
    tap.check("Nobody" in person and "Invented Lane" in person, "unless the target asks for them")
    events = stack.sql("select detail ->> 'destination', detail ->> 'result' from onekey.ticket_event where kind = 'notified'"
                       f" and ticket_id = {ticket}")
    tap.check(sorted(events) == [["lingers", "delivered"], ["secure", "delivered"]], "the ticket's record says so", events)
    tap.check("Nobody" not in stack.log() and "Lane" not in stack.log() and "secret of" not in stack.log(),
              "no name, address or secret is in the log")


def test_signatures(tap, world):
    if not shutil.which("node") or not os.path.isdir(f"{ROOT}/tests/oracle/node_modules/standardwebhooks"):
        tap.skip("signatures are verified by others", "node or standardwebhooks is not installed: make oracle")
        return
    heard = world.web.heard + world.secure.heard
    cases = [{"secret": SECRET, "headers": headers, "body": body.decode()} for _, headers, body in heard]
    cases.append({**cases[0], "body": cases[0]["body"] + " "})
    done = subprocess.run(["node", f"{ROOT}/tests/oracle/verify_webhook.js"], text=True, capture_output=True, timeout=60,
                          input="\n".join(map(json.dumps, cases)))
    results = [json.loads(line) for line in done.stdout.splitlines()]
    tap.check(len(results) == len(cases) and not any(results[:-1]) and results[-1],
              "every webhook is genuine to the library of others, a changed one is not",
              f"{len(cases)} verified", done.stderr, [r for r in results[:-1] if r][:1])


def test_mail(tap, stack, world):
    ticket = stack.value("select max(id) from onekey.ticket where household_id is not null")
    for target in ["desk", "bare", "nobody", "stranger"]:
        enqueue(stack, "mail", target, ticket=ticket)
    tap.check(has_state(stack, "mail-desk-1", "delivered"), "a mail that was put off once arrives")
    sender, receivers, raw, is_secure = world.mail.mails[0]
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    tap.check(is_secure and "onekey@gate.example" in sender and len(receivers) == 2, "over STARTTLS, to all", sender, receivers)
    tap.check(mail["Message-ID"] == "<mail-desk-1@gate.example>" and "仍未处理" in mail["Subject"]
              and "Still waiting" in mail["Subject"] and not mail.defects, "with the key as its Message-ID", mail["Subject"])
    text = mail.get_content()
    tap.check("Invented Lane" in text and "姓名：Nobody" in text, "and tells who needs help, where", text)
    tap.check(has_state(stack, "mail-nobody-1", "given_up"), "a mailbox that does not exist is given up")
    tap.check(has_state(stack, "mail-bare-1", "failing") and "MAIL" not in world.bare.commands,
              "a server without STARTTLS is told nothing", world.bare.commands)


    error = "select last_error from onekey.v_notices where idempotency_key = 'mail-stranger-1'"
    tap.check(has_state(stack, "mail-stranger-1", "failing") and "certificate" in stack.value(error)
              and len(world.mail.mails) == 1, "nor one whose certificate nobody vouches for", stack.value(error))


def test_mqtt(tap, stack):
    enqueue(stack, "mqtt", "broker", prefix="early-")
    tap.check(has_state(stack, "early-mqtt-broker-1", "failing"), "to the broker, while nobody listens: not delivered")
    listener = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", stack.values["MQTT_PORT"], "-q", "1", "-W", "30",
                                 "-C", "2", "-v", "-t", "onekey/v1/notice/#"], stdout=subprocess.PIPE, text=True)
    enqueue(stack, "mqtt", "broker")
    lines = listener.communicate(timeout=60)[0].splitlines()
    tap.check({json.loads(line.split(" ", 1)[1])["id"] for line in lines} == {"early-mqtt-broker-1", "mqtt-broker-1"}
              and lines[0].startswith(f"onekey/v1/notice/{stack.values['DISTRICT']}/ticket.escalated "),
              "subscribers hear the notices", lines)
    tap.check(has_state(stack, "mqtt-broker-1", "delivered"), "acknowledged is delivered")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_exec(tap, stack, world):
    for name in SCRIPTS:
        enqueue(stack, "exec", name)
    for name, wanted in [("says", "delivered"), ("later", "delivered"), ("never", "given_up"), ("talks", "delivered")]:
        tap.check(has_state(stack, f"exec-{name}-1", wanted, 60), f"a program that {name}: {wanted}")

    def read(name):
        with open(f"{world.folder}/{name}", encoding="utf-8") as file:
            return file.read()
    said = json.loads(read("said"))
    tap.check(said["id"] == "exec-says-1" and "仍未处理" in said["subject"]["zh"], "it reads the notice as JSON", said)
    names = {line.split("=")[0] for line in read("environment").splitlines()}
    tap.check(names <= {"PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}, "in an environment of its own", names)
    held = [line.rsplit(" -> ", 1)[1] for line in read("descriptors").splitlines() if " -> " in line]
    tap.check(held and all(place.startswith(("/memfd:notice", "/dev/null", f"{world.folder}/", "/proc/")) for place in held),
              "without the daemon's descriptors", held)
    tap.check(has_state(stack, "exec-sleeps-1", "failing"), "a program that sleeps is stopped and run again")
    sleepers = read("sleepers").split()[:2]
    tap.check(len(sleepers) == 2 and wait_for(lambda: not any(map(is_alive, sleepers)), 10),
              "with what it has started", sleepers)


def ctl(stack, *arguments):
    return subprocess.run([f"{BIN}/onekeyctl", "--config", stack.values["ONEKEY_CONF"], *arguments], text=True,
                          capture_output=True, timeout=20)


def test_onekeyctl(tap, stack, world):
    listed = ctl(stack, "notices", "--failed").stdout
    line = next(line for line in listed.splitlines() if " never " in line)
    tap.check("given_up" in line and "exit status 3" in line and "Lane" not in listed and " says " not in listed,
              "`onekeyctl notices --failed` lists what did not arrive", line)
    with open(f"{world.folder}/never", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 0\n")
    os.chmod(f"{world.folder}/never", 0o755)
    done = ctl(stack, "notice", "retry", line.split()[0])
    tap.check(done.returncode == 0 and has_state(stack, "exec-never-1", "delivered"), "`notice retry` sends it again",
              done.stdout + done.stderr)
    again, wrong = ctl(stack, "notice", "retry", line.split()[0]), ctl(stack, "notice", "retry", "1;")
    tap.check((again.returncode, wrong.returncode) == (1, 2), "but not what has arrived", again.stderr, wrong.stderr)


def test_kill(tap, stack, world):
    wanted = {f"kill-webhook-lingers-{n}" for n in range(1, 81)}
    began = len(world.web.heard)
    enqueue(stack, "webhook", "lingers", len(wanted), prefix="kill-")
    wait_for(lambda: len(world.web.ids("lingers")) > 20, 20)
    stack.kill("onekeyd")
    stack.start("onekeyd")
    left = "select count(*) from onekey.v_notices where idempotency_key like 'kill-%' and state <> 'delivered'"
    tap.check(wait_for(lambda: stack.value(left) == "0", 30, 0.1), "after a kill -9 all notices are delivered")
    counts = collections.Counter(headers["webhook-id"] for name, headers, _ in world.web.heard[began:] if name == "lingers")
    twice = [key for key, count in counts.items() if count > 1]
    tap.check(set(counts) == wanted, "each under its own id", f"{len(twice)} sent twice", set(counts) ^ wanted)
    tap.check(len(twice) <= 4, "only what was on the way is sent again", twice)


def main():
    tap = Tap()
    with Stack() as stack:
        world = World(stack.parent)
        with open(f"{stack.folder}/conf.d/notices.conf", "w", encoding="utf-8") as file:
            file.write(world.configuration())
        stack.stop("onekeyd")
        stack.start("onekeyd")
        devices = [("watch", Pressers.identity_of(i), "wristband") for i in range(DEVICES)]
        stack.command("load", make_district(stack.parent, devices))
        began = time.monotonic()
        test_alarms_do_not_wait(tap, stack, world)
        test_retries_keep_their_id(tap, stack, world)
        test_a_lost_target_is_a_ticket(tap, stack, world)
        stack.sql("update onekey.outbox set given_up_at = now() where delivered_at is null and given_up_at is null")
        for test in [test_what_is_sent, test_mail, test_exec, test_onekeyctl, test_kill]:
            test(tap, stack, world)
        test_mqtt(tap, stack)
        test_signatures(tap, world)
    tap.finish()


main()
