"""Protocols of bytes: EV-07B, JT/T 808, GT06 and Eelink."""
import struct

from common import bcd, crc16, line, signal

AT = "2026-01-02T03:04:05Z"
UNIX = 1767323045
PLACE = {"lat": 30.5, "lon": 104.25}
NOWHERE = "no_position"


# --- EV-07B ---

PENDANT = "350000000000017"


def ev07b_frame(content, command=0x01, flags=0x10, sequence=7):
    body = bytes([command]) + content
    return struct.pack("<BBHHH", 0xAB, flags, len(body), crc16(body, 0x1021, 0, False),
                       sequence) + body


def tlv(key, value=b""):
    return bytes([1 + len(value), key]) + value


WHO = tlv(0x01, PENDANT.encode())
STATUS = tlv(0x24, struct.pack("<II", UNIX, 80 << 24 | 31 << 19))
SPOT = tlv(0x20, struct.pack("<iiHHhHIB", 305000000, 1042500000, 0, 0, 400, 10, 0, 7))


def pendant(kind, *flags, **more):
    return signal(kind, *flags, identity=PENDANT, **more)


def ev07b_alarm(bits, with_time=True):
    return tlv(0x02, struct.pack("<II", bits, UNIX) if with_time else struct.pack("<I", bits))


def ev07b_alarms():
    known = {"at": AT, "battery": 80, "gsm": 100, **PLACE}
    for bit, kind in ((12, "panic"), (2, "fall"), (0, "low_battery"), (13, "service"),
                      (14, "service"), (8, "tamper"), (9, "tamper_restored"), (4, "wander"),
                      (5, "wander"), (6, "wander"), (7, "wander"), (1, "position"),
                      (10, "position"), (31, "position")):
        yield line(f"alarm bit {bit}", ev07b_frame(WHO + ev07b_alarm(1 << bit) + STATUS + SPOT),
                   pendant(kind, **known))
    for fence in range(1, 5):
        yield line(f"fence {fence} entered", ev07b_frame(
            WHO + ev07b_alarm(1 << 3 + fence | 1 << 26 + fence) + STATUS + SPOT),
                   pendant("wander_restored", **known))
    yield line("two alarms in one", ev07b_frame(WHO + ev07b_alarm(1 << 12 | 1 << 2) + STATUS),
               *(pendant(kind, NOWHERE, at=AT, battery=80, gsm=100) for kind in ("panic", "fall")))
    yield line("a bit that is unknown", ev07b_frame(WHO + ev07b_alarm(1 << 20)),
               pendant("panic", NOWHERE, "unknown_code", at=AT))
    yield line("an alarm without its time", ev07b_frame(WHO + ev07b_alarm(1 << 12, False) + STATUS),
               pendant("panic", NOWHERE, at=AT, battery=80, gsm=100))
    yield line("an alarm that is cut", ev07b_frame(WHO + tlv(0x02, b"\x00\x10")),
               pendant("unreadable", "unreadable", NOWHERE))


