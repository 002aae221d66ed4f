#!/usr/bin/python3
"""Every file of ../shared/vectors on the wire, frame by frame, against the running daemon: TCP, UDP or
MQTT as the protocol has it. Prints a table a file: frames sent, decoded as the file expects, refused.

What a frame was taken as is what the daemon's own counters moved by; what it raised stands in
PostgreSQL. A press or a fall must be there exactly as often as the frames carry it; of the other
alarms those must be there that a frame names. DIFFERENCES says why where it is otherwise.
"""
import collections
import json
import os
import re
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import make_district, publish  # noqa: E402
from stack import SHARED, Stack, Tap, wait_for  # noqa: E402

FOLDER = os.path.join(SHARED, "vectors")
EMERGENCIES = {"panic", "fall"}
SENSOR = "00000000000000aa"  # of all LoRaWAN payloads
UNSUPPORTED = {"wristband_yx", "xexun2"}  # no codec: the connection is closed
DATAGRAMS = {"sia_dc09", "jt808", "cjt188", "h02", "eelink", "ev07_text"}

# What is expected otherwise than the file says, by the end of a vector's source, and why.
RINGS = "its alarm code is in no list of ours: it rings as a panic, flagged unknown_code"
DIFFERENCES = {
    "sia_dc09": {
        "test_sia_package_cases.py:158": "only its date is cut; the alarm in it is taken",
    },
    "jt808": {
        "Jt808ProtocolDecoderTest.java:415": "edited: its checksum is wrong, and no alarm is in it",
        "Jt808ProtocolDecoderTest.java:328": "edited: checksum and length are wrong, no alarm in it",
        "Jt808ProtocolDecoderTest.java:142": "0x5501, checksum and length are wrong, no alarm in it",
        "Jt808ProtocolDecoderTest.java:397": "recorded without its escapes: the checksum is wrong",
        "Jt808ProtocolDecoderTest.java:405": "recorded without its escapes: the checksum is wrong",
        "Jt808ProtocolDecoderTest.java:183": "recorded without its escapes: 7E stands in its middle",
        "Jt808FrameDecoderTest.java:21": "escapes only, no message",
        "Jt808FrameDecoderTest.java:13": "a text dialect that is not spoken here",
        "Jt808ProtocolDecoderTest.java:211": "a text dialect that is not spoken here",
    },
    "gt06": {
        "Gt06ProtocolDecoderTest.java:270": "taken off, in the modules of 0x70, which are not read",
        "Gt06ProtocolDecoderTest.java:266": "its end is missing",
        "Gt06ProtocolDecoderTest.java:538": "a log-in without serial and checksum: its length "
                                            "promises more, so only the next frame would end it",
        "Gt06ProtocolDecoderTest.java:648": RINGS,
        "Gt06ProtocolDecoderTest.java:652": RINGS,
    },
    "eelink": {"EelinkProtocolDecoderTest.java:96": RINGS},
}


class Expected:
    """What a frame must become: `must` kinds that are there, `emergencies` exactly, or refused."""

    def __init__(self, must=(), refused=False, total_ml=None):
        self.must = set(must)
        self.refused = refused
        self.total_ml = total_ml

    @property
    def emergencies(self):
        return self.must & EMERGENCIES


def watch(vector):
    derived = vector["derived"]
    bits = derived.get("status_bits_set") or []
    names = {16: "panic", 21: "fall", 22: "fall", 18: "wander", 20: "tamper", 17: "low_battery",
             19: "wander_restored"}
    kinds = {names[bit] for bit in bits if bit in names}
    if derived["type"].startswith("AL"):
        if 14 in bits:
            kinds.add("mains_lost")
        kinds = kinds or {"panic"}
    return Expected(kinds)


CONTACT_ID = {"100": "panic", "101": "panic", "110": "panic", "120": "panic", "121": "panic",
              "130": "panic", "151": "panic", "154": "leak", "301": "mains_lost",
              "302": "low_battery", "602": "heartbeat", "401": "life", "137": "tamper"}
SIA = {"PA": "panic", "QA": "panic", "MA": "panic", "FA": "panic", "HA": "panic", "BA": "panic",
       "GA": "panic", "UA": "panic", "WA": "leak", "YT": "low_battery", "AT": "mains_lost",
       "RP": "heartbeat", "CL": "life", "OP": "life", "XC": "panic"}  # XC: no code that we know


