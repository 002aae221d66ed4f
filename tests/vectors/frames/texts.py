"""Protocols of text: watches, SIA DC-09, H02 and the older EV-07."""
from common import crc16, line, signal

AT = "2026-01-02T03:04:05Z"
PLACE = {"lat": 30.5, "lon": 104.25}


# --- watch ---

BAND = "7300000001"


def brackets(content, maker="3G", identity=BAND, index="", length=None):
    size = f"{len(content.encode()):04X}" if length is None else length
    return f"[{maker}*{identity}*{index}{size}*{content}]"


def block(kind="UD", status="00000000", fix="A", north="N", longitude="104.25", east="E", rest=""):
    return (f"{kind},020126,030405,{fix},30.5,{north},{longitude},{east},1.2,90,400,7,60,80,1200,0,"
            f"{status}{rest}")


def where(kind, *flags, **more):
    return signal(kind, *flags, identity=BAND, at=AT, battery=80, gsm=60, steps=1200,
                  **{**PLACE, **more})


def watch_frames():
    alive = signal("heartbeat", identity=BAND)
    for maker in ("3G", "SG", "CS", "ZJ"):
        yield line(f"{maker} keeps alive", brackets("LK", maker), alive)
    yield line("an IMEI of 15 digits", brackets("LK", identity="350000000000058"),
               {**alive, "identity": "350000000000058"})
    yield line("an index", brackets("LK", "ZJ", index="0A1F*"), alive)
    yield line("steps, rolls, battery", brackets("LK,1200,0,80"),
               {**alive, "steps": 1200, "battery": 80})
    yield line("rolls and battery", brackets("LK,0,80", "SG"), {**alive, "battery": 80})
    for length in ("00AB", "0001", "00ab", "0000", "FFFF"):
        yield line(f"a length of {length}", brackets(block(), length=length),
                   where("position", "length_wrong"))
    yield line("a length in small letters", brackets(block(), length=f"{len(block()):04x}"),
               where("position"))
    for name in ("LG[wall", "wall]LG", "[a]b[c]"):
        text = block(rest=f",1,255,460,0,9338,3692,40,1,{name},00:00:00:00:00:01,-60,20")
        flags = ("length_wrong",) if name == "wall]LG" else ()
        yield line(f"a network called {name}", brackets(text) + brackets("LK"),
                   where("position", *flags), alive)


def watch_types():
    alive = signal("heartbeat", identity=BAND)
    for kind in ("UD", "UD3", "UD_LTE", "UD_WCDMA", "WT"):
        yield line(f"{kind}", brackets(block(kind)), where("position"))
    yield line("UD2, from its memory", brackets(block("UD2")), where("position", "stored"))
    for kind in ("AL", "AL_LTE", "ALCUSTOMER1"):
        yield line(f"{kind} with a press", brackets(block(kind, "00010000")),
                   where("panic", code=f"{kind} 00010000"[:31]))
        for status in ("0000", "00000000", "00000010"):
            yield line(f"{kind} {status}, no bit that is known", brackets(block(kind, status)),
                       where("panic", "unknown_code"))
    for kind in ("INIT,1,2", "TKQ", "TKQ2", "TK,\x23!AMR", "JXTK,1,2", "img,1,2", "CONFIG,TY:g1",
                 "RAD,1", "RYIMEI,350000000000058"):
        yield line(kind.partition(",")[0], brackets(kind), alive)
    for content, vitals in (
            ("heart,72", {"heart_rate": 72}), ("PULSE,72", {"heart_rate": 72}),
            ("bphrt,120,80,72,,,,", {"systolic": 120, "diastolic": 80, "heart_rate": 72}),
            ("BLOOD,120,80", {"systolic": 120, "diastolic": 80}),
            ("oxygen,0,98", {"oxygen": 98})):
        for text in (content, content.upper(), content.lower()):
            yield line(f"vitals {text}", brackets(text),
                       signal("vitals", "worn", identity=BAND, **vitals))
    for content in ("TEMP,36.5", "btemp2,1,36.5"):
        yield line(f"vitals {content}", brackets(content),
                   signal("vitals", identity=BAND, temperature_c100=3650))
    for content in ("heart,0", "bphrt,0,0,0,,,,", "oxygen,0,0", "TEMP,0"):
        yield line(f"no reading: {content}", brackets(content), alive)


