#!/usr/bin/python3
"""SIA DC-09 against the running daemon: frames of real panels (../shared/vectors/sia_dc09.jsonl) over
TCP, and an invented panel that encrypts, over TCP and UDP.

Every frame is sent twice: the second time it is answered again and raises nothing. What is not sound
is not answered, and the link test behind it is.
"""
import datetime
import json
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import free_port, make_district, receive  # noqa: E402
from stack import SHARED, Stack, Tap, wait_for  # noqa: E402

VECTORS = os.path.join(SHARED, "vectors/sia_dc09.jsonl")
ACCOUNT, KEY = "0A42", b"an invented key!"
ALARMS = {"100": "panic", "101": "panic", "120": "panic", "302": "low_battery", "BA": "panic",
          "FA": "panic", "MA": "panic", "PA": "panic", "QA": "panic", "WA": "leak", "XC": "panic",
          "YT": "low_battery"}


def checksum(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def frame_of(body):
    return b"\n%04X%04X%s\r" % (checksum(body), len(body), body)


LINK_TEST = frame_of(b'"NULL"0000L0#%s[]' % ACCOUNT.encode())
LINK_ANSWER = frame_of(b'"ACK"0000L0#%s[]' % ACCOUNT.encode())


def aes(data, *flags):
    return subprocess.run(["openssl", "enc", "-aes-128-cbc", "-nopad", "-K", KEY.hex(), "-iv",
                           "0" * 32, *flags], input=data, capture_output=True, check=True).stdout


def secret_press(sequence, at):
    """A press of the invented panel, padded in front as the standard wants."""
    plain = f"|#{ACCOUNT}|1101 01 007]_{at:%H:%M:%S,%m-%d-%Y}".encode()
    plain = b"7" * (16 - len(plain) % 16) + plain
    return frame_of(b'"*ADM-CID"%04dL0#%s[%s' % (sequence, ACCOUNT.encode(),
                                                 aes(plain).hex().upper().encode()))


def ask(stack, frame):
    """What comes before the answer to the link test behind it, None if that does not come."""
    with stack.connect("sia_dc09") as client:
        client.sendall(frame + LINK_TEST)
        answer = b""
        while not answer.endswith(LINK_ANSWER):
            more = receive(client)
            if not more:
                return None
            answer += more
    return answer[:-len(LINK_ANSWER)]


def wanted(derived):
    """The beginning of the body that the protocol demands as an answer, b"" for none."""
    if not derived.get("crc_ok") or derived["id"] == "NAK":
        return b""
    if derived["encrypted"]:  # the account has no key here
        return b'"NAK"0000R0L0A0[]_'
    return f'"ACK"{derived["seq"]}{derived["receiver"] or ""}{derived["line"]}'.encode()


def test_vectors(tap, stack):
    if not os.path.exists(VECTORS):
        tap.skip("frames of real panels", f"no {VECTORS}")
        return
    with open(VECTORS, encoding="utf-8") as file:
        vectors = [json.loads(line) for line in file]
    for vector in vectors:
        derived = vector["derived"]
        if "id" not in derived:
            continue
        frame = b"\n" + vector["frame"].strip("\r\n").encode() + b"\r"
        name = f'{derived["id"]} {derived["seq"]} of {derived["account"]}'
        answers = [ask(stack, frame) for _ in range(2)]
        body = wanted(derived)
        if frame.startswith(b"\n0101"):  # a Galaxy, whose dialect has no checksum
            tap.check(answers == [b"ACK\r"] * 2, f"{name}: a Galaxy's bare answer", answers)
            continue
        tap.check(all(answer is not None and (answer[9:].startswith(body) if body else not answer)
                      for answer in answers), f"{name}: {body.decode() or 'no answer'}", answers)
        code = (derived.get("cid") or {}).get("event") or (derived.get("sia") or {}).get("code")
        if body.startswith(b'"ACK') and code in ALARMS:
            query = ("select count(*) from onekey.signal where ticket_id is not null and kind = "
                     f"'{ALARMS[code]}' and identity = '{derived['account']}' and "
                     f"detail->>'message_id' like '{derived['seq']}-%'")
            wait_for(lambda: stack.value(query) != "0", 10)
            tap.check(stack.value(query) == "1", f"{name}: one {ALARMS[code]}", stack.value(query))


def test_secret(tap, stack):
    now = datetime.datetime.now(datetime.timezone.utc)
    answers = [ask(stack, secret_press(11, now)) for _ in range(2)]
    head = b'"*ACK"0011L0#%s[' % ACCOUNT.encode()
    text = b""
    if answers[0] and answers[0][9:].startswith(head):
        text = aes(bytes.fromhex(answers[0][9 + len(head):-1].decode()), "-d")
    tap.check(b"|]_" in text, "an encrypted press is acknowledged, encrypted", answers, text)
    answer = ask(stack, secret_press(12, now - datetime.timedelta(minutes=5)))
    tap.check(answer is not None and answer[9:].startswith(b'"NAK"0000R0L0A0[]_'),
              "one of five minutes ago is answered NAK", answer)
    query = (f"select flags::text from onekey.signal where identity = '{ACCOUNT}' "
             "and kind = 'panic' and ticket_id is not null order by number")
    wait_for(lambda: len(stack.sql(query)) >= 2, 10)
    tap.check([row[0] for row in stack.sql(query)] == ["{}", "{clock_wrong,unauthenticated}"],
              "both are in the database, once, the second flagged", stack.sql(query))


def test_datagrams(tap, stack, port):
    press = frame_of(b'"SIA-DCS"0021L0#0B43[#0B43|Nri1/PA001]_03:04:05,01-02-2026')
    answer = frame_of(b'"ACK"0021L0#0B43[]')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        answers = []
        for _ in range(2):
            client.sendto(press, ("127.0.0.1", port))
            answers.append(client.recv(1024))
    tap.check(answers == [answer] * 2, "a press over UDP is acknowledged, and again", answers)
    query = "select count(*) from onekey.signal where identity = '0B43' and kind = 'panic'"
    wait_for(lambda: stack.value(query) != "0", 10)
    tap.check(stack.value(query) == "1", "and there once", stack.value(query))


def main():
    tap, port = Tap(), free_port()
    listener = (f"[listen dc09-udp]\naddress = 127.0.0.1\nport = {port}\nprotocol = sia_dc09\n"
                "transport = udp\n")
    with tempfile.TemporaryDirectory() as data:
        make_district(data, [("sia_dc09", ACCOUNT, "call_box"), ("sia_dc09", "0B43", "call_box")])
        with open(f"{data}/devices.csv", "r+", encoding="utf-8") as file:
            lines = file.read().replace("H0,,", f"H0,,{KEY.decode()}")
            file.seek(0)
            file.write(lines)
        with Stack(listener, data) as stack:
            wait_for(lambda: ask(stack, b"") == b"", 10)
            test_secret(tap, stack)
            test_datagrams(tap, stack, port)
            test_vectors(tap, stack)
    tap.finish()


main()
