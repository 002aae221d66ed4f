"""Water meters: CJ/T 188 and JSON over MQTT."""
import json

from common import bcd, line, signal

METER = "78330000000042"
NOW = "20260528202640"  # when the tests read the frames, UTC
CHINA = "2026-05-29 04:20:05"
AT = "2026-05-28T20:20:05Z"


# --- CJ/T 188 ---

def frame(control, data, kind=0x10, fe=0, address=METER):
    """The address low byte first, the sum of all bytes behind the data."""
    body = bytes([0x68, kind]) + bcd(address)[::-1] + bytes([control, len(data)]) + data
    return b"\xfe" * fe + body + bytes([sum(body) & 0xFF, 0x16])


def volume(digits, unit):
    return bcd(digits)[::-1] + bytes([unit])


def clock(text=CHINA):
    """Second first, century last."""
    return bcd("".join(char for char in text if char.isdigit()))[::-1]


def answer(total="00012345", unit=0x2C, di=b"\x90\x1f", status=b"\x00\x00", when=CHINA):
    return di + b"\x07" + volume(total, unit) + volume("00010000", unit) + clock(when) + status


def reading(total_ml, *flags, **members):
    return signal("reading", *flags, identity=METER, total_ml=total_ml, **{"at": AT, **members})


def cjt188_answers():
    alive = signal("heartbeat", identity=METER)
    yield line("an answer, DI high byte first", frame(0x81, answer()), reading(123450000))
    yield line("an answer, DI low byte first", frame(0x81, answer(di=b"\x1f\x90")),
               reading(123450000))
    for count in range(1, 5):
        yield line(f"{count} bytes of preamble", frame(0x81, answer(), fe=count),
                   reading(123450000))
    yield line("more preamble than the standard has", frame(0x81, answer(), fe=9),
               reading(123450000))
    yield line("behind the name of a data unit", b"CTRL:&2200000000000001" + frame(0x81, answer()),
               reading(123450000))
    for kind, name in ((0x11, "hot"), (0x12, "drinking"), (0x13, "reclaimed"), (0x19, "other")):
        yield line(f"{name} water", frame(0x81, answer(), kind), reading(123450000))
    for kind, name in ((0x20, "heat"), (0x21, "cold"), (0x30, "gas"), (0x40, "electricity")):
        yield line(f"a meter of {name} is no water", frame(0x81, answer(), kind),
                   {**alive, "at": AT})
    yield line("litres", frame(0x81, answer(unit=0x29)), reading(123450))
    for unit, name in ((0x35, "m3/h"), (0x32, "L/h"), (0x05, "kWh")):
        yield line(f"{name} is no volume", frame(0x81, answer(unit=unit)), {**alive, "at": AT})
    yield line("the largest total", frame(0x81, answer("99999999")), reading(999999990000))
    yield line("a total that is no number", frame(0x81, answer("0001234A")), {**alive, "at": AT})
    yield line("a clock that is not set", frame(0x81, answer(when="2000-01-01 00:00:00")),
               reading(123450000, "clock_wrong", at=None))
    yield line("a clock that is no date", frame(0x81, answer(when="2026-13-40 25:61:61")),
               reading(123450000, "clock_wrong", at=None))