def watch_blocks():
    for status, kinds in (("00010000", ["panic"]), ("00200000", ["fall"]), ("00400000", ["fall"]),
                          ("00020000", ["low_battery"]), ("00040000", ["wander"]),
                          ("00080000", ["wander_restored"]), ("00100000", ["tamper"]),
                          ("00210000", ["panic", "fall"])):
        for kind in ("AL", "UD"):
            yield line(f"{kind} {status}", brackets(block(kind, status)), *map(where, kinds))
    for status in ("00000001", "00000002", "00000004", "00000008", "00000010", "0008", "0000"):
        yield line(f"UD {status}, a state", brackets(block("UD", status)), where("position"))
    yield line("a power cut", brackets(block("AL", "00004000")), where("mains_lost"))
    yield line("its last place", brackets(block(fix="V")), where("position", "no_position"))
    yield line("no letters", brackets(block(north="", east="")), where("position"))
    yield line("a blank before the longitude", brackets(block(longitude=" 104.25")),
               where("position"))
    yield line("negative and west", brackets(block(longitude="-104.25", east="W")),
               where("position", lon=-104.25))
    yield line("negative and east", brackets(block(longitude="-104.25")),
               where("position", lon=-104.25))
    yield line("positive and west", brackets(block(longitude="104.25", east="W")),
               where("position", lon=-104.25))


def watch():
    yield from watch_frames()
    yield from watch_types()
    yield from watch_blocks()


# --- SIA DC-09 ---

BOX = "0A42"


def message(data, name="ADM-CID", head="0007L0#0A42", stamp="_03:04:05,01-02-2026", raw=False,
            decimal=False):
    body = f'"{name}"{head}[{data}]{stamp}'.encode()
    crc = crc16(body, 0xA001, 0, True)
    size = f"{len(body):04d}" if decimal else f"0{len(body):03X}"
    check = crc.to_bytes(2, "big") if raw else f"{crc:04X}".encode()
    return b"\n" + check + size.encode() + body + b"\r"


def event(kind, *flags, **more):
    return signal(kind, *flags, identity=BOX, **{"at": AT, **more})


def dc09_codes():
    codes = {"1100": "panic", "1101": "panic", "1102": "panic", "1110": "panic", "1120": "panic",
             "1121": "panic", "1151": "panic", "1113": "leak", "1301": "mains_lost",
             "3301": "mains_restored", "1302": "low_battery", "3302": "battery_restored",
             "1384": "low_battery", "1354": "tamper", "1602": "heartbeat", "3101": "heartbeat",
             "6101": "panic", "1401": "life", "3401": "life", "1406": "cancel", "1601": "test"}
    for code, kind in codes.items():
        yield line(f"Contact ID {code}", message(f"#0A42|{code} 01 003"), event(kind))
    yield line("Contact ID of an unknown code", message("#0A42|1999 01 003"),
               event("panic", "unknown_code"))
    codes = {"MA": "panic", "QA": "panic", "PA": "panic", "HA": "panic", "FA": "panic",
             "GA": "panic", "WA": "leak", "AT": "mains_lost", "AR": "mains_restored",
             "YT": "low_battery", "YR": "battery_restored", "TA": "tamper",
             "TR": "tamper_restored", "RP": "heartbeat", "QR": "heartbeat", "CL": "life"}
    for code, kind in codes.items():
        yield line(f"SIA {code}", message(f"#0A42|Nri1/{code}003", "SIA-DCS"), event(kind))
    for text in ("Nri1/PA003^A name^", "Nri1/PA003*'A name'NM", "Nri1/PA003|AA name",
                 "Nti03:04/id7/ri1/PA003", "NPA003"):
        yield line(f"SIA {text}", message(f"#0A42|{text}", "SIA-DCS"), event("panic"))
    yield line("several events", message("#0A42|Nri1/PA003/YT004", "SIA-DCS"), event("panic"),
               event("low_battery"))