def ev07b_measures():
    for flags in (0x00, 0x10, 0x18):
        yield line(f"flags {flags:02x}", ev07b_frame(WHO + STATUS, flags=flags),
                   pendant("heartbeat", at=AT, battery=80, gsm=100))
    for bit, flag in ((4, "charging"), (7, "stored")):
        state = tlv(0x24, struct.pack("<II", UNIX, 80 << 24 | 1 << bit))
        yield line(f"status bit {bit}", ev07b_frame(WHO + state),
                   pendant("heartbeat", flag, at=AT, battery=80))
    yield line("moving", ev07b_frame(WHO + tlv(0x24, struct.pack("<II", UNIX, 80 << 24 | 1 << 9))),
               pendant("heartbeat", at=AT, battery=80))
    yield line("a position", ev07b_frame(WHO + STATUS + SPOT),
               pendant("position", at=AT, battery=80, gsm=100, **PLACE))
    yield line("battery and millivolts", ev07b_frame(WHO + tlv(0x14, b"\x50\x74\x0e")),
               pendant("heartbeat", battery=80))
    yield line("steps", ev07b_frame(WHO + tlv(0x30, struct.pack("<II", UNIX, 1200))),
               pendant("heartbeat", at=AT, steps=1200))
    yield line("heart rate", ev07b_frame(WHO + tlv(0x40, struct.pack("<IB", UNIX, 72))),
               pendant("vitals", "worn", at=AT, heart_rate=72))
    yield line("oxygen", ev07b_frame(WHO + tlv(0x41, struct.pack("<IB", UNIX, 98))),
               pendant("vitals", "worn", at=AT, oxygen=98))
    place = struct.pack("<ii", 305000000, 1042500000)
    for key, before in ((0x23, 6), (0x2A, 8)):
        yield line(f"a fixed position {key:02x}", ev07b_frame(
            WHO + STATUS + tlv(key, bytes(before) + place + b"room")),
                   pendant("position", at=AT, battery=80, gsm=100, **PLACE))
    for key in (0x28, 0x2C):
        beacon = tlv(key, b"\x80" + bytes(8) + place)
        yield line(f"two beacons {key:02x}", ev07b_frame(WHO + STATUS + beacon + beacon),
                   pendant("position", at=AT, battery=80, gsm=100, **PLACE))
    for key in (0x19, 0x21, 0x22, 0x25, 0x26, 0x27, 0x29, 0x2B):
        yield line(f"key {key:02x}, not read", ev07b_frame(WHO + STATUS + tlv(key, b"\x01" * 9)),
                   pendant("heartbeat", at=AT, battery=80, gsm=100))
    later = tlv(0x24, struct.pack("<II", UNIX + 60, 70 << 24))
    yield line("a batch", ev07b_frame(WHO + STATUS + SPOT + later),
               pendant("position", at=AT, battery=80, gsm=100, **PLACE),
               pendant("heartbeat", at="2026-01-02T03:05:05Z", battery=70))


def ev07b_commands():
    known = ev07b_frame(WHO + STATUS)
    came = pendant("heartbeat", at=AT, battery=80, gsm=100)
    for what, command, content in (
            ("settings", 0x02, b"\x01\xf0"), ("services: time", 0x03, b"\x01\x12"),
            ("services: address", 0x03, b"\x01\x11"), ("services: alive", 0x03, b"\x02\x10\x5a"),
            ("a text result", 0x04, tlv(0x1F, b"ok")), ("firmware", 0x04, tlv(0x30, b"x")),
            ("a response", 0x7F, b"\x01\x00")):
        yield line(what, known + ev07b_frame(content, command), came, pendant("heartbeat"))


def ev07b():
    yield from ev07b_alarms()
    yield from ev07b_measures()
    yield from ev07b_commands()


# --- JT/T 808 ---

PHONE = "13800000042"


def jt808_frame(message, body, year=2013, serial=7, phone=PHONE, parts=b""):
    newer = year == 2019
    attributes = len(body) | (1 << 14 if newer else 0) | (1 << 13 if parts else 0)
    data = struct.pack(">HH", message, attributes)
    data += b"\x01" + bcd(phone.zfill(20)) if newer else bcd(phone.zfill(12))
    data += struct.pack(">H", serial) + parts + body
    check = 0
    for byte in data:
        check ^= byte
    data += bytes([check])
    return b"\x7e" + data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def jt808_body(alarm=0, status=2, elements=b"", lat=30500000, lon=104250000):
    return struct.pack(">IIIIHHH", alarm, status, lat, lon, 400, 0, 0) + bcd("260102110405") + elements


def element(key, value):
    return bytes([key, len(value)]) + value


def phone(kind, *flags, **more):
    return signal(kind, *flags, identity=PHONE, **more)


def located(kind, *flags, **more):
    return phone(kind, *flags, **{"at": AT, **PLACE, **more})


def jt808_sessions():
    alive = phone("heartbeat")
    names = bytes(4) + b"MAKER"
    for year, rest in ((2011, bytes(8)), (2013, bytes(20)), (2019, bytes(36))):
        body = names + rest + bytes(30 if year == 2019 else 7) + b"\x00PLATE"
        yield line(f"register, {year}", jt808_frame(0x0100, body, year), alive)
    yield line("authenticate, 2013", jt808_frame(0x0102, b"code"), alive)
    yield line("authenticate, 2019", jt808_frame(
        0x0102, b"\x04code350000000000017" + bytes(20), 2019), alive)
    yield line("heartbeat", jt808_frame(0x0002, b""), alive)
    yield line("heartbeat with a battery", jt808_frame(0x0002, bytes([80, 20, 1])),
               {**alive, "battery": 80})
    for message, what in ((0x0003, "logout"), (0x0900, "transparent"), (0x0109, "time"),
                          (0x0001, "an answer"), (0x0F0F, "another")):
        yield line(what, jt808_frame(message, bytes(5)), alive)


