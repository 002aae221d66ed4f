#!/usr/bin/python3
"""Frames of real wristbands (../shared/vectors/watch.jsonl) over TCP, whole and cut at every byte.

A frame that is sound (`wire_ok`) gets the answer that its protocol demands however the network cuts
it, and its alarms are in the database. One that is not sound must not end the daemon, nor the
connection for the frame behind it, nor lose an alarm.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import receive, watch_frame  # noqa: E402
from stack import SHARED, Stack, Tap, wait_for  # noqa: E402

VECTORS = os.path.join(SHARED, "vectors/watch.jsonl")
ALARMS = {16: "panic", 21: "fall", 22: "fall", 18: "wander", 20: "tamper", 17: "low_battery",
          19: "wander_restored"}
ANSWERS = {"LK": "LK", "INIT": "INIT,1", "TKQ": "TKQ", "TKQ2": "TKQ2", "JXTK": "JXTKR,1"}
HEAD = re.compile(rb"^\[(\w\w)\*(\w+)\*(?:([0-9A-Fa-f]{4})\*)?([0-9A-Fa-f]{4})\*")
PROBE = "7300000001"
TOGETHER = 64  # connections that are cut side by side


def read_vectors():
    with open(VECTORS, encoding="utf-8") as file:
        for line in file:
            vector = json.loads(line)
            text = vector["frame"]
            frame = bytes.fromhex(text) if vector["encoding"] == "hex" else text.encode()
            derived = vector["derived"]
            derived["reply"] = vector["expect"].get("reply", "").encode()  # of a maker's document
            yield frame, derived


def answer_to(frame, derived):
    """What the protocol demands as an answer, b"" if nothing."""
    if derived["reply"]:
        return derived["reply"]
    prefix, identity, index, _ = HEAD.match(frame).groups()
    content = "AL" if derived["type"].startswith("AL") else ANSWERS.get(derived["type"])
    if content is None:
        return b""
    counted = index + b"*" if index else b""
    return b"[%s*%s*%s%04x*%s]" % (prefix, identity, counted, len(content), content.encode())


def alarms_of(derived):
    """Kinds of the alarms that a frame raises."""
    is_alarm = derived["type"].startswith("AL")
    kinds = {ALARMS[bit] for bit in derived.get("status_bits_set") or [] if bit in ALARMS}
    if is_alarm and 14 in (derived.get("status_bits_set") or []):
        kinds.add("mains_lost")
    return kinds or ({"panic"} if is_alarm else set())


def wait_until_read(stack, size):
    """Until the daemon has read so many bytes in all."""
    assert wait_for(lambda: stack.metric("onekey_network_in_bytes_total") >= size, 20, 0.002)


def ask(stack, pieces_of):
    """Sends each connection's first piece, then its second, then an LK; returns what each answers
    before the LK, and None where that never comes."""
    read = stack.metric("onekey_network_in_bytes_total")
    end = watch_frame(PROBE, "LK")
    clients = [stack.connect("watch") for _ in pieces_of]
    for client, pieces in zip(clients, pieces_of):
        client.sendall(pieces[0])
        read += len(pieces[0])
    if any(len(pieces) > 1 for pieces in pieces_of):
        wait_until_read(stack, read)
    answers = []
    for client, pieces in zip(clients, pieces_of):
        client.sendall(b"".join(pieces[1:]) + end)
    for client in clients:
        answer = b""
        while not answer.endswith(end):
            more = receive(client, 1)
            if not more:
                break
            answer += more
        answers.append(answer[:-len(end)] if answer.endswith(end) else None)
        client.close()
    return answers


def cuts_of(frame):
    return [(frame[:i], frame[i:]) for i in range(1, len(frame))]


def test_sound(tap, stack, frame, derived):
    wanted = answer_to(frame, derived)
    name = f"{derived['type']} of {derived['device_id']}"
    [whole] = ask(stack, [(frame,)])
    tap.check(whole == wanted, f"{name}: the answer that is demanded", f"{whole} for {wanted}")
    cuts, wrong = cuts_of(frame), []
    for first in range(0, len(cuts), TOGETHER):
        group = cuts[first:first + TOGETHER]
        wrong += [(len(pieces[0]), answer) for pieces, answer in zip(group, ask(stack, group))
                  if answer != wanted]
    tap.check(not wrong, f"{name}: the same, cut at each of {len(cuts)} places", wrong[:3])


def test_unsound(tap, stack, frame, derived):
    [answer] = ask(stack, [(frame,)])
    tap.check(answer is not None, f"{derived['type']} of {derived['device_id']}, not sound: "
              "the frame behind it is answered", frame[:60])


def test_alarms(tap, stack, vectors):
    """Each alarm of a named device is there, whatever was wrong with its frame."""
    for frame, derived in vectors:
        kinds, identity = alarms_of(derived), derived["device_id"]
        if not kinds:
            continue
        query = ("select distinct kind from onekey.signal where ticket_id is not null and "
                 f"identity = '{identity}'")
        wait_for(lambda: kinds <= {row[0] for row in stack.sql(query)}, 10)
        found = {row[0] for row in stack.sql(query)}
        tap.check(found == kinds, f"{derived['type']} of {identity}: {' '.join(sorted(kinds))} in "
                  "the database", found)
        signals = stack.value("select count(*) from onekey.signal where identity = "
                              f"'{identity}' and detail ? 'message_id'")
        tap.check(int(signals) <= len(kinds), "and sent a hundred times it is there once", signals)


def main():
    tap = Tap()
    if not os.path.exists(VECTORS):
        tap.skip("frames of real wristbands", f"no {VECTORS}")
        tap.finish()
    vectors = list(read_vectors())
    with Stack() as stack:
        process = stack.pid("onekeyd")
        for frame, derived in vectors:
            (test_sound if derived["wire_ok"] else test_unsound)(tap, stack, frame, derived)
        test_alarms(tap, stack, vectors)
        tap.check(stack.pid("onekeyd") == process and stack.http("/-/healthy")[0] == 200,
                  "the daemon is the same as at the start")
    tap.finish()


main()