def dc09_forms():
    press = "#0A42|1101 01 003"
    yield line("a checksum of two bytes", message(press, raw=True), event("panic"))
    yield line("a length in decimal", message(press, decimal=True), event("panic"))
    yield line("a link test", message("", "NULL", "0000L0#0A42", ""), event("heartbeat", at=None))
    yield line("a link test with a number", message("", "NULL"), event("heartbeat"))
    for head in ("9999L0#0A42", "0007R1L0#0A42", "0007RABCDEFL123456#0A42", "0007#0A42"):
        yield line(f"a head of {head}", message(press, head=head), event("panic"))
    yield line("the account only in the data", message(press, head="0007L0"), event("panic"))
    yield line("the account in small letters", message("#0a42|1101 01 003", head="0007L0#0a42"),
               event("panic"))
    yield line("no time", message(press, stamp=""), event("panic", at=None))
    yield line("a place", message(press, stamp="[X104E15.0][Y30N30.0]_03:04:05,01-02-2026"),
               event("panic", **PLACE))
    yield line("other extensions", message(
        press, stamp="[Mmac][Vurl][Iname][Llocation][Ssite][Kkey]_03:04:05,01-02-2026"),
               event("panic"))
    yield line("letters of more than one byte", message("#0A42|Nri1/PA003^床边^", "SIA-DCS"),
               event("panic"))
    whole = message(press)
    yield line("no LF", whole[1:], event("panic"))
    yield line("no CR, another behind it", whole[:-1] + whole, event("panic"), event("panic"))
    yield line("a wrong checksum", whole.replace(b"1101", b"1102"),
               signal("unreadable", "unreadable", "checksum_wrong", identity=BOX))
    for name in ("ACK", "NAK", "DUH"):
        yield line(f"{name}, of a receiver", message("", name))
    secret = f'"*SIA-DCS"0007L0#0A42[{"A5" * 32}'.encode()
    yield line("encrypted, and no key for it",
               b"\n%04X0%03X" % (crc16(secret, 0xA001, 0, True), len(secret)) + secret + b"\r",
               signal("unreadable", "unreadable", "unauthenticated", "secret_lost",
                      identity=BOX))


def sia_dc09():
    yield from dc09_codes()
    yield from dc09_forms()


# --- H02 ---

TRACKER = "1000000042"
SPOT = "A,3030.0000,N,10415.0000,E,0.00,0,020126"


def star(kind="V1", status="FFFFFFFF", spot=SPOT, maker="HQ"):
    return f"*{maker},{TRACKER},{kind},030405,{spot},{status}#"


def tracked(kind, *flags, **more):
    return signal(kind, *flags, identity=TRACKER, **{"at": AT, **PLACE, **more})


