"""Absences, what closed tickets teach meters, the copies of what they have learned, and who reads them."""
import json

from database import equal, holds, signal
from gateway_cases import notices


def absence(db, name, reason, start, end=None, device=None):
    return db.act(name, f"select onekey.set_absence('D', 1, '{reason}', {start}, {end or 'null'},"
                        f" device_id => {device or 'null'})")


def test_an_absence_reaches_every_device_of_the_home(db):
    equal(absence(db, "li", "hospital", "(select now() - interval '1 hour')"), "1")
    equal(db.sql("select identity, absent_from < now(), absent_until is null from onekey.registry('D')"
                 " where absent_from is not null order by identity"), "c1|t|t\nm1|t|t\nw1|t|t")
    equal(db.act("li", "select onekey.end_absence('D', 1)"), "t")
    equal(db.sql("select count(*) from onekey.registry('D') where absent_from is not null"), "0")
    equal(db.sql("select entered_by, until_at is not null from onekey.absence"), "li|t")
    equal(db.sql("select action, is_allowed from onekey.audit where action like '%absence' order by id"),
          "set_absence|t\nend_absence|t")


def test_absences_that_touch_are_one_and_the_next_waits(db):
    day = "'2100-01-{:02}'::timestamptz".format
    for start, end in ((1, 3), (2, 5), (5, 6), (9, 12)):
        db.sql(f"select onekey.set_absence('D', 1, 'away', {day(start)}, {day(end)})")
    equal(db.sql(f"select distinct absent_from = {day(1)}, absent_until = {day(6)} from onekey.registry('D')"
                 " where household_id = 1"), "t|t")
    db.sql("update onekey.absence set until_at = null where id = 3")
    equal(db.sql("select distinct absent_until is null from onekey.registry('D') where household_id = 1"), "t")
    # One that has ended is followed by another: the home is read again.
    db.sql("update onekey.absence set from_at = now() - interval '1 day', until_at = now() - interval '10 seconds' where id = 1")
    equal(sorted(notices(db, ["select onekey.tell_next_absences('D')"])[0]), ["D 1", "D 2", "D 3"])


def test_maintenance_is_of_one_meter(db):
    equal(absence(db, "li", "maintenance", "now()", "now() + interval '2 hours'", 3), "1")
    equal(db.sql("select identity, absent_from is null, worked_on_until > now() from onekey.registry('D')"
                 " where worked_on_from is not null"), "m1|t|t")
    holds("has no meter", db.refusal("select onekey.set_absence('D', 1, 'maintenance', now(), device_id => 1)"))
    holds("absence_device", db.refusal("select onekey.set_absence('D', 1, 'away', now(), device_id => 3)"))
    holds("absence_finite", db.refusal("select onekey.set_absence('D', 1, 'away', '-infinity')"))


def test_who_may_not_enters_no_absence(db):
    equal(absence(db, "guest", "away", "now()"), "")
    equal(db.act("guest", "select onekey.set_silence('D', 1, litres => 20)"), "f")
    equal(db.act("li", "select onekey.set_silence('D', 1, litres => 20)"), "f")
    equal(db.act("guest", "select onekey.end_absence('D', 1)"), "f")
    equal(db.act("guest", "select onekey.read_silence('D', 1)"), "")
    equal(db.act("li", "select onekey.read_silence('D', 99)"), "")
    equal(db.sql("select count(*) from onekey.absence"), "0")
    equal(db.sql("select count(*) from onekey.audit where not is_allowed"), "6")


def test_a_home_is_judged_as_its_supervisor_says(db):
    equal(db.act("wang", "select onekey.set_silence('D', 1, 'frail', 20, 8)"), "t")
    equal(db.sql("select distinct silence_scheme, silence_litres, silence_hours from onekey.registry('D')"
                 " where household_id = 1"), "frail|20|8")
    holds("litres go from 1 to 655", db.refusal("select onekey.set_silence('D', 1, litres => 656)"))


def silent_ticket(db, number=1):
    said = signal(number, "silence", "m1", protocol="meter_json", detail='{"rules": ["learned"]}')
    return db.raises(said)[0][1]


def close(db, ticket, outcome):
    db.command("li", "claim", ticket)
    db.command("li", "verify", ticket, "spoke with the person")
    return db.command("li", "close", ticket, outcome)