def sia_dc09(vector):
    derived = vector["derived"]
    if derived.get("id") in ("ACK", "NAK", "DUH"):
        return Expected(refused=True)
    is_galaxy = vector["frame"].startswith("0101")  # 0101 stands for a checksum there
    if "id" not in derived or not (derived.get("crc_ok") or is_galaxy):
        # What looks like a message and cannot be trusted is an alarm that cannot be read.
        return Expected(["unreadable"]) if derived.get("id") not in (None, "NULL") \
            and derived.get("dc09_header", True) else Expected(refused=True)
    if derived["encrypted"]:
        return Expected(["heartbeat" if derived["id"] == "NULL" else "unreadable"])
    cid, sia = derived.get("cid") or {}, derived.get("sia") or {}
    kind = CONTACT_ID.get(cid.get("event")) or SIA.get(sia.get("code"))
    if cid.get("qualifier") == "3" and kind in ("panic", "leak"):
        kind = "heartbeat"
    return Expected([kind] if kind else [])


def ev07b(vector):
    derived = vector["derived"]
    bits = {bit for alarm in derived.get("alarms") or [] for bit in alarm.get("bits") or []}
    return Expected({{12: "panic", 2: "fall", 0: "low_battery"}[bit] for bit in bits & {12, 2, 0}})


def jt808(vector):
    derived, expect = vector["derived"], vector["expect"]
    alarm = int(derived.get("alarm") or "0", 16)
    kinds = {"panic"} if alarm & 1 or any(
        item.get("alarm", 0) & 1 for item in expect.get("items") or []) else set()
    if alarm >> 8 & 1:
        kinds.add("mains_lost")
    if expect.get("key") == "alarm" and "LOW_BATTERY" in str(expect.get("value")):
        kinds.add("low_battery")
    if expect.get("key") == "alarm" and "REMOVING" in str(expect.get("value")):
        kinds.add("tamper")
    return Expected(kinds)


def gt06(vector):
    expect = vector["expect"]
    kinds = {"sos": "panic", "accident": "fall", "removing": "tamper", "tampering": "tamper"}
    value = str(expect.get("value")) if expect.get("key") == "alarm" else ""
    return Expected([kinds[value]] if value in kinds else [])


def h02(vector):
    data = frame_of(vector)
    words = re.findall(rb"(?<=,)[0-9A-Fa-f]{8}(?=[,#])", data)
    status = [int(word, 16) for word in words if word.upper().count(b"F") >= 3][-1:]
    if data[:1] == b"$":
        status = [int.from_bytes(data[25:29], "big")]
    clear = ~status[0] if status else 0
    kinds = {"panic"} if clear & (1 << 1 | 1 << 18) else set()
    return Expected(kinds | ({"mains_lost"} if clear >> 19 & 1 else set()))


def eelink(vector):
    expect = vector["expect"]
    return Expected(["tamper"] if expect.get("key") == "alarm" else [])


def ev07_text(vector):
    fields = vector["frame"].split(",")
    flags = int(fields[7], 16) if len(fields) > 7 else 0
    return Expected({kind for bit, kind in ((6, "panic"), (8, "fall")) if flags >> bit & 1})


def cjt188(vector):
    derived = vector["derived"]
    if not int(derived["ctrl"], 16) & 0x80 or not derived["cs_ok"]:
        return Expected(refused=True)
    current = derived.get("current")
    if not current:
        return Expected()
    return Expected(["reading"], total_ml=round(current["value"] * (
        1000 if current["unit"] == "L" else 1_000_000)))


def mqtt_json(vector):
    expect = vector["expect"]
    if expect.get("event") == "txack":
        return Expected(refused=True)
    if "total_m3" not in expect:
        return Expected()
    kinds = {"reading"}
    if "POWER_LOW" in (expect.get("status") or ""):
        kinds.add("low_battery")
    return Expected(kinds, total_ml=round(expect["total_m3"] * 1_000_000))


def wmbus_water(vector):
    telegram = vector["expect"]["json"]
    if "total_m3" not in telegram:
        return Expected()
    return Expected(["reading"], total_ml=round(telegram["total_m3"] * 1_000_000))


def lorawan_water(vector):
    expect = vector["expect"]
    kinds = {"panic"} if "button_event" in expect else set()
    for key, litres in (("water", 1), ("totalVolume_l", 1), ("volume_m3", 1000),
                        ("current_volume_m3", 1000)):
        if key in expect:
            return Expected(kinds | {"reading"}, total_ml=round(expect[key] * litres * 1000))
    return Expected(kinds)


FILES = {"watch": watch, "sia_dc09": sia_dc09, "ev07b": ev07b, "jt808": jt808, "gt06": gt06,
         "h02": h02, "eelink": eelink, "ev07_text": ev07_text, "cjt188": cjt188,
         "mqtt_json": mqtt_json, "wmbus_water": wmbus_water, "lorawan_water": lorawan_water}


def frame_of(vector):
    text = vector["frame"]
    return bytes.fromhex(text) if vector["encoding"] == "hex" else text.encode()


def line_of(vector):
    """A DC-09 message between LF and CR: many were written down without them."""
    return b"\n" + frame_of(vector).strip(b"\r\n") + b"\r"


