#!/usr/bin/python3
"""Whatever comes in, an alarm among it becomes a ticket that says what is odd, and the rest goes on."""
import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import (UTC, make_district, press, publish, receive, watch_acknowledgement,  # noqa: E402
                    watch_frame, watch_press)
from stack import Stack, Tap, wait_for  # noqa: E402

KNOWN = "9900000001"
POISON = "9900000013"
BYSTANDERS = 40


def ticket_of(stack, identity, deadline_s=10):
    """[kind, flags] of the tickets of what called itself so, once there is one."""
    return wait_for(lambda: stack.sql(
        "select kind, array_to_string(flags, ' ') from onekey.ticket "
        f"where identity = '{identity}' order by id"), deadline_s)


def test_watch(tap, stack):
    press(stack, "9900000002")
    tickets = ticket_of(stack, "9900000002")
    tap.check([t[0] for t in tickets] == ["panic"] and "unknown_device" in tickets[0][1],
              "an alarm of an unknown device is a ticket that says so", tickets)

    press(stack, KNOWN)
    tickets = ticket_of(stack, KNOWN)
    tap.check(tickets and "unknown_device" not in tickets[0][1],
              "one of a registered device is not flagged so", tickets)

    frame = b"[3G*9900000003*00zz*AL,the rest is lost]"
    with stack.connect("watch") as client:
        client.sendall(frame + watch_frame("9900000003", "LK"))
        answer = receive(client, 1)
    tickets = ticket_of(stack, "9900000003")
    raw = stack.sql("select encode(raw, 'hex') from onekey.signal where identity = '9900000003'")
    tap.check([t[0] for t in tickets] == ["unreadable"] and raw == [[frame.hex()]],
              "a damaged frame that says AL is a ticket `unreadable` with its bytes", tickets, raw)
    tap.check(answer == watch_frame("9900000003", "LK"), "and its connection goes on", answer)


def test_clocks(tap, stack):
    """Years off in both directions, one after the other: what counts is the order of arrival."""
    now = datetime.datetime.now(UTC)
    clocks = [("9900000021", now.replace(year=now.year + 9, day=1)),
              ("9900000022", now.replace(year=now.year - 9, day=1)),
              ("9900000023", now)]
    for identity, at in clocks:
        press(stack, identity, at)
    names = ", ".join(f"'{identity}'" for identity, _ in clocks)
    wait_for(lambda: stack.value(
        f"select count(*) from onekey.ticket where identity in ({names})") == "3", 10)
    rows = stack.sql(
        "select t.identity, 'clock_wrong' = any (t.flags), t.pressed_at is null, "
        "abs(extract(epoch from clock_timestamp() - t.received_at)) < 60 from onekey.ticket t "
        f"where t.identity in ({names}) order by t.received_at")
    tap.check(rows == [["9900000021", "t", "t", "t"], ["9900000022", "t", "t", "t"],
                       ["9900000023", "f", "f", "t"]],
              "a clock that is years off is flagged, and arrival gives the order", rows)


UNREADABLE = {
    "no JSON": b'{"type":"panic"',
    "no UTF-8": b'{"type":"panic","id":"\xff\xfe"}',
    "a key twice": b'{"type":"panic","type":"test"}',
    "nothing": b"",
    "a NUL": b'{"type":"pa\x00nic"}',
    "an escaped NUL": b'{"type":"pa\\u0000nic"}',
    "more after it": b'{"type":"panic"} {}',
    "arrays within arrays": b'{"type":' + b"[" * 40 + b"]" * 40 + b"}",
    "an array": b'["panic"]',
}


def test_alarm_topic(tap, stack):
    for i, (what, body) in enumerate(UNREADABLE.items()):
        identity = f"bad-{i}"
        publish(stack, f"onekey/v1/call_box/{identity}/up/alarm", body)
        tickets = ticket_of(stack, identity)
        raw = stack.sql(f"select encode(raw, 'hex') from onekey.signal where identity = '{identity}'")
        tap.check([t[0] for t in tickets] == ["unreadable"] and raw == [[body.hex()]],
                  f"an alarm message with {what} is a ticket `unreadable` with its bytes", tickets, raw)


def counted(stack, metric, topic, body):
    """Whether a message is received, counted under the metric, and nothing else comes of it."""
    before, signals = stack.metric(metric), stack.value("select count(*) from onekey.signal")
    publish(stack, topic, body)
    return (wait_for(lambda: stack.metric(metric) > before, 10)
            and stack.value("select count(*) from onekey.signal") == signals)