def cjt188_states():
    low = signal("low_battery", identity=METER, at=AT, code="battery",
                 message_id="battery 2026-05-28T00:00:00Z")
    yield line("the valve is closed", frame(0x81, answer(status=b"\x01\x00")),
               reading(123450000, "valve_closed"))
    yield line("the valve is faulty", frame(0x81, answer(status=b"\x03\x00")), reading(123450000))
    yield line("the battery is low", frame(0x81, answer(status=b"\x04\x00")), reading(123450000),
               low)
    yield line("a vendor's masks: nothing at bit 2", frame(0x81, answer(status=b"\x04\x00")),
               reading(123450000), options=["meter_status_vendor"])
    yield line("a vendor's masks: closed, battery low", frame(0x81, answer(status=b"\x60\x00")),
               reading(123450000, "valve_closed"), {**low, "flags": ["valve_closed"]},
               options=["meter_status_vendor"])
    alive = signal("heartbeat", identity=METER)
    yield line("a valve that was opened", frame(0x84, b"\xa0\x17\x07\x00\x00"), alive)
    yield line("a valve that was closed, DI low byte first",
               frame(0x84, b"\x17\xa0\x07\x01\x00"),
               signal("heartbeat", "valve_closed", identity=METER))
    yield line("a valve's answer with a low battery", frame(0x84, b"\xa0\x17\x07\x04\x00"), alive,
               {key: low[key] for key in ("kind", "identity", "code", "message_id")})
    for month in range(12):
        for di in (bytes([0xD1, 0x20 + month]), bytes([0x20 + month, 0xD1])):
            yield line(f"month {month + 1} back, DI {di.hex()}",
                       frame(0x81, di + b"\x07" + volume("00011111", 0x2C)), alive)
    yield line("its address", frame(0x83, b"\x81\x0a\x07"), alive)
    yield line("its new address", frame(0x95, b"\xa0\x18\x07"), alive)
    yield line("a vendor's valve", frame(0xAA, b"\xa0\x17\x07\x55"), alive)
    yield line("an error", frame(0xC1, b"\x07\x01\x00"), alive)
    upload = b"\x90\x1f\x07" + b"".join(
        bytes([unit]) + bcd(digits)[::-1] for unit, digits in (
            (0x2C, "00012345"), (0x2C, "00010000"), (0x35, "00000000"))) + clock() + b"\x00" * 4
    yield line("a vendor's upload, the unit first", frame(0xA1, upload), reading(123450000))
    yield line("an upload, DI low byte first", frame(0xA1, b"\x1f\x90" + upload[2:]),
               reading(123450000))


def cjt188_refused():
    yield line("a question on the line", frame(0x01, b"\x90\x1f\x07"))
    yield line("a question for the address", frame(0x03, b"\x81\x0a\x07", 0xAA, 2,
                                                   "AAAAAAAAAAAAAA"))
    whole = frame(0x81, answer())
    yield line("a wrong sum", whole[:-2] + bytes([whole[-2] ^ 1, 0x16]))
    yield line("two meters on one line", frame(0x81, answer()) +
               frame(0x81, answer("00000001"), address="78330000000043"), reading(123450000),
               {**reading(10000), "identity": "78330000000043"})
    yield line("a damaged length before a sound frame", frame(0x81, answer()).replace(
        b"\x81\x16", b"\x81\x96") + whole, reading(123450000))
    topic = "onekey/v1/meter/78330000000042/up/cjt188"
    yield line("two meters in one message of MQTT", whole +
               frame(0x81, answer("00000001"), address="78330000000043"), reading(123450000),
               {**reading(10000), "identity": "78330000000043"}, topic=topic)
    yield line("bytes over MQTT", whole, reading(123450000), topic=topic)
    yield line("hex digits over MQTT", whole.hex(" "), reading(123450000), topic=topic)


def cjt188():
    yield from cjt188_answers()
    yield from cjt188_states()
    yield from cjt188_refused()


# --- JSON ---

STAMP = "2026-01-02T03:04:05Z"
MS = 1767323045000


def said(what, topic, body, *expect):
    text = body if isinstance(body, str) else json.dumps(body)
    return line(what, text, *expect, topic=topic)


def total(identity, ml, **more):
    return signal("reading", identity=identity, total_ml=ml, **{"at": STAMP, **more})


def wmbusmeters():
    body = {"media": "water", "meter": "acme", "name": "K", "id": "77007700", "total_m3": 6.408,
            "status": "OK", "timestamp": STAMP}
    topic, seen = "wmbusmeters/77007700", total("77007700", 6408000)
    leak = {**seen, "kind": "leak"}
    yield said("wmbusmeters: a total", topic, body, seen)
    yield said("wmbusmeters: warm water", topic, {**body, "media": "warm water"}, seen)
    yield said("wmbusmeters: heat is no water", topic, {**body, "media": "heat"},
               signal("heartbeat", identity="77007700", at=STAMP))
    for status, alarms in (("LEAK", [leak]), ("BURST", [leak]), ("DRY", []),
                           ("POWER_LOW", [{**leak, "kind": "low_battery"}]),
                           ("LEAKAGE_OR_NO_USAGE POWER_LOW", [{**leak, "kind": "low_battery"}]),
                           ("LEAK BURST", [leak, leak])):
        yield said(f"wmbusmeters: {status}", topic, {**body, "status": status}, *alarms, seen)