def sentence_of(vector):
    """A sentence of EV-07 with its semicolon: they were written down without it."""
    return frame_of(vector) + b";"


def read_vectors(name):
    with open(f"{FOLDER}/{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def message_of(name, vector):
    """(topic, body) by which a network server or receiver publishes it."""
    if name == "wmbus_water":  # wmbusmeters reads the telegram and publishes what it read
        telegram = vector["expect"]["json"]
        return f"wmbusmeters/{telegram['id']}", json.dumps(telegram).encode()
    if name == "lorawan_water":  # the network server's decoder has read the payload
        return (f"application/1/device/{SENSOR}/event/up",
                json.dumps({"deviceInfo": {"devEui": SENSOR}, "object": vector["expect"]}).encode())
    return vector["topic"], frame_of(vector)


class Wire:
    """Sends one frame after another and says what the daemon's counters moved by."""

    def __init__(self, stack):
        self.stack = stack
        self.counters = self.read()

    def read(self):
        text = self.stack.http("/metrics")[1]
        return {key: float(value) for key, _, value in
                (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))}

    def settle(self, counter, target):
        """Counters since the last call, once `counter` has reached its target."""
        def is_there():
            self.latest = self.read()
            return self.latest[counter] >= target
        assert wait_for(is_there, 30, 0.002), f"{counter} stays below {target}"
        moved = {key: value - self.counters.get(key, 0) for key, value in self.latest.items()}
        self.counters = self.latest
        return moved

    def bytes_target(self, data):
        return self.counters["onekey_network_in_bytes_total"] + len(data)

    def tcp(self, protocol, data):
        with self.stack.connect(protocol) as client:
            client.sendall(data)
            moved = self.settle("onekey_network_in_bytes_total", self.bytes_target(data))
            return moved, self.answer(client, moved)

    def udp(self, protocol, data):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(data, ("127.0.0.1", self.stack.port(protocol)))
            moved = self.settle("onekey_network_in_bytes_total", self.bytes_target(data))
            return moved, self.answer(client, moved)

    def answer(self, client, moved):
        """The reply that the daemon says it owes, None if none comes."""
        if not moved.get("onekey_replies_total"):
            return b""
        client.settimeout(10)
        try:
            return client.recv(65536) or None
        except OSError:
            return None

    def mqtt(self, topic, body, is_subscribed=True):
        target = self.counters["onekey_mqtt_received_total"] + is_subscribed
        publish(self.stack, topic, body)
        return self.settle("onekey_mqtt_received_total", target), b""


def kinds_of(moved):
    """Counter of the kinds of signals that were taken."""
    kinds = collections.Counter()
    for key, value in moved.items():
        match = re.match(r'onekey_signals_total\{.*kind="(\w+)"', key)
        if match and value > 0:
            kinds[match[1]] += int(value)
    return kinds


def judge(expected, kinds, answer):
    """Why a frame was not taken as it should, "" if it was."""
    if expected.refused:
        return "" if not kinds else f"taken as {dict(kinds)}"
    if not kinds:
        return "refused"
    if answer is None:
        return "not answered"
    found = {kind for kind in kinds if kind in EMERGENCIES}
    if found != expected.emergencies or not expected.must <= set(kinds):
        return f"taken as {dict(kinds)}, expected {sorted(expected.must) or 'no emergency'}"
    return ""


def reason_of(vector, reasons):
    for source, reason in reasons.items():
        if vector["source"].endswith(source):
            return reason
    return None


class Table:
    def __init__(self):
        self.rows = []

    def add(self, name, transport, counts):
        self.rows.append((name, transport, counts))

    def show(self):
        print("# file           transport  sent  as expected  refused  explained  unexplained")
        for name, transport, counts in self.rows:
            print(f"# {name:14} {transport:9} {counts['sent']:5}  {counts['good']:11}  "
                  f"{counts['refused']:7}  {counts['explained']:9}  {counts['wrong']:11}",
                  flush=True)


def replay(tap, table, name, transport, send):
    counts, remarks = collections.Counter(), []
    emergencies = collections.Counter()
    for number, vector in enumerate(read_vectors(name), 1):
        expected = FILES[name](vector)
        moved, answer = send(vector, expected)
        kinds = kinds_of(moved)
        why = judge(expected, kinds, answer)
        reason = reason_of(vector, DIFFERENCES.get(name, {}))
        counts["sent"] += 1
        counts["refused"] += not kinds
        emergencies.update({kind: kinds[kind] for kind in EMERGENCIES})
        if why and reason:
            counts["explained"] += 1
            remarks.append(f"{name}:{number} {why}: {reason}")
        elif why or reason:
            counts["wrong"] += 1
            remarks.append(f"{name}:{number} {vector['source'][-50:]} "
                           f"{why or 'agrees, though it is listed as different'}")
        else:
            counts["good"] += 1
    table.add(name, transport, counts)
    tap.check(counts["wrong"] == 0, f"{name} over {transport}: each of {counts['sent']} frames as "
              "expected or different for a stated reason", *remarks)
    return emergencies