def test_other_topics(tap, stack):
    bad = "onekey_frames_bad_total"
    for what, body in UNREADABLE.items():
        if what != "an array":
            tap.check(counted(stack, bad, "onekey/v1/meter/bad-meter/up/reading", body),
                      f"a reading with {what} is counted")
    tap.check(counted(stack, bad, "wmbusmeters/x", b"\x00\xff"), "so is garbage of another kind")
    received = stack.metric("onekey_mqtt_received_total")
    publish(stack, "onekey/v1/call_box/somebody/up/nonsense", {"type": "panic"})
    publish(stack, "somewhere/else", b"\xff")
    press(stack, KNOWN)
    tap.check(stack.metric("onekey_mqtt_received_total") == received,
              "topics that nobody subscribes to do not come")


def test_text(tap, stack):
    """What SQL, JSON or a log line could stumble over, as far as a message may carry it."""
    hostile = "x'; drop table onekey.ticket; --\\\"\n\u202e"
    publish(stack, "onekey/v1/call_box/hostile-1/up/alarm",
            {"type": hostile, "id": "i'\\\"{},\u202e"})
    tickets = ticket_of(stack, "hostile-1")
    tap.check([t[0] for t in tickets] == ["panic"], "hostile text in an alarm is only text", tickets)
    publish(stack, "onekey/v1/call_box/ä'{,}\\\" NULL/up/alarm", {"type": "panic", "id": "1"})
    found = wait_for(lambda: stack.value(
        "select count(*) from onekey.ticket where kind = 'panic' and protocol = 'meter_json' "
        "and identity <> 'hostile-1'") == "1", 10)
    tap.check(found, "and so it is in the identity that a topic names",
              stack.sql("select identity from onekey.signal where protocol = 'meter_json'"))


def test_poison(tap, stack):
    """A record that the database refuses, in the middle of a batch of others."""
    stack.sql(f"""
        create function poison() returns trigger language plpgsql as $$ begin
            if new.identity = '{POISON}' and new.kind = 'panic' then
                raise exception 'this one is poison' using errcode = 'check_violation';
            end if;
            return new;
        end $$;
        create trigger poison before insert on onekey.signal for each row execute function poison()""")
    identities = [f"98{i:08}" for i in range(BYSTANDERS)]
    identities.insert(BYSTANDERS // 2, POISON)
    with stack.connect("watch") as client:
        client.sendall(b"".join(watch_press(identity) for identity in identities))
        wanted = b"".join(watch_acknowledgement(identity) for identity in identities)
        tap.check(receive(client, len(wanted)) == wanted, "a poisoned alarm is acknowledged as any")
    stored = wait_for(lambda: stack.value(
        "select count(distinct identity) from onekey.signal where ticket_id is not null and "
        "identity like '98%' and kind = 'panic'") == str(BYSTANDERS), 20)
    tap.check(stored, "the others of its batch are stored")
    rejected = wait_for(lambda: stack.sql(
        "select error, length(raw) > 0, ticket_id is not null from onekey.rejected "
        f"where identity = '{POISON}'"), 20)
    tap.check(len(rejected) == 1 and "poison" in rejected[0][0] and rejected[0][1:] == ["t", "t"],
              "the poisoned one is among the rejected, with its bytes", rejected)
    tickets = ticket_of(stack, POISON)
    tap.check([t[0] for t in tickets] == ["unreadable"] and "rejected" in tickets[0][1],
              "and is a ticket `unreadable`", tickets)
    press(stack, "9900000031")
    tap.check(ticket_of(stack, "9900000031"), "what comes after it is stored")
    tap.check(wait_for(lambda: stack.metric('onekey_outbox_records{lane="alarms"}') == 0, 10)
              and stack.metric("onekey_records_rejected_total") == 1,
              "nothing waits any more, one record is counted")
    stack.sql("drop trigger poison on onekey.signal; drop function poison()")
    stack.stop("onekeyd")
    stack.start("onekeyd")
    press(stack, "9900000032")
    count = stack.sql(f"select count(*) from onekey.ticket where identity in ('{POISON}', '9900000032')")
    tap.check(ticket_of(stack, "9900000032") and stack.sql(
        f"select kind from onekey.ticket where identity = '{POISON}'") == [["unreadable"]],
        "a restart does not bring it back", count)


def main():
    tap = Tap()
    with Stack() as stack:
        stack.command("load", make_district(stack.parent, [("watch", KNOWN, "wristband")]))
        process = stack.pid("onekeyd")
        for test in (test_watch, test_clocks, test_alarm_topic, test_other_topics, test_text):
            test(tap, stack)
        tap.check(stack.pid("onekeyd") == process and stack.http("/-/healthy")[0] == 200,
                  "the daemon is the same as at the start")
        test_poison(tap, stack)
    tap.finish()


main()
