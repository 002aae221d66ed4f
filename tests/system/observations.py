#!/usr/bin/python3
"""What devices say beyond alarms, and who is believed, on the wire of a real stack: the latest values and the
history; secrets, certificates and topics; options of listeners.
"""
import datetime
import os
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import free_port, make_district, publish, receive, watch_frame, watch_press  # noqa: E402
from protocols import dc09_clear, dc09_secret, jt808_frame, jt808_location  # noqa: E402
from stack import ROOT, Stack, Tap, wait_for  # noqa: E402

BAND, BOX, CERTIFIED, PANEL, PENDANT, METER = "7200000001", "BOX-7201", "7200000002", "7A01", "13900007201", "00000000007201"
VENDORS = "77007201"
KEY, CODE = b"a key made up 01", "invented code"
DEVICES = [("watch", BAND, "wristband"), ("meter_json", BOX, "call_box"), ("watch", CERTIFIED, "wristband"),
           ("sia_dc09", PANEL, "call_box"), ("jt808", PENDANT, "wristband"), ("cjt188", METER, "meter"), ("meter_json", VENDORS, "meter")]
SECRETS = {CERTIFIED: "by certificate", PANEL: KEY.decode(), PENDANT: CODE}
CONFIGURATION = """
[meter-json acme]
topic = acme/+/data
identity = meter.no
time = report.at
values = report
unit = cubic_metres
total = dial
hourly = day
alarm = warn

[observation]
interval_s = 1
waiting_max = 100

[listen watch-tls]
address = 127.0.0.1
port = {tls}
protocol = watch
transport = tls
certificate = {folder}/server.pem
key = {folder}/server.key
client_ca = {folder}/authority.pem
client_identity = serial_number

[listen vendor-meters]
address = 127.0.0.1
port = {meters}
protocol = cjt188
meter_status = vendor
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
    tap.check(thinned and count < 60, "a device that speaks without end fills no history", f"{count} rows of 500 frames")


def test_database_away(tap, stack):
    stack.kill("postgres")
    for battery in range(51, 54):
        publish(stack, f"onekey/v1/call_box/{BOX}/up/heartbeat", {"battery": battery, "stored": True})
    publish(stack, f"onekey/v1/call_box/{BOX}/up/alarm", {"type": "panic", "id": "p-1", "battery": 42})
    tap.check(wait_for(lambda: stack.metric("onekey_observations_waiting") >= 3), "the history waits while PostgreSQL is away",
              stack.metric("onekey_observations_waiting"))
    stack.start("postgres")
    rows = f"select battery_percent from onekey.observation where device_id = {device_id(stack, BOX)} and battery_percent in (51, 52, 53)"
    found = eventually(stack, rows + " order by received_at", [["51"], ["52"], ["53"]], 60)
    tap.check(found == [["51"], ["52"], ["53"]], "and is stored when it is back, in its order", found)
    tap.check(eventually(stack, f"select count(*) from onekey.ticket where identity = '{BOX}' and kind = 'panic'", [["1"]]) == [["1"]],
              "beside the alarm that came meanwhile")


def make_certificates(folder):
    """An authority, a server, and a client for each of two watches; the serial number names the watch."""
    def run(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
        "/O=Made for a test", "-keyout", "authority.key", "-out", "authority.pem")
    for name, subject in [("server", "/CN=localhost"), (CERTIFIED, f"/CN=some watch/serialNumber={CERTIFIED}"),
                          (BAND, f"/CN=some watch/serialNumber={BAND}")]:
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
            f"{name}.key", "-out", f"{name}.csr")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
            "-days", "2", "-out", f"{name}.pem")


def connect_tls(folder, port, name):
    context = ssl.create_default_context(cafile=f"{folder}/authority.pem")
    context.check_hostname = False
    context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


def flags_of(stack, identity, kind, count):
    """The flags of the device's signals of that kind, oldest first, once there are `count`."""
    query = f"select array_to_string(flags, ' ') from onekey.signal where identity = '{identity}' and kind = '{kind}' order by number"
    wait_for(lambda: len(stack.sql(query)) >= count, 30, 0.1)
    return [row[0].split() for row in stack.sql(query)]


def is_heard(stack, identity, deadline_s=30):
    query = f"select last_seen is not null from onekey.device where identity = '{identity}'"
    return eventually(stack, query, [["t"]], deadline_s) == [["t"]]


def state_of(stack, identity, kind):
    rows = stack.sql(f"select state from onekey.ticket where identity = '{identity}' and kind = '{kind}' order by id")
    return [row[0] for row in rows]