def chirpstack():
    root = {"deduplicationId": "d-1", "time": "2026-01-02T03:04:05.678901234Z",
            "deviceInfo": {"devEui": "00000000000000aa", "deviceName": "sensor"}}
    at = "2026-01-02T03:04:05.678901Z"
    alive = signal("heartbeat", identity="00000000000000aa", at=at)
    topic = "application/1/device/00000000000000aa/event/"

    def up(what, values, *expect):
        return said(f"ChirpStack: {what}", topic + "up",
                    {**root, "fPort": 2, "data": "AQ==", "object": values}, *expect)

    yield up("a total in m3", {"total_m3": 1.5}, total("00000000000000aa", 1500000, at=at))
    yield up("a pulse counter of litres", {"water": 741},
             total("00000000000000aa", 741000, at=at))
    yield up("a button", {"battery": 90, "button_event": "short press"},
             {**alive, "kind": "panic", "battery": 90, "message_id": "d-1"})
    yield up("a radar that saw a fall", {"detection_status": "fall"}, {**alive, "kind": "fall"})
    yield up("water that runs on", {"water_alarm": "water flow timeout alarm"},
             {**alive, "kind": "leak"})
    yield up("water that is not used", {"water_alarm": "water outage timeout alarm"}, alive)
    yield up("a leak, true", {"leak": True},
             {**alive, "kind": "leak", "code": "leak", "message_id": "leak 2026-01-02"})
    yield up("no leak", {"leak": False}, alive)
    yield up("a broken pipe", {"brokenPipe": True, "continuousFlow": False},
             {**alive, "kind": "leak", "code": "brokenPipe"})
    yield up("nothing decoded", {}, alive)
    yield said("ChirpStack: a status", topic + "status", {**root, "margin": 7, "batteryLevel": 50},
               {**alive, "battery": 50})
    yield said("ChirpStack: a join", topic + "join", {**root, "devAddr": "00000000"}, alive)
    yield said("ChirpStack: a location", topic + "location",
               {**root, "location": {"latitude": 30.5, "longitude": 104.25}},
               {**alive, "kind": "position", "lat": 30.5, "lon": 104.25})


def things_stack():
    def up(what, ids, values, *expect):
        message = {"f_port": 1, "frm_payload": "AQ=="}
        if values is not None:
            message["decoded_payload"] = values
        return said(f"The Things Stack: {what}", "v3/app@tenant/devices/sensor-1/up",
                    {"end_device_ids": ids, "received_at": STAMP, "uplink_message": message},
                    *expect)

    both = {"device_id": "sensor-1", "dev_eui": "00000000000000AB"}
    yield up("a total", both, {"volume_m3": 12}, total("00000000000000AB", 12000000))
    yield up("without an EUI", {"device_id": "sensor-1"}, {"volume_m3": 12},
             total("sensor-1", 12000000))
    yield up("a time of the meter's own", both,
             {"timestamp_utc": "2026-01-02T03:00:00Z", "current_volume_m3": 2},
             total("00000000000000AB", 2000000, at="2026-01-02T03:00:00Z"))
    hours = [signal("reading", identity="00000000000000AB", interval_s=3600,
                    interval_ml=ml, total_ml=after, at=f"2026-01-02T0{hour}:04:05Z")
             for hour, ml, after in ((1, 0, 1986000), (2, 14000, 2000000), (3, 0, 2000000))]
    yield up("hours", both, {"deltas_m3": [0, 0.014, 0], "current_volume_m3": 2}, *hours)
    yield up("nothing, as empty fields are left out", both, None,
             signal("heartbeat", identity="00000000000000AB", at=STAMP))


def thingsboard():
    values = {"device_id": "M-7", "total_l": 7}
    for topic in ("v1/devices/me/telemetry", "v2/t"):
        yield said(f"ThingsBoard {topic}: values", topic, values, total("M-7", 7000, at=None))
        yield said(f"ThingsBoard {topic}: with a time", topic, {"ts": MS, "values": values},
                   total("M-7", 7000))
        yield said(f"ThingsBoard {topic}: a list", topic,
                   [{"ts": MS, "values": values},
                    {"ts": MS + 60000, "values": {**values, "total_l": 8}}],
                   total("M-7", 7000), total("M-7", 8000, at="2026-01-02T03:05:05Z"))
    yield said("ThingsBoard gateway", "v1/gateway/telemetry",
               {"M-7": [{"ts": MS, "values": {"total_l": 7}}],
                "M-8": [{"ts": MS, "values": {"battery": 40}}]},
               total("M-7", 7000), signal("heartbeat", identity="M-8", battery=40, at=STAMP))