def jt808_locations():
    for year in (2013, 2019):
        yield line(f"a position, {year}", jt808_frame(0x0200, jt808_body(), year),
                   located("position"))
        yield line(f"an emergency, {year}", jt808_frame(0x0200, jt808_body(1), year),
                   located("panic"))
    for bit, kind in ((7, "low_battery"), (8, "mains_lost"), (29, "fall"), (30, "fall"),
                      (20, "wander"), (1, "position"), (2, "position"), (18, "position")):
        yield line(f"alarm bit {bit}", jt808_frame(0x0200, jt808_body(1 << bit)), located(kind))
    yield line("bits and an emergency", jt808_frame(0x0200, jt808_body(0x00060007)),
               located("panic"))
    yield line("an emergency that stays", jt808_frame(0x0200, jt808_body(1)) +
               jt808_frame(0x0200, jt808_body(1), serial=8), located("panic"),
               located("position"))
    yield line("not located", jt808_frame(0x0200, jt808_body(1, 0)), located("panic", NOWHERE))
    yield line("nowhere", jt808_frame(0x0200, jt808_body(1, 0, lat=0, lon=0)),
               phone("panic", NOWHERE, at=AT))
    yield line("south and west", jt808_frame(0x0200, jt808_body(status=14)),
               located("position", lat=-30.5, lon=-104.25))
    for key, value in ((0x04, b"\x50"), (0x56, b"\x08\x00")):
        yield line(f"battery in {key:02x}", jt808_frame(
            0x0200, jt808_body(elements=element(0x01, bytes(4)) + element(key, value))),
                   located("position", battery=80))
    yield line("signal, satellites, mileage", jt808_frame(0x0200, jt808_body(
        elements=element(0x30, b"\x1f") + element(0x31, b"\x07") + element(0x01, bytes(4)))),
               located("position", gsm=100))
    yield line("steps", jt808_frame(0x0200, jt808_body(elements=element(0xF8, b"\x04\xb0"))),
               located("position", steps=1200))
    for key, value in ((0xE7, b"\x00\x02" + bytes(6)), (0xE8, b"\x0c\x01\x00")):
        yield line(f"a press in {key:02x}", jt808_frame(
            0x0200, jt808_body(elements=element(key, value))), located("panic"))
    yield line("an element that is cut", jt808_frame(0x0200, jt808_body(1) + b"\x01\x04\x00"),
               located("panic"))
    yield line("bytes that are escaped", jt808_frame(
        0x0200, jt808_body(1, elements=element(0x60, b"\x7e\x7d\x7e"))), located("panic"))


def jt808_batches():
    for kind, flags in ((0, ()), (1, ("stored",))):
        items = b"".join(struct.pack(">H", len(item)) + item
                         for item in (jt808_body(), jt808_body(1)))
        yield line(f"a batch of type {kind}", jt808_frame(
            0x0704, struct.pack(">HB", 2, kind) + items), located("position", *flags),
                   located("panic", *flags))
    yield line("in two packages", jt808_frame(0x0900, bytes(8), parts=b"\x00\x02\x00\x01") +
               jt808_frame(0x0900, bytes(8), serial=8, parts=b"\x00\x02\x00\x02"),
               phone("heartbeat"), phone("heartbeat"))
    whole = jt808_frame(0x0200, jt808_body(1))
    yield line("a wrong checksum", whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:],
               located("panic", "checksum_wrong"))
    yield line("one delimiter between two", whole + jt808_frame(0x0002, b"")[1:],
               located("panic"), phone("heartbeat"))


def jt808():
    yield from jt808_sessions()
    yield from jt808_locations()
    yield from jt808_batches()


# --- GT06 ---

CAR = "350000000000025"


def gt06_frame(kind, content, serial=7, is_long=False, wrong=False):
    size = struct.pack(">H" if is_long else "B", len(content) + 5)
    body = size + bytes([kind]) + content + struct.pack(">H", serial)
    check = crc16(body, 0x8408, 0xFFFF, True, 0xFFFF) ^ wrong
    return (b"yy" if is_long else b"xx") + body + struct.pack(">H", check) + b"\r\n"