def test_certificates(tap, stack, folder, port):
    at = now() - datetime.timedelta(seconds=30)
    answer = watch_frame(CERTIFIED, "AL")

    def ask(client):
        client.sendall(watch_press(CERTIFIED, at) + watch_frame(CERTIFIED, "LK,1,0,50"))
        return receive(client, len(answer)).startswith(answer)
    with stack.connect("watch") as plain:
        answered = ask(plain)
        first = flags_of(stack, CERTIFIED, "panic", 1)
    with connect_tls(folder, port, BAND) as other:
        answered = ask(other) and answered
    publish(stack, f"onekey/v1/call_box/{BOX}/up/heartbeat", {})  # what came before is through, when this is
    tap.check(answered and "unauthenticated" in first[0], "a watch with a secret and no certificate is answered, its alarm flagged",
              first)
    tap.check(is_heard(stack, BOX) and not is_heard(stack, CERTIFIED, 0.1), "and neither it nor another's certificate is a sign of life")
    with connect_tls(folder, port, CERTIFIED) as own:
        ask(own)
        heard, flags = is_heard(stack, CERTIFIED), flags_of(stack, CERTIFIED, "panic", 2)
    tap.check(heard and len(flags) == 2 and "unauthenticated" not in flags[-1],
              "the certificate that names it proves it, though the same press was forged before", flags)
    rows = stack.sql(f"select state, signal_count from onekey.ticket where identity = '{CERTIFIED}'")
    tap.check(rows == [["open", "2"]], "on one ticket", rows)


def test_panel(tap, stack):
    """Mains lost by an encrypted panel; everybody else who says that it is back."""
    at = now()
    restore = dc09_secret(KEY, PANEL, 22, "3301 01 000", at - datetime.timedelta(minutes=5))
    for frame in [dc09_secret(KEY, PANEL, 21, "1301 01 000", at), dc09_clear(PANEL, 23, "3301 01 000"), restore]:
        with stack.connect("sia_dc09") as client:
            client.sendall(frame)
            receive(client)
    flags = flags_of(stack, PANEL, "mains_restored", 2)
    tap.check([("unauthenticated" in flag) for flag in flags] == [True, True] and state_of(stack, PANEL, "mains_lost") == ["open"],
              "who has no key, or an old copy of a message, cannot say that the mains are back", flags)
    with stack.connect("sia_dc09") as client:
        client.sendall(dc09_secret(KEY, PANEL, 24, "3301 01 000", now()))
        receive(client)
    closed = wait_for(lambda: state_of(stack, PANEL, "mains_lost") == ["closed"])
    tap.check(closed, "the panel itself can", state_of(stack, PANEL, "mains_lost"))


def test_conditions(tap, stack):
    """What protocols say of the state of a device, and how it ends."""
    def alarm(status, battery=77):
        at = now()
        return (f"AL,{at:%d%m%y},{at:%H%M%S},A,31.230416,N,121.473701,E,0.0,0,0,7,60,{battery},4321,0,{status:08x}")
    with stack.connect("watch") as client:
        for status in [1 << 18, 1 << 20, 1 << 17]:  # left its fence, taken off, battery low
            client.sendall(watch_frame(BAND, alarm(status, 12 if status == 1 << 17 else 77)))
            receive(client, len(watch_frame(BAND, "AL")))
        for battery in [12, 11, 29, 10]:  # nothing new
            client.sendall(watch_frame(BAND, f"LK,4321,0,{battery}"))
            receive(client)
        rows = eventually(stack, f"select kind, state, priority, signal_count from onekey.ticket where identity = '{BAND}' "
                          "order by kind collate \"C\"", [["low_battery", "open", "4", "1"], ["tamper", "open", "4", "1"],
                                                        ["wander", "open", "2", "1"]])
        tap.check(rows == [["low_battery", "open", "4", "1"], ["tamper", "open", "4", "1"], ["wander", "open", "2", "1"]],
                  "a watch that is low, off and outside is one ticket each, of its priority", rows)
        client.sendall(watch_frame(BAND, alarm(1 << 19)) + watch_frame(BAND, "LK,4321,0,95"))
        closed = wait_for(lambda: state_of(stack, BAND, "low_battery") == ["closed"])
        seen = eventually(stack, "select count(*) from onekey.ticket_event e join onekey.ticket t on t.id = e.ticket_id "
                          f"where t.identity = '{BAND}' and t.kind = 'wander' and e.kind = 'restored'", [["1"]])
    tap.check(closed and seen == [["1"]] and state_of(stack, BAND, "wander") == ["open"],
              "charging it closes the first; who is back inside is still to be asked", seen)
    for battery in [60, 14, 13, 12, 45]:  # a device that has no word for it
        publish(stack, f"onekey/v1/call_box/{BOX}/up/heartbeat", {"battery": battery})
    rows = eventually(stack, "select state, outcome, signal_count from onekey.ticket where kind = 'low_battery' "
                      f"and identity = '{BOX}'", [["closed", "restored", "1"]])
    tap.check(rows == [["closed", "restored", "1"]], "a percentage alone makes one ticket an episode, which closes by itself", rows)
    for kind in ["mains_lost", "tamper", "mains_restored", "tamper_restored"]:
        publish(stack, f"onekey/v1/call_box/{BOX}/up/alarm", {"type": kind, "id": kind})
    rows = eventually(stack, f"select kind, outcome from onekey.ticket where identity = '{BOX}' and kind in ('mains_lost', 'tamper') "
                      "order by kind collate \"C\"", [["mains_lost", "restored"], ["tamper", "restored"]])
    tap.check(rows == [["mains_lost", "restored"], ["tamper", "restored"]], "mains and cover that are well again close theirs", rows)