def h02():
    for maker in ("HQ", "TH", "XX", "hq"):
        yield line(f"*{maker}", star(maker=maker), tracked("position"))
    for kind in ("V1", "V6", "V8", "VP1"):
        yield line(f"{kind} with a place", star(kind), tracked("position"))
    for status, kinds in (("FFFFFFFD", ["panic"]), ("FFFBFFFF", ["panic"]),
                          ("FFFBFFFD", ["panic"]), ("FFF7FFFF", ["mains_lost"]),
                          ("FFF7FFFD", ["panic", "mains_lost"]), ("fffffffd", ["panic"]),
                          ("FFFFFBFE", ["position"])):
        yield line(f"a status of {status}", star(status=status), *map(tracked, kinds))
    yield line("mains lost and restored", star(status="FFF7FFFF") + star(), tracked("mains_lost"),
               tracked("mains_restored"))
    yield line("no fix", star(spot=SPOT.replace("A,", "V,", 1)), tracked("position", "no_position"))
    yield line("south and west", star(spot=SPOT.replace("N", "S").replace("E", "W")),
               tracked("position", lat=-30.5, lon=-104.25))
    yield line("degrees without a point", star(spot=SPOT.replace("3030.0000", "30300000")),
               tracked("position"))
    yield line("degrees with dashes", star(spot=SPOT.replace("3030.0000", "-30-30.0000")),
               tracked("position"))
    yield line("LINK", f"*HQ,{TRACKER},LINK,030405,15,0,84,1200,0,020126,FFFFFFFF#",
               signal("heartbeat", identity=TRACKER, at=AT, battery=84, steps=1200))
    yield line("NBR with a press", f"*HQ,{TRACKER},NBR,030405,460,0,1,1,9338,3692,15,020126,"
               "FFFFFFFD,5#", signal("panic", identity=TRACKER, at=AT))
    yield line("HTBT", f"*HQ,{TRACKER},HTBT#", signal("heartbeat", identity=TRACKER))
    yield line("an answer to a command", f"*HQ,{TRACKER},V4,S71,DONE,030405#",
               signal("heartbeat", identity=TRACKER))
    binary = bytes.fromhex("24100000004203040502012630300000" "05" "104150000E" "000000")
    for tail in ("", "00" * 3, "00" * 16, "00" * 19):
        yield line(f"binary, {29 + len(tail) // 2} bytes",
                   binary + bytes.fromhex("FFFFFFFD" + tail), tracked("panic", battery=80))


# --- EV-07, text ---

PENDANT = "350000000000017"
LOGIN = f"!1,{PENDANT};"


def ev07_text():
    came = signal("heartbeat", identity=PENDANT)

    def report(what, flags, *expect, letter="D", rest=",1.0,80,5,9,0"):
        return line(what, f"{LOGIN}!{letter},02/01/26,03:04:05,30.5,104.25,4,170,{flags}{rest};",
                    came, *expect)

    def at(kind, *flags, **more):
        return signal(kind, *flags, identity=PENDANT, **{"at": AT, "battery": 80, **PLACE, **more})

    yield line("a log-in with version and battery", f"!1,{PENDANT},V07S,100;",
               {**came, "battery": 100})
    yield line("a heartbeat", LOGIN + "!5,20,A;", came, came)
    yield line("a heartbeat with a battery", LOGIN + "!5,20,V,70;", came, {**came, "battery": 70})
    yield line("an answer to a command", LOGIN + "!3,ok;", came, came)
    yield line("nobody's press", "!D,02/01/26,03:04:05,30.5,104.25,0,0,41,1.0,80,5,9,0;",
               {**at("panic"), "identity": ""})
    for flags, kinds in (("41", ["panic"]), ("101", ["fall"]), ("1001", ["low_battery"]),
                         ("5", ["tamper"]), ("201", ["wander"]), ("401", ["wander"]),
                         ("801", ["wander"]), ("141", ["panic", "fall"]), ("81", ["position"]),
                         ("c001", ["position"]), ("140001", ["position"]), ("2", ["position"])):
        yield report(f"flags {flags}", flags, *map(at, kinds))
    yield report("charging", "400041", at("panic", "charging"))
    yield report("no fix", "40", at("panic", "no_position", message_id=""))
    yield report("from its memory", "41", at("panic", "stored"), letter="B")
    yield report("C", "41", at("panic"), letter="C", rest=",1.0,80,0.03,0.01,0")
    yield report("A", "0", at("position", battery=None), letter="A", rest="")
    yield report("flags that are none", "4x", signal(
        "unreadable", "unreadable", identity=PENDANT, at=AT, battery=80))


FILES = {"watch": watch, "sia_dc09": sia_dc09, "h02": h02, "ev07_text": ev07_text}
