"""raise_tickets(): one ticket for one emergency, nothing lost, nothing twice."""
import subprocess

from database import Refused, equal, holds, parallel, signal


def test_an_alarm_opens_a_ticket(db):
    equal(db.raises(signal(1, "panic", raw="\\x41", flags="no_position stored", occurred_at="2026-11-22 07:59:30+08",
                           detail='{"code": "AL"}')), [(1, 1, "open", True)])
    equal(db.ticket(1, "kind, priority, state, flags, subject, household_id, device_id, area_id, signal_count,"
                       " pressed_at = '2026-11-22 07:59:30+08', received_at = '2026-11-22 08:00+08', detail"),
          'panic|1|open|{no_position,stored}|household:1|1|1|2|1|t|t|{"code": "AL"}')
    equal(db.sql("select gateway, number, kind, flags, ticket_id, raw from onekey.signal"),
          "g1|1|panic|{no_position,stored}|1|\\x41")
    equal(db.sql("select kind, origin, number, actor is null from onekey.ticket_event"), "raised|g1|1|t")
    equal(db.sql("select abs(extract(epoch from clock_timestamp() - raised_at)) < 30 from onekey.ticket"), "t")


def test_a_replay_changes_nothing(db):
    batch = [signal(1, "panic"), signal(2, "fall"), signal(3, "battery_restored"), signal(4, "cancel")]
    first = db.raises(*batch)
    before = db.sql("select * from onekey.ticket order by id; select * from onekey.ticket_event order by id;"
                    "select * from onekey.signal order by number")
    again = db.raises(*batch)
    equal([(number, ticket) for number, ticket, _, _ in again],
          [(number, ticket) for number, ticket, _, _ in first])
    equal([new for _, _, _, new in again], [False] * 4)
    equal(db.sql("select * from onekey.ticket order by id; select * from onekey.ticket_event order by id;"
                 "select * from onekey.signal order by number"), before)
    equal(db.raises(signal(4, "cancel"), signal(5, "fall"))[1][1], first[1][1])  # half replayed, half new
    equal(db.sql("select count(*) from onekey.signal"), "5")


def test_a_number_given_again_after_a_lost_record_is_no_replay(db):
    db.raises(signal(1, "panic"))
    equal(db.raises(signal(1, "fall", "w2", received_at="2026-11-22 08:00:01+08")), [(1, 2, "open", True)])