def jt808_ask(client, *frames):
    for frame in frames:
        client.sendall(frame)
        if not receive(client):
            return False
    return True


def test_pendant(tap, stack):
    at, mains = now(), 1 << 8
    report = [jt808_frame(0x0200, PENDANT, i, jt808_location(alarm, at, b"\xe4\x02\x01\x37"))
              for i, alarm in enumerate([mains, 0])]
    login = jt808_frame(0x0102, PENDANT, 9, CODE.encode())
    wrong = jt808_frame(0x0102, PENDANT, 9, b"another code")
    with stack.connect("jt808") as forger:
        jt808_ask(forger, wrong, *report)
    flags = flags_of(stack, PENDANT, "mains_restored", 1)
    tap.check(flags and "unauthenticated" in flags[0] and state_of(stack, PENDANT, "mains_lost") == ["open"]
              and not is_heard(stack, PENDANT, 0.1),
              "a pendant without its code raises a ticket, and neither closes it nor is heard", flags)
    with stack.connect("jt808") as pendant:
        jt808_ask(pendant, login, *report)
        closed = wait_for(lambda: state_of(stack, PENDANT, "mains_lost") == ["closed"])
    tap.check(closed and is_heard(stack, PENDANT), "with it, it does both", state_of(stack, PENDANT, "mains_lost"))
    rows = eventually(stack, "select battery_percent, round(latitude::numeric, 4) from onekey.device "
                      f"where identity = '{PENDANT}'", [["55", "31.2304"]])
    tap.check(rows == [["55", "31.2304"]], "and its battery and place are known", rows)


def result_of(client, frame):
    """The last byte of the platform's answer before its checksum."""
    client.sendall(frame)
    answer = receive(client)
    return answer[-3] if answer else None


def test_packages(tap, stack):
    """A batch in two packages, cut before the emergency bit of its third report."""
    reports = [jt808_location(int(i == 2), now() - datetime.timedelta(seconds=60 - i)) for i in range(4)]
    batch = b"\0\4\1" + b"".join(len(report).to_bytes(2, "big") + report for report in reports)
    cut = 3 + 2 * 30 + 2 + 3
    first, second = (jt808_frame(0x0704, PENDANT, 20 + i, part, (2, 1 + i)) for i, part in enumerate([batch[:cut], batch[cut:]]))
    with stack.connect("jt808") as pendant:
        late = result_of(pendant, second)
        raised = wait_for(lambda: state_of(stack, PENDANT, "panic") == ["open"])
        answers = late, result_of(pendant, first), result_of(pendant, second)
    tap.check(raised and answers == (1, 0, 0), "an emergency in the second package rings, also before the first has come", answers)