def test_an_explained_silence_is_kept_and_changes_no_ticket(db):
    ticket = silent_ticket(db)
    said = signal(2, "silence_explained", "m1", protocol="meter_json",
                  detail='{"rules": ["guarantee"], "reasons": ["absence"]}')
    equal(db.raises(said), [(2, None, None, False)])
    equal(db.raises(said), [(2, None, None, False)])
    equal(db.events(ticket), ["raised"])
    equal(db.sql("select count(*) from onekey.signal where kind = 'silence_explained' and ticket_id is null"), "1")
    known = json.loads(db.act("wang", "select onekey.read_silence('D', 1)"))
    equal([(each["rules"], each["reasons"]) for each in known["explained"]], [(["guarantee"], ["absence"])])


def test_a_closed_silence_teaches_its_meter(db):
    equal(close(db, silent_ticket(db), "person_well"), "done")
    equal(close(db, silent_ticket(db, 2), "taken_to_hospital"), "done")
    equal(db.sql("select identity, lesson from onekey.lessons_due('D', 0)", "a_gateway"), "m1|ok_at_home\nm1|needed_help")
    equal(db.sql("select lesson from onekey.lessons_due('D', 1)"), "needed_help")
    # Whoever answered another alarm lives, and that is all.
    panic = db.raises(signal(3, "panic"))[0][1]
    db.command("li", "claim", panic)
    db.command("li", "answer", panic)
    equal(db.command("li", "close", panic, "false_press"), "done")
    equal(db.sql("select lesson from onekey.lessons_due('D', 2)"), "life")


def test_a_copy_of_a_profile_ends_its_lessons(db):
    close(db, silent_ticket(db), "person_well")
    close(db, silent_ticket(db, 2), "away")
    store = ("select onekey.store_profiles('g1', 'D', '{{meter_json}}', '{{m1}}', '{{7}}',"
             " array['2026-11-22 {}+08'::timestamptz], '{{{}}}', array['\\x{}'::bytea], array['{{}}'::jsonb])")
    db.sql(store.format("09:00", 1, "aa"), "a_gateway")
    equal(db.sql("select id, lesson from onekey.lessons_due('D', 0)"), "2|away")
    db.sql(store.format("10:00", 2, "bb"))
    db.sql(store.format("08:00", 0, "cc"))  # an older copy that comes late
    equal(db.sql("select id from onekey.lessons_due('D', 0)"), "")
    equal(db.sql("select * from onekey.profiles_of('D', '{meter_json,watch}', '{m1,m1}')", "a_gateway"),
          "meter_json|m1|\\xbb\nwatch|m1|")


def test_the_curve_sets_what_ran_beside_what_was_expected(db):
    hours = ",".join(f"0.{hour:02}" for hour in range(24))
    db.sql("select onekey.store_profiles('g1', 'D', '{meter_json}', '{m1}', '{7}', array[now()], '{0}',"
           f" array['\\xaa'::bytea], array['{{\"offset_s\": 28800, \"weekday\": [{hours}], \"weekend\": [{hours}]}}'::jsonb])")
    db.sql("select onekey.store_readings('g1', 'D', '{1,2,3}', '{meter_json,meter_json,meter_json}', '{m1,m1,m1}',"
           " array[date_trunc('hour', now()) - interval '30 hours', date_trunc('hour', now()) - interval '2 hours',"
           " date_trunc('hour', now()) - interval '59 minutes'], array[now(), now(), now()], '{1000,5000,12500}',"
           " '{null,null,null}', '{null,null,null}', '{null,null,null}', array[null, null, null]::text[])")
    curve = json.loads(db.act("li", "select onekey.read_silence('D', 1)"))["meters"][0]["curve"]
    equal(len(curve), 24)
    equal([each["litres"] for each in curve if each["litres"] is not None], [4.0, 7.5])
    now = int(db.sql("select extract(hour from now() at time zone 'UTC' + interval '8 hours')::integer"))
    equal(curve[23]["expected"], now / 100)


def test_absences_are_imported_once(db):
    text = "household,reason,from,until,note\nH1,hospital,2100-01-01 08:00+08,,hip\nH2,away,2100-02-01,2100-02-09,\n"
    holds("2 absences: 2 new, 0 changed", db.ctl("import", "absences", "-", text=text).stdout)
    holds("0 new, 1 changed", db.ctl("import", "absences", "-", text=text.replace("08:00+08,,", "08:00+08,2100-01-20,")).stdout)
    wrong = "household,reason,from,until,note\nH9,fishing,tomorrowish,2100-13-01,\nH1,away,2100-01-02,2100-01-01,\n"
    errors = db.ctl("import", "absences", "-", text=wrong).stderr
    for part in ('column household: "H9" is no household', 'column reason: "fishing" is no reason',
                 'column from: "tomorrowish" is no moment', 'column until: "2100-13-01" is no moment',
                 'column until: "2100-01-01" is not later than from'):
        holds(part, errors)
