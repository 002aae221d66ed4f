"""What else a gateway calls: readings, soft state, rejects, the registry and its notices."""
import subprocess

from database import equal, signal


def notices(db, statements):
    """Payloads of onekey_device notices that each statement makes."""
    found = []
    for statement in statements:
        output = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"], text=True,
                                capture_output=True, check=True, timeout=60, env=db.server.environment(db.name),
                                input=f"listen onekey_device;\n{statement};\n").stdout
        found.append([line.split('"')[3] for line in output.splitlines() if "Asynchronous" in line])
    return found


READINGS = """select onekey.store_readings('g1', 'D', '{1,2}', '{meter_json,meter_json}', '{m1,ghost}',
    '{2026-11-22 07:00+08,1999-01-01}', '{2026-11-22 08:00+08,2026-11-22 08:00+08}', '{123000,null}',
    '{null,10000}', '{null,3600}', '{97,null}', array['meter_reset stored', null])"""


def test_readings_are_stored_once(db):
    equal(db.sql(READINGS), "2")
    equal(db.sql(READINGS), "0")
    equal(db.sql("select number, identity, total_ml, interval_ml, interval_s, battery_percent, flags"
                 " from onekey.meter_reading order by number"),
          "1|m1|123000|||97|{meter_reset,stored}\n2|ghost||10000|3600||{}")


def test_a_rejected_record_becomes_a_ticket_once(db):
    call = ("select onekey.reject('g1', 'D', {}, '2026-11-22 08:00+08', {}, {}, {}, 'kind \"x\" is not known',"
            " '\\x0041ff')")
    first = db.sql(call.format(7, "'watch'", "'w1'", "'earthquake'"))
    equal(db.sql(call.format(7, "'watch'", "'w1'", "'earthquake'")), first)
    equal(db.ticket(first, "kind, priority, flags, household_id, signal_count, detail->>'kind'"),
          "unreadable|1|{rejected}|1|1|earthquake")
    equal(db.sql("select number, kind, error, raw, ticket_id from onekey.rejected"),
          f'7|earthquake|kind "x" is not known|\\x0041ff|{first}')
    second = db.sql(call.format(8, "null", "null", "'reading'"))
    equal(db.ticket(second, "priority, flags"), "4|{rejected,unknown_device}")
    equal(db.raises(signal(7, "panic")), [(7, int(first), "open", False)])  # the record itself, sent again


def test_a_reject_takes_any_word_and_time(db):
    db.sql("select onekey.reject('g1', 'D', 1, 'infinity', 'no such', repeat('x', 3000), null, 'why', null)")
    db.sql("select onekey.reject('g1', 'D', 2, null, null, null, 'panic', 'why', null)")
    equal(db.sql("select count(*) from onekey.ticket where kind = 'unreadable'"), "2")


def test_the_registry_says_what_a_gateway_must_know(db):
    db.sql("update onekey.household set silence_scheme = 'strict', silence_litres = 6 where code = 'H1';"
           "insert into onekey.absence (district, household_id, reason, from_at, until_at, entered_by) values"
           " ('D', 1, 'away', '2020-01-01', '2020-01-02', 'x'), ('D', 1, 'hospital', '2020-02-01', null, 'x')")
    equal(db.sql("select protocol, identity, kind, household, area_path, secret, silence_scheme, silence_litres,"
                 " absent_from = '2020-02-01', absent_until is null from onekey.registry('D') order by device_id"),
          "watch|w1|wristband|H1|D/T|hush|strict|6|t|t\nmeter_json|c1|call_box|H1|D/T||strict|6|t|t\n"
          "meter_json|m1|meter|H1|D/T||strict|6|t|t\nwatch|w2|wristband|H2|D/T|||||t\nwatch|s1|wristband||||||"
          "|t")
    equal(db.sql("select count(*) from onekey.registry('elsewhere')"), "0")


def test_gateways_hear_of_changes_and_not_of_soft_state(db):
    equal(notices(db, [
        "update onekey.device set household_id = 2",
        "update onekey.household set silence_hours = 8 where code = 'H2'",
        "update onekey.household set silence_hours = 8 where code = 'H1'",  # of no device by now
        "update onekey.area set name_zh = '改名'",
        "set onekey.bulk = on; update onekey.device set report_interval_s = 60",
        "insert into onekey.device (district, protocol, identity, kind) values ('D', 'watch', 'new', 'wristband')",
        "delete from onekey.device where identity = 'new'",
        "select onekey.touch_devices('D', '{watch}', '{w1}', '{2026-11-22 08:00+08}')",
        "update onekey.household set notes = 'x'"]), 
          [["D 1", "D 2", "D 3", "D 4", "D 5"], ["D 1 2 3 4 5"], [], ["D"], ["D"], ["D 6"], ["D 6"], [], []])
    equal(db.sql("select identity from onekey.registry_of('D', '{2,4,77}') order by device_id"), "c1\nw2")
    equal(db.sql("select count(*) from onekey.registry_of('elsewhere', '{2}')"), "0")


def test_a_gateway_is_known_by_its_name(db):
    db.sql("select onekey.gateway_started('g1', 'D', '1.0'); select onekey.gateway_started('g1', 'D', '1.1')")
    equal(db.sql("select name, version, started_at > first_started_at from onekey.gateway"), "g1|1.1|t")


def test_the_queue_shows_all_that_is_open_by_priority_and_age(db):
    db.raises(signal(1, "low_battery", received_at="2001-01-01"), signal(2, "panic", received_at="2021-11-22 08:01Z"),
              signal(3, "fall", "w2", received_at="2021-11-22 08:00Z"), signal(4, "leak", "w2"))
    db.sql("update onekey.ticket set state = 'closed', outcome = 'x', closed_at = now() where kind = 'leak'")
    equal(db.sql("select kind, household, resident, area, age_s > 0 from onekey.v_open_tickets"),
          "fall|H2||样例区 样例街道|t\npanic|H1|Sample One|样例区 样例街道|t\nlow_battery|H1|Sample One|样例区 样例街道|t")


def test_times_are_counted_from_the_arrival(db):
    db.raises(signal(1, "panic", received_at="2026-11-22 08:00:00Z", occurred_at="2026-11-22 07:00Z"))
    db.sql("update onekey.ticket set raised_at = '2026-11-22 08:00:01Z', answered_at = '2026-11-22 08:00:31Z',"
           " dispatched_at = '2026-11-22 08:01:31Z'")
    equal(db.sql("select raise_s::int, answer_s::int, dispatch_s::int, close_s, street_town_id from onekey.v_ticket_times"),
          "1|31|60||2")