GT06_LOGIN = gt06_frame(0x01, bcd("0" + CAR), 1)
CAME = signal("heartbeat", identity=CAR)


def gt06_gps(course=0x1400, hour=3):
    return (bytes([26, 1, 2, hour, 4, 5, 0xC7]) +
            struct.pack(">IIBH", 54900000, 187650000, 0, course))


CELL = bytes([0x01, 0xCC, 0x00, 0x24, 0x7A, 0x00, 0x0E, 0x6C])


def gt06_alarm(code, information=0x00):
    return gt06_gps() + b"\x09" + CELL + bytes([information, 6, 4, code, 2])


def gt06_session(what, frame, *expect, login=GT06_LOGIN):
    return line(what, login + frame, CAME, *expect)


def car(kind, *flags, **more):
    return signal(kind, *flags, identity=CAR, **more)


def gt06_alarms():
    known = {"at": AT, "battery": 100, "gsm": 100, **PLACE}
    for code, kind in ((0x01, "panic"), (0x23, "fall"), (0x0E, "low_battery"),
                       (0x0F, "low_battery"), (0x19, "low_battery"), (0x02, "mains_lost"),
                       (0x13, "tamper"), (0x25, "tamper"), (0x05, "wander"),
                       (0x04, "wander_restored"), (0x03, "position"), (0x00, "position")):
        for frame in (0x16, 0x26):
            yield gt06_session(f"{frame:02x}, code {code:02x}", gt06_frame(frame, gt06_alarm(code)),
                               car(kind, **known))
    yield gt06_session("a code that is unknown", gt06_frame(0x16, gt06_alarm(0x77)),
                       car("panic", "unknown_code", **known))
    for shown, kind in ((4, "panic"), (2, "mains_lost"), (3, "low_battery"), (7, "tamper"),
                        (1, "position")):
        yield gt06_session(f"information bits {shown:03b}",
                           gt06_frame(0x16, gt06_alarm(0, shown << 3)), car(kind, **known))
    no_length = gt06_gps() + CELL + bytes([0x20, 6, 4, 0, 2])
    yield gt06_session("a press, the cell without its length", gt06_frame(0x16, no_length),
                       car("panic", **known))
    yield gt06_session("of a camera", gt06_frame(0x95, gt06_gps()[:6] + b"\x01\x00"),
                       car("panic", at=AT))
    yield gt06_session("a wrong checksum", gt06_frame(0x16, gt06_alarm(1), wrong=True),
                       car("panic", "checksum_wrong", **known))
    yield line("nobody's press", gt06_frame(0x16, gt06_alarm(1)),
               {**car("panic", **known), "identity": ""})


def gt06_states():
    yield line("a log-in", GT06_LOGIN, CAME)
    login = gt06_frame(0x01, bcd("0" + CAR) + struct.pack(">HH", 1, 800 << 4), 1)
    yield gt06_session("a log-in with model and zone", gt06_frame(0x12, gt06_gps(hour=11) + CELL),
                       car("position", at=AT, **PLACE), login=login)
    yield gt06_session("status", gt06_frame(0x13, bytes([0x00, 3, 2, 0, 2])),
                       {**CAME, "battery": 50, "gsm": 50})
    yield gt06_session("status, charging", gt06_frame(0x13, bytes([0x04, 6, 4, 0, 2])),
                       car("heartbeat", "charging", battery=100, gsm=100))
    yield gt06_session("status with a press", gt06_frame(0x13, bytes([0x20, 6, 4, 0, 2])),
                       car("panic", battery=100, gsm=100))
    yield gt06_session("heartbeat of the newer", gt06_frame(0x23, bytes([0x00, 1, 0x90, 4])),
                       {**CAME, "gsm": 100})
    for kind in (0x12, 0x22):
        yield gt06_session(f"{kind:02x}, a position", gt06_frame(kind, gt06_gps() + CELL),
                           car("position", at=AT, **PLACE))
    yield gt06_session("no fix", gt06_frame(0x12, gt06_gps(0x0400) + CELL),
                       car("position", NOWHERE, at=AT, **PLACE))
    yield gt06_session("south and west", gt06_frame(0x12, gt06_gps(0x1800) + CELL),
                       car("position", at=AT, lat=-30.5, lon=-104.25))
    for kind in (0x8A, 0x80, 0x15, 0x21, 0x70):
        yield gt06_session(f"{kind:02x}", gt06_frame(kind, bytes(6)), CAME)
    yield gt06_session("two bytes of length", gt06_frame(0x21, b"\x00" * 300, is_long=True), CAME)
    networks = bytes([26, 1, 2, 3, 4, 5, 1]) + bytes(20)
    yield gt06_session("a length that counts networks, no checksum",
                       b"xx\x02\x69" + networks + b"\r\n" + GT06_LOGIN,
                       car("heartbeat", "checksum_wrong"), CAME)