def test_a_second_press_bumps_and_rings_again(db):
    db.raises(signal(1, "panic"))
    listener = subprocess.Popen(["psql", "-XqAt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=db.server.environment(db.name))
    listener.stdin.write("listen onekey_ticket; select 'ready';\n")
    listener.stdin.flush()
    equal(listener.stdout.readline(), "ready\n")
    equal(db.raises(signal(2, "panic", received_at="2026-11-22 08:01+08", flags="stored"),
                    signal(3, "panic", "c1", protocol="meter_json", received_at="2026-11-22 08:02+08")),
          [(2, 1, "open", False), (3, 1, "open", False)])
    equal(db.ticket(1, "signal_count, last_signal_at = '2026-11-22 08:02+08', flags, received_at = '2026-11-22 08:00+08'"),
          "3|t|{stored}|t")
    equal(db.events(1), ["raised", "pressed_again", "pressed_again"])
    listener.stdin.write("select 'done';\n")
    listener.stdin.close()
    holds('Asynchronous notification "onekey_ticket" with payload "D 1"', listener.stdout.read())
    listener.wait(10)


def test_several_presses_in_one_batch_make_one_ticket(db):
    equal(db.raises(signal(7, "panic"), signal(5, "panic"), signal(6, "panic")),
          [(5, 1, "open", True), (6, 1, "open", False), (7, 1, "open", False)])
    equal(db.ticket(1, "signal_count"), "3")
    equal(db.events(1), ["raised", "pressed_again", "pressed_again"])


def test_another_household_or_kind_is_another_ticket(db):
    tickets = {ticket for _, ticket, _, _ in db.raises(
        signal(1, "panic"), signal(2, "panic", "w2"), signal(3, "fall"), signal(4, "wander"),
        signal(5, "service", service_kind="taxi"), signal(6, "service", service_kind="consult"))}
    equal(len(tickets), 6)


def test_after_closing_the_next_press_opens_another(db):
    db.raises(signal(1, "panic"))
    db.sql("update onekey.ticket set state = 'closed', outcome = 'false_alarm', closed_at = now()")
    equal(db.raises(signal(2, "panic")), [(2, 2, "open", True)])
    equal(db.ticket(1, "signal_count"), "1")


def test_unknown_device_and_device_in_store_still_raise(db):
    equal([new for _, _, _, new in db.raises(
        signal(1, "panic", "ghost"), signal(2, "panic", "s1"), signal(3, "panic", "ghost", protocol="sia_dc09"),
        signal(4, "unreadable", None, protocol=None))], [True] * 4)
    equal(db.sql("select subject, flags, household_id is null, device_id is null from onekey.ticket order by id"),
          "watch:ghost|{unknown_device}|t|t\nwatch:s1|{}|t|f\nsia_dc09:ghost|{unknown_device}|t|t\n"
          ":|{unknown_device}|t|t")
    equal(db.raises(signal(5, "panic", "ghost"))[0][1:], (1, "open", False))


def test_a_clock_wrong_by_years_is_taken_and_flagged(db):
    db.raises(signal(1, "panic", occurred_at="2000-01-01"), signal(2, "fall", occurred_at="2099-01-01"),
              signal(3, "wander", occurred_at="infinity"), signal(4, "leak", occurred_at=None))
    equal(db.sql("select flags, pressed_at is null from onekey.ticket order by id"),
          "{clock_wrong}|t\n{clock_wrong}|t\n{clock_wrong}|t\n{}|t")
    equal(db.sql("select occurred_at = '2000-01-01' from onekey.signal where number = 1"), "t")
    db.raises(signal(5, "tamper", received_at="1970-01-01"), signal(6, "outage", received_at="2199-12-31"))
    equal(db.sql("select tableoid::regclass from onekey.signal where number in (5, 6)"),
          "onekey.signal_default\nonekey.signal_default")


def test_priorities_are_data(db):
    db.raises(*(signal(number, kind) for number, kind in enumerate(
        ["panic", "fall", "unreadable", "wander", "silence", "outage", "running_water", "leak", "device_lost",
         "low_battery", "mains_lost", "tamper", "care_call", "test"], 1)),
              signal(20, "service", service_kind="taxi"), signal(21, "service", "w2", service_kind="rescue"))
    equal(db.sql("select string_agg(kind || priority, ' ' order by priority, kind) from onekey.ticket"),
          "fall1 panic1 service1 unreadable1 outage2 silence2 wander2 leak3 running_water3 service3 device_lost4 "
          "low_battery4 mains_lost4 tamper4 care_call5 test5")


def test_a_test_press_never_mixes_with_an_alarm(db):
    equal([row[1] for row in db.raises(signal(1, "test"), signal(2, "panic"), signal(3, "test"))], [1, 2, 1])
    equal(db.sql("select kind, priority, signal_count from onekey.ticket order by id"), "test|5|2\npanic|1|1")


def test_cancel_is_recorded_and_the_ticket_stays_open(db):
    db.raises(signal(1, "panic"), signal(2, "fall"))
    equal(db.raises(signal(3, "cancel"))[0][2:], ("open", False))
    equal(db.sql("select state, signal_count from onekey.ticket"), "open|1\nopen|1")
    equal(db.events(1) + db.events(2), ["raised", "cancelled_by_person"] * 2)


def test_cancel_with_nothing_open_is_called_back_all_the_same(db):
    equal(db.raises(signal(1, "cancel")), [(1, 1, "open", True)])
    equal(db.ticket(1, "kind, priority, flags"), "panic|3|{cancelled}")
    db.raises(signal(2, "panic"))
    equal(db.ticket(1, "priority, signal_count"), "1|2")


def test_panic_and_cancel_of_one_batch_are_one_ticket(db):
    one, cancelled, other, again = (ticket for _, ticket, _, _ in db.raises(
        signal(1, "panic"), signal(2, "cancel"), signal(3, "panic", "w2"), signal(4, "panic")))
    equal([cancelled, again], [one, one])
    assert other != one
    equal(db.events(one), ["raised", "cancelled_by_person", "pressed_again"])


def test_a_restore_closes_what_nobody_has_claimed(db):
    for number, (lost, restored) in enumerate([
            ("low_battery", "battery_restored"), ("mains_lost", "mains_restored"), ("tamper", "tamper_restored"),
            ("device_lost", "device_returned"), ("outage", "outage_ended")]):
        opened = db.raises(signal(10 * number, lost))[0][1]
        equal(db.raises(signal(10 * number + 1, restored)), [(10 * number + 1, opened, "closed", False)])
        equal(db.events(opened), ["raised", "restored", "closed"])
        equal(db.ticket(opened, "outcome, closed_at is not null"), "restored|t")
    equal(db.raises(signal(99, "mains_restored")), [(99, None, None, False)])  # nothing is open: recorded
    equal(db.sql("select ticket_id is null from onekey.signal where number = 99"), "t")


def test_a_restore_leaves_a_claimed_ticket_and_what_a_person_verifies(db):
    db.raises(signal(1, "low_battery"), signal(2, "silence"), signal(3, "wander"))
    db.sql("update onekey.ticket set state = 'claimed', claimed_at = now(), claimed_by = 'sample' where kind = 'low_battery'")
    rows = db.raises(signal(4, "battery_restored"), signal(5, "silence_ended"), signal(6, "wander_restored"))
    equal([row[2] for row in rows], ["claimed", "open", "open"])
    equal([db.events(row[1]) for row in rows], [["raised", "restored"]] * 3)


def test_the_first_device_that_returns_does_not_close_for_the_other(db):
    db.raises(signal(1, "device_lost"), signal(2, "device_lost", "c1", protocol="meter_json"))
    equal(db.raises(signal(3, "device_returned", received_at="2026-11-22 08:05+08"))[0][2], "open")
    equal(db.raises(signal(4, "device_returned", "c1", protocol="meter_json",
                           received_at="2026-11-22 08:06+08"))[0][2], "closed")


def test_lost_and_restored_in_one_batch_keep_their_order(db):
    equal([row[2:] for row in db.raises(signal(1, "mains_lost"), signal(2, "mains_restored"),
                                        signal(3, "mains_lost"))],
          [("open", True), ("closed", False), ("open", True)])


def test_an_outage_is_one_ticket_and_takes_in_what_was_told_before(db):
    lone = db.raises(signal(1, "device_lost"))[0][1]
    other = db.raises(signal(2, "device_lost", "w2"))[0][1]
    area = db.sql("select id from onekey.area where code = 'T'")
    outage = db.raises(signal(3, "outage", f"area:{area}", detail='{"cause": "area", "lost": 20}'))[0][1]
    equal(db.ticket(outage, "subject, area_id, device_id is null, flags, priority"), f"outage:area:{area}|{area}|t|{{}}|2")
    # Told by another device of it, of another protocol, with more of them lost: the same ticket.
    equal(db.raises(signal(4, "outage", f"area:{area}", protocol="meter_json", detail='{"cause": "area", "lost": 90}')),
          [(4, outage, "open", False)])
    equal(db.ticket(outage, "detail ->> 'lost', signal_count"), "90|2")
    equal(db.raises(signal(5, "device_returned", detail='{"outage": "area:%s"}' % area))[0][1:], (lone, "closed", False))
    equal(db.ticket(lone, "outcome, merged_into"), f"merged|{outage}")
    db.raises(signal(6, "device_returned", "w2"))
    equal(db.ticket(other, "outcome, merged_into is null"), "restored|t")
    equal(db.raises(signal(7, "outage_ended", f"area:{area}", protocol="meter_json",
                           detail='{"outage": "area:%s"}' % area))[0][1:], (outage, "closed", False))
    equal(db.ticket(outage, "outcome, merged_into is null"), "restored|t")
    carrier = db.raises(signal(8, "outage", "carrier:46000"))[0][1]
    equal(db.ticket(carrier, "subject, area_id is null"), "outage:carrier:46000|t")
    # What is no area of ours is still a ticket.
    equal(db.raises(signal(9, "outage", "area:99999999999999999999"))[0][2:], ("open", True))


def test_what_cannot_be_stored_is_an_error_that_names_it(db):
    for bad, said in [(signal(7, "earthquake"), 'signal 7 of gateway g1: kind "earthquake" is not known'),
                      (signal(7, "service", service_kind="pizza"), 'service kind "pizza" is not known'),
                      (signal(None, "panic"), "has no number"),
                      (signal(7, "panic", received_at=None), "signal 7 of gateway g1: has no received_at"),
                      (signal(7, "panic", received_at="infinity"), "has no received_at"),
                      (signal(7, None), "is not known")]:
        message = db.refusal(db.call([signal(1, "panic"), bad]))
        holds(said, message)
        holds("22023", message)
    equal(db.sql("select count(*) from onekey.ticket"), "0")  # nothing of the batch is stored


def test_all_kinds_of_the_vocabulary_are_known(db):
    kinds = db.sql("select pg_get_constraintdef(oid) from pg_constraint where contypid = 'onekey.signal_word'::regtype")
    for kind in db.sql("select name from onekey.signal_kind").splitlines():
        holds(f"'{kind}'", kinds)
    equal(kinds.count("::text"), int(db.sql("select count(*) from onekey.signal_kind")) + kinds.count("(VALUE)::text"))
    equal(db.sql("select count(*) from onekey.ticket_kind"), "16")


def test_eight_gateways_at_once_make_one_ticket(db):
    for round_number in range(5):
        batches = [[signal(round_number * 100 + n, kind, identity, protocol=protocol)
                    for n, (identity, protocol) in enumerate([("w1", "watch"), ("c1", "meter_json"), ("w2", "watch")])
                    for kind in ["panic"]] for _ in range(8)]
        parallel([lambda gateway=f"g{index}", batch=batch: db.raises(*batch, gateway=gateway)
                  for index, batch in enumerate(batches)])
    equal(db.sql("select kind, count(*), sum(signal_count) from onekey.ticket group by kind"), "panic|2|120")
    equal(db.sql("select count(*) from onekey.ticket_event where kind = 'raised'"), "2")


def test_the_same_batch_at_once_on_two_connections_is_stored_once(db):
    batch = [signal(number, "panic", f"ghost{number}") for number in range(200)]
    parallel([lambda: db.raises(*batch)] * 4)
    equal(db.sql("select count(*), sum(signal_count) from onekey.ticket"), "200|200")


def test_a_ticket_that_closes_in_between_is_not_bumped(db):
    """The closing transaction holds the row; the press waits for it, then opens another ticket."""
    db.raises(signal(1, "panic"))
    closing = subprocess.Popen(["psql", "-XqAt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=db.server.environment(db.name))
    closing.stdin.write("begin; update onekey.ticket set state = 'closed', outcome = 'x', closed_at = now();"
                        " select 'held';\n")
    closing.stdin.flush()
    equal(closing.stdout.readline(), "held\n")

    def commit_when_waited_for():
        db.sql("""do $$ begin for i in 1 .. 3000 loop
            exit when exists (select from pg_locks where not granted
                              and pid in (select pid from pg_stat_activity where datname = current_database()));
            perform pg_sleep(0.01); perform pg_stat_clear_snapshot(); end loop; end $$""")
        closing.communicate("commit;\n", timeout=30)

    pressed, _ = parallel([lambda: db.raises(signal(2, "panic")), commit_when_waited_for])
    equal(pressed[0][2:], ("open", True))
    equal(db.sql("select state, signal_count from onekey.ticket order by id"), "closed|1\nopen|1")


def test_crossing_batches_lose_nothing(db):
    """Raises and restores of the same homes from four gateways; a deadlock would be an error to send again."""
    kinds = ["mains_lost", "mains_restored", "panic", "cancel"]

    def one(index):
        for number in range(20):
            batch = [signal(number * 10 + n, kinds[(n + index + number) % 4], identity)
                     for n, identity in enumerate(["w1", "w2", "w1", "w2"] if index % 2 else ["w2", "w1", "w2", "w1"])]
            while True:
                try:
                    db.raises(*batch, gateway=f"g{index}")
                    break
                except Refused as refused:
                    assert "40P01" in str(refused), refused

    parallel([lambda index=index: one(index) for index in range(4)])
    equal(db.sql("select count(*) from onekey.signal"), "320")
    equal(db.sql("select count(*) from onekey.ticket where kind = 'panic' and state <> 'closed'"), "2")


def test_a_large_batch_notifies_in_parts(db):
    output = subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"], text=True, capture_output=True, timeout=60,
        env=db.server.environment(db.name), check=True,
        input="listen onekey_ticket;\n" + db.call([signal(n, "panic", f"ghost{n}") for n in range(1000)]) + ";\n").stdout
    notices = [line.split('"')[3] for line in output.splitlines() if "Asynchronous" in line]
    equal(sorted(int(word) for notice in notices for word in notice.split()[1:]), list(range(1, 1001)))
    assert len(notices) == 4 and max(map(len, notices)) < 8000, [len(notice) for notice in notices]


def test_nobody_else_can_say_that_all_is_well(db):
    db.raises(signal(1, "tamper"), signal(2, "panic"), signal(3, "fall", "w2"))
    forged = {"flags": "unauthenticated"}
    db.raises(signal(4, "tamper_restored", **forged), signal(5, "cancel", **forged))
    equal(db.sql("select kind, state, signal_count from onekey.ticket order by id"), "tamper|open|1\npanic|open|1\nfall|open|1")
    equal(db.events(1), ["raised", "note"])
    equal(db.events(2), ["raised", "note"])
    equal(db.sql("select detail from onekey.ticket_event where kind = 'note' order by id"),
          '{"unauthenticated": "tamper_restored"}\n{"unauthenticated": "cancel"}')
    equal(db.sql("select ticket_id from onekey.signal where number in (4, 5) order by number"), "1\n2")
    # Nor does the forged one count for the other device of the home when that is well again.
    db.raises(signal(6, "tamper", "c1", protocol="meter_json"), signal(7, "tamper_restored", "c1", protocol="meter_json"))
    equal(db.ticket(1, "state"), "open")
    db.raises(signal(8, "tamper_restored"))
    equal(db.ticket(1, "state, outcome"), "closed|restored")


def test_what_was_forged_is_not_taken_for_the_real_message(db):
    name = '{"message_id": "m-1"}'
    db.raises(signal(1, "panic", flags="stored unauthenticated", detail=name))
    equal(db.raises(signal(2, "panic", detail=name)), [(2, 1, "open", False)])
    equal(db.raises(signal(3, "panic", detail=name), gateway="g2"), [(3, 1, "open", False)])  # and that is one
    equal(db.ticket(1, "signal_count"), "2")