def huawei():
    device = "$oc/devices/W7/sys/"
    for form in ("20260102T030405Z", "2026-01-02T03:04:05.000Z"):
        service = {"service_id": "water", "properties": {"total_m3": 1}, "event_time": form}
        yield said(f"IoTDA: properties, {form}", device + "properties/report",
                   {"services": [service]}, total("W7", 1000000))
    yield said("IoTDA: properties with a request", device + "properties/report?request_id=1",
               {"services": [service]}, total("W7", 1000000))
    yield said("IoTDA: of a gateway", device + "gateway/sub_devices/properties/report",
               {"devices": [{"device_id": "W8", "services": [service]}]}, total("W8", 1000000))
    yield said("IoTDA: an event", device + "events/up",
               {"object_device_id": "W9",
                "services": [{"service_id": "button", "event_type": "press",
                              "event_time": "20260102T030405Z", "event_id": "e-1",
                              "paras": {"alarm": "sos"}}]},
               signal("panic", identity="W9", at=STAMP, code="sos", message_id="e-1"))


def alink():
    path = "/sys/pk/W7/thing/event/"
    root = {"id": "1", "version": "1.0", "method": "thing.event.property.post"}
    seen = total("W7", 1000000)
    yield said("Alink: a value with its time", path + "property/post",
               {**root, "params": {"total_m3": {"value": 1, "time": MS}}}, seen)
    yield said("Alink: a plain value", path + "property/post",
               {**root, "params": {"total_m3": 1}}, {**seen, "at": None})
    yield said("Alink: without an answer wanted", path + "property/post",
               {**root, "sys": {"ack": 0}, "params": {"total_m3": 1}}, {**seen, "at": None})
    yield said("Alink: an alarm", path + "panic/post",
               {**root, "params": {"value": {}, "time": MS}},
               signal("panic", identity="W7", at=STAMP))
    yield said("Alink: an event that is none", path + "opened/post",
               {**root, "params": {"value": {}, "time": MS}},
               signal("heartbeat", identity="W7", at=STAMP))


def native():
    def up(what, channel, body, *expect, kind="wristband"):
        return said(f"native: {what}", f"onekey/v1/{kind}/W-1/up/{channel}", body, *expect)

    who = {"identity": "W-1"}
    for kind in ("panic", "fall", "cancel", "wander", "leak", "low_battery", "mains_lost",
                 "tamper", "test", "wander_restored", "battery_restored", "mains_restored",
                 "tamper_restored"):
        yield up(kind, "alarm", {"type": kind, "id": "1", "at": STAMP},
                 signal(kind, at=STAMP, **who))
    for word in ("sos", "emergency"):
        yield up(word, "alarm", {"type": word}, signal("panic", code=word, **who))
    for service in ("care_call", "rescue", "taxi", "registration", "consult", "life_care",
                    "other"):
        yield up(service, "alarm", {"type": f"service:{service}"},
                 signal("service", service=service, **who))
    yield up("a type that nobody knows", "alarm", {"type": "dizzy"},
             signal("panic", "unknown_code", code="dizzy", **who))
    yield up("what cannot be read", "alarm", "{", signal("unreadable", "unreadable", **who))
    yield up("measures", "heartbeat",
             {"battery": 80, "gsm": 40, "lat": 30.5, "lon": 104.25, "steps": 7, "heart_rate": 70,
              "systolic": 120, "diastolic": 80, "oxygen": 97, "body_temperature_c": 36.6},
             signal("vitals", "worn", battery=80, gsm=40, lat=30.5, lon=104.25, steps=7,
                    heart_rate=70, systolic=120, diastolic=80, oxygen=97, temperature_c100=3660,
                    **who))
    yield up("readings", "reading", [{"total_l": 1, "at": STAMP},
                                     {"interval_l": 2, "interval_s": 3600, "at": STAMP}],
             total("W-1", 1000),
             signal("reading", identity="W-1", interval_ml=2000, interval_s=3600, at=STAMP),
             kind="meter")
    yield up("nothing that can be read", "heartbeat", "[]")


def meter_json():
    for part in (native, wmbusmeters, chirpstack, things_stack, thingsboard, huawei, alink):
        yield from part()


FILES = {"cjt188": cjt188, "meter_json": meter_json}