def gt06():
    yield from gt06_states()
    yield from gt06_alarms()


# --- Eelink ---

TAG = "350000000000033"


def eelink_frame(kind, content, serial=7):
    return b"gg" + struct.pack(">BHH", kind, len(content) + 2, serial) + content


EELINK_LOGIN = eelink_frame(0x01, bcd("0" + TAG) + b"\x01\x20", 1)
TAG_CAME = signal("heartbeat", identity=TAG)


def eelink_new(rest, has_place=True, status=1):
    place = struct.pack(">iiHHHB", 54900000, 187650000, 400, 0, 0, 7) if has_place else b""
    return struct.pack(">IB", UNIX, has_place) + place + rest + struct.pack(">H", status)


def eelink_old(rest=b"", fix=1):
    return (struct.pack(">Iii", UNIX, 54900000, 187650000) + bytes(3) + bytes(9) + bytes([fix]) +
            rest)


def eelink_session(what, frame, *expect):
    return line(what, EELINK_LOGIN + frame, TAG_CAME, *expect)


def tag(kind, *flags, **more):
    return signal(kind, *flags, identity=TAG, **{"at": AT, **PLACE, **more})


def eelink():
    yield line("a log-in", EELINK_LOGIN, TAG_CAME)
    yield line("the head of a datagram", b"EL" + bytes(4) + bcd("0" + TAG) +
               eelink_frame(0x14, eelink_new(b"\x02")), TAG_CAME, tag("panic"))
    for code, kind in ((0x02, "panic"), (0x86, "fall"), (0x85, "fall"), (0x03, "low_battery"),
                       (0x01, "mains_lost"), (0x25, "tamper"), (0x84, "wander"),
                       (0x83, "wander_restored"), (0x04, "position"), (0x81, "position")):
        yield eelink_session(f"alarm {code:02x}", eelink_frame(0x14, eelink_new(bytes([code]))),
                             tag(kind))
        yield eelink_session(f"alarm {code:02x}, older", eelink_frame(
            0x04, eelink_old(bytes([code]))), tag(kind))
    yield eelink_session("a code that is unknown", eelink_frame(0x14, eelink_new(b"\x77")),
                         tag("panic", "unknown_code"))
    yield eelink_session("a press without a place", eelink_frame(
        0x14, eelink_new(b"\x02", has_place=False)), signal("panic", NOWHERE, identity=TAG, at=AT))
    yield eelink_session("a press that is cut", eelink_frame(0x14, eelink_new(b"")[:-2]),
                         tag("unreadable", "unreadable", NOWHERE))
    yield eelink_session("charging", eelink_frame(0x12, eelink_new(b"", status=0x181)),
                         tag("position", "charging"))
    steps = eelink_new(b"") + bytes(14) + struct.pack(">H", 1200)
    yield eelink_session("steps", eelink_frame(0x12, steps), tag("position", steps=1200))
    yield eelink_session("a position", eelink_frame(0x12, eelink_new(b"")), tag("position"))
    yield eelink_session("a report", eelink_frame(0x15, eelink_new(b"\x01")), tag("position"))
    for kind in (0x02, 0x05):
        yield eelink_session(f"{kind:02x}, older", eelink_frame(kind, eelink_old(b"\x00")),
                             tag("position"))
    yield eelink_session("older, no fix", eelink_frame(0x02, eelink_old(fix=0)),
                         tag("position", NOWHERE))
    for kind in (0x03, 0x80, 0x81, 0x07):
        yield eelink_session(f"{kind:02x}", eelink_frame(kind, bytes(4)), TAG_CAME)


FILES = {"ev07b": ev07b, "jt808": jt808, "gt06": gt06, "eelink": eelink}