def test_topics(tap):
    """docs/mosquitto.acl in a broker of its own: who may say what."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for user in ["onekeyd", "alice", "bob"]:
            subprocess.run(["mosquitto_passwd", *([] if user != "onekeyd" else ["-c"]), "-b", f"{folder}/passwords", user, user],
                           check=True, capture_output=True)
        os.chmod(f"{folder}/passwords", 0o644)
        with open(f"{folder}/conf", "w", encoding="utf-8") as file:
            file.write(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/passwords\n"
                       f"acl_file {ROOT}/docs/mosquitto.acl\n")
        broker = subprocess.Popen(["mosquitto", "-c", f"{folder}/conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            found = say_by_topics(port)
        finally:
            broker.terminate()
            broker.wait(30)
    tap.check(found == ["onekey/v1/wristband/bob/up/alarm bob", "onekey/v1/wristband/alice/up/heartbeat end"],
              "by the access control that is shipped, a device speaks below its own identity only", found)


def say_by_topics(port):
    """What the gateway hears of four messages; the last is always let through."""
    login = ["-h", "127.0.0.1", "-p", str(port)]

    def say(user, topic, text):
        return subprocess.run(["mosquitto_pub", *login, "-u", user, "-P", user, "-q", "1", "-t", topic, "-m", text],
                              capture_output=True, timeout=30).returncode == 0
    wait_for(lambda: say("alice", "onekey/v1/wristband/alice/up/none", "ready"))
    with subprocess.Popen(["timeout", "60", "stdbuf", "-oL", "mosquitto_sub", *login, "-u", "onekeyd", "-P", "onekeyd", "-q", "1", "-t", "onekey/v1/+/+/up/#",
                           "-v", "-d"], stdout=subprocess.PIPE, text=True) as gateway:
        lines = []
        for line in gateway.stdout:
            if "SUBACK" in line:
                say("alice", "onekey/v1/wristband/bob/up/alarm", "alice")
                say("alice", "application/x/device/y/event/up", "alice")
                say("bob", "onekey/v1/wristband/bob/up/alarm", "bob")
                say("alice", "onekey/v1/wristband/alice/up/heartbeat", "end")
            elif line.startswith("onekey/"):
                lines.append(line.strip())
                if line.strip().endswith(" end"):
                    break
        gateway.terminate()
    return lines


def meter_answer(status):
    """A cold meter's answer to a reading: 12.34 m3; CJ/T 188."""
    body = bytes.fromhex("6810") + bytes.fromhex(METER)[::-1] + bytes.fromhex("8116901f00341200002c000000002c00000000000000")
    body += status.to_bytes(2, "little")
    return body + bytes([sum(body) & 0xFF, 0x16])


def test_options(tap, stack, port):
    query = f"select count(*) from onekey.meter_reading where identity = '{METER}'"
    with stack.connect("cjt188") as client:  # by the standard bit 5 says nothing
        client.sendall(meter_answer(0x20))
        eventually(stack, query, [["1"]])
    before = state_of(stack, METER, "low_battery")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(meter_answer(0x20))
        flags_of(stack, METER, "low_battery", 1)
    tap.check(before == [] and state_of(stack, METER, "low_battery") == ["open"],
              "a listener with a maker's masks reads its battery", before, state_of(stack, METER, "low_battery"))


def test_vendor(tap, stack):
    """A vendor's JSON, read by a section of the configuration: a list of hours, and a leak."""
    at = now() + datetime.timedelta(hours=8)
    report = {"at": f"{at:%Y-%m-%d %H:%M:%S}", "dial": "2.5", "day": [0.001, 0, 0.25], "warn": "none"}
    publish(stack, "acme/any/data", {"meter": {"no": int(VENDORS)}, "report": report})
    publish(stack, "acme/any/data", {"meter": {"no": int(VENDORS)}, "report": {"warn": "leak"}})
    rows = eventually(stack, f"select total_ml / 1000, interval_ml / 1000 from onekey.meter_reading where identity = '{VENDORS}' "
                      "order by at", [["2250", "1"], ["2250", "0"], ["2500", "250"]])
    tap.check(rows == [["2250", "1"], ["2250", "0"], ["2500", "250"]] and wait_for(lambda: state_of(stack, VENDORS, "leak") == ["open"]),
              "a vendor's messages are read by the names that the configuration gives", rows)


def add_secrets(folder):
    with open(f"{folder}/devices.csv", "r+", encoding="utf-8") as file:
        lines = [line + SECRETS.get(line.split(",")[1], "") for line in file.read().splitlines()]
        file.seek(0)
        file.write("\n".join(lines) + "\n")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as data:
        os.chmod(data, 0o755)
        make_district(data, DEVICES)
        add_secrets(data)
        make_certificates(data)
        ports = {"tls": free_port(), "meters": free_port()}
        with Stack(CONFIGURATION.format(folder=data, **ports), data) as stack:
            wait_for(lambda: stack.metric("onekey_devices") == len(DEVICES))
            test_watch(tap, stack)
            test_flood(tap, stack)
            test_certificates(tap, stack, data, ports["tls"])
            test_panel(tap, stack)
            test_pendant(tap, stack)
            test_packages(tap, stack)
            test_options(tap, stack, ports["meters"])
            test_vendor(tap, stack)
            test_conditions(tap, stack)
            test_database_away(tap, stack)
    test_topics(tap)
    tap.finish()


main()