def test_tickets(tap, stack, name, emergencies):
    """Each emergency that was taken stands there with a ticket; that its device is unknown is no
    reason to have none."""
    protocol = "meter_json" if name in ("mqtt_json", "wmbus_water", "lorawan_water") else name
    for kind, count in sorted(emergencies.items()):
        query = (f"select count(*), count(ticket_id) from onekey.signal where kind = '{kind}' "
                 f"and protocol = '{protocol}'")
        wait_for(lambda: int(stack.sql(query)[0][0]) >= count, 15)
        signals, tickets = map(int, stack.sql(query)[0])
        tap.check(signals == tickets == count, f"{name}: {count} {kind} sent, each has a ticket",
                  (signals, tickets))


def test_totals(tap, stack, name):
    """Each total that a file states stands in the database, in millilitres."""
    totals = {FILES[name](vector).total_ml for vector in read_vectors(name)} - {None}
    query = "select distinct total_ml from onekey.meter_reading where total_ml is not null"
    wait_for(lambda: totals <= {int(row[0]) for row in stack.sql(query)}, 15)
    missing = totals - {int(row[0]) for row in stack.sql(query)}
    tap.check(totals and not missing, f"{name}: each of {len(totals)} totals in the database",
              missing)


def test_unsupported(tap, table, wire, name):
    counts = collections.Counter()
    for vector in read_vectors(name):
        moved, _ = wire.tcp("any", frame_of(vector))
        counts["sent"] += 1
        counts["refused"] += not kinds_of(moved)
        counts["good"] += not kinds_of(moved)
    table.add(name, "TCP", counts)
    tap.check(counts["sent"] == counts["refused"], f"{name}: no codec, nothing is taken")


def test_streams(tap, table, stack, wire):
    for name in FILES:
        if f"PORT_{name.upper()}" not in stack.values:
            continue
        data_of = {"sia_dc09": line_of, "ev07_text": sentence_of}.get(name, frame_of)
        found = replay(tap, table, name, "TCP",
                       lambda vector, _: wire.tcp(name, data_of(vector)))
        test_tickets(tap, stack, name, found)
        if name in DATAGRAMS:  # retransmissions, where the protocol names its messages
            replay(tap, table, name, "UDP", lambda vector, _: wire.udp(name, data_of(vector)))


def test_messages(tap, table, stack, wire):
    for name in ("mqtt_json", "wmbus_water", "lorawan_water"):
        found = replay(tap, table, name, "MQTT", lambda vector, expected: wire.mqtt(
            *message_of(name, vector), not expected.refused))
        test_tickets(tap, stack, name, found)
        test_totals(tap, stack, name)
    replay(tap, table, "cjt188", "MQTT", lambda vector, _: wire.mqtt(
        "onekey/v1/meter/1/up/cjt188", frame_of(vector)))
    test_totals(tap, stack, "cjt188")


def meters():
    """Those that state a total: readings of strangers are not stored."""
    found = {("meter_json", SENSOR)}
    for name in ("mqtt_json", "wmbus_water"):
        for vector in read_vectors(name):
            expect = vector["expect"].get("json", vector["expect"])
            if "total_m3" in expect:
                found.add(("meter_json", expect["id"]))
    found |= {("cjt188", vector["derived"]["address"]) for vector in read_vectors("cjt188")}
    return [(protocol, identity, "meter") for protocol, identity in sorted(found)]


def main():
    tap, table = Tap(), Table()
    if not os.path.isdir(FOLDER):
        tap.skip("frames of real devices", f"no {FOLDER}")
        tap.finish()
    with tempfile.TemporaryDirectory() as data, Stack(data=make_district(data, meters())) as stack:
        process, wire, began = stack.pid("onekeyd"), Wire(stack), time.monotonic()
        test_streams(tap, table, stack, wire)
        test_messages(tap, table, stack, wire)
        for name in sorted(UNSUPPORTED):
            test_unsupported(tap, table, wire, name)
        files = {os.path.splitext(file)[0] for file in os.listdir(FOLDER) if file != "README.md"}
        tap.check(files == set(FILES) | UNSUPPORTED, "every file was replayed", files)
        tap.check(stack.pid("onekeyd") == process and stack.http("/-/healthy")[0] == 200,
                  "the daemon is the same as at the start")
        print(f"# {time.monotonic() - began:.1f} s")
    table.show()
    tap.finish()


main()
