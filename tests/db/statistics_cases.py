"""Measures: each against figures computed by hand, sums that must agree, closed days summarised or not."""
import json

from database import equal, holds, signal

DAY, NEXT = "2026-03-10", "2026-03-11"
MEASURES = ["answer", "answer_by_day", "answer_curve", "machine", "stages", "false_alarms", "outcomes", "verification",
            "unverified", "tickets", "tickets_by_hour", "services", "repeats", "breaches", "load", "sources", "chattering",
            "operators", "devices", "silence", "care", "audits", "list"]
# Household 1 stands in street-town T, household 3 in U.
TOWN = """
insert into onekey.area (district, code, parent_id, level, name_zh) values ('D', 'U', 1, 'street_town', '另一街道');
insert into onekey.household (district, code, area_id, address) values ('D', 'H3', 3, 'Sample Road 3');
insert into onekey.device (district, protocol, identity, kind, household_id) values ('D', 'watch', 'w3', 'wristband', 3);
"""


def made(db, received, kind="panic", household=1, **steps):
    """A ticket received at a Shanghai time, with steps so many seconds later: presented, claimed, answered, dispatched,
    on_scene, verified, closed; and by, outcome, detail, test. Returns its number."""
    by, outcome, detail = (steps.pop(name, None) for name in ["by", "outcome", "detail"])
    is_test = steps.pop("test", False)
    stamps = "".join(f", {name}_at" for name in steps)
    values = "".join(f", '{received}+08'::timestamptz + interval '{seconds} s'" for seconds in steps.values())
    state = "closed" if "closed" in steps else "claimed" if "claimed" in steps else "open"
    owner = repr(by or "li") if "claimed" in steps else "null"
    number = db.sql(f"""insert into onekey.ticket (district, kind, service_kind, priority, state, subject, household_id,
        device_id, area_id, protocol, identity, last_signal_at, received_at, raised_at, claimed_by, outcome, is_test,
        detail{stamps})
        select 'D', '{kind}', '{"taxi" if kind == "service" else "none"}', 1, '{state}',
               'x:' || nextval('onekey.ticket_event_id_seq'), h.id, d.id, h.area_id, d.protocol, d.identity,
               '{received}+08', '{received}+08', '{received}+08'::timestamptz + interval '0.1 s', {owner},
               {repr(outcome or "person_well") if state == "closed" else "null"}, {is_test},
               {repr(json.dumps(detail)) if detail else "null"}{values}
        from onekey.household h join lateral (select * from onekey.device d where d.district = 'D' and d.household_id = h.id
            order by (d.kind = 'meter') <> ('{kind}' = 'silence') limit 1) d on true
        where h.district = 'D' and h.id = {household} returning id""")
    for name, seconds in {"raised": 0.1, **steps}.items():
        db.sql(f"""insert into onekey.ticket_event (district, ticket_id, kind, actor, at)
            values ('D', {number}, '{name}', {"null" if name in ("raised", "presented") else repr(by or "li")},
                    '{received}+08'::timestamptz + interval '{seconds} s')""")
    return int(number)


def rows(db, measure, from_day=DAY, until_day=NEXT, area="null", raw=False):
    """The rows of a measure, each a dict."""
    text = db.sql(f"select * from onekey.read_measure('{measure}', 'D', '{from_day}', '{until_day}', {area}, {raw})")
    return [json.loads(line) for line in text.splitlines()]


def row(db, measure, where, **more):
    found = [one for one in rows(db, measure, **more) if where.items() <= one.items()]
    equal(len(found), 1)
    return found[0]


def part(whole, names):
    return [whole[name] for name in names.split()]


def test_answer_time_counts_what_nobody_answered(db):
    for number, seconds in enumerate([10, 20, 50, 100, 200]):
        made(db, f"{DAY} 08:0{number}:00", presented=1, claimed=seconds / 2, answered=seconds, closed=900)
    made(db, f"{DAY} 09:00:00")
    answer = row(db, "answer", {"class": "alarm", "mode": "normal"})
    equal(part(answer, "received answered unanswered"), [6, 5, 1])
    equal(part(answer, "within_15 within_30 within_60 within_180"), [16.67, 33.33, 50, 66.67])
    equal(part(answer, "p50_s p90_s p99_s max_s"), [75, None, None, 200])  # the sixth is later than any figure
    day = rows(db, "answer_by_day")
    equal([part(one, "day received answered p50_s within_60") for one in day], [[DAY, 6, 5, 75, 50]])
    curve = {one["within_s"]: one["alarm"] for one in rows(db, "answer_curve")}
    equal([curve[s] for s in [5, 10, 60, 180, 3600]], [0, 16.67, 50, 66.67, 83.33])
    machine = row(db, "machine", {"stage": "received_presented"})
    equal(part(machine, "n p50_s max_s"), [5, 1, 1])
    stage = row(db, "stages", {"stage": "claim", "street_town": None})
    equal(part(stage, "due taken p50_s within_target"), [6, 5, 25, 50])


def test_a_day_is_that_of_the_zone(db):
    made(db, "2026-03-09 23:59:59.9", claimed=1, answered=20)
    made(db, f"{DAY} 00:00:00", claimed=1, answered=30)
    made(db, f"{DAY} 23:59:59.9", claimed=1, answered=40)  # answered on the next day
    made(db, f"{NEXT} 00:00:00", claimed=1, answered=50)
    equal(row(db, "answer", {"class": "alarm"})["received"], 2)
    equal([one["day"] for one in rows(db, "answer_by_day", "2026-03-09", "2026-03-12")], ["2026-03-09", DAY, NEXT])
    hours = [one for one in rows(db, "tickets_by_hour") if one["alarm"]]
    equal([part(one, "weekday hour alarm") for one in hours], [[2, 0, 1], [2, 23, 1]])
    # A zone with summer time: its day of 23 hours ends an hour of the clock earlier.
    db.sql("insert into onekey.report_setting values ('D', 'Europe/Berlin')")
    made(db, "2026-03-29 06:59:59", claimed=1)  # 23:59:59 of the 28th there
    made(db, "2026-03-29 07:00:00", claimed=1)
    made(db, "2026-03-30 05:59:59", claimed=1)
    made(db, "2026-03-30 06:00:00", claimed=1)  # 00:00:00 of the 30th there
    equal([part(one, "day received") for one in rows(db, "answer_by_day", "2026-03-28", "2026-03-31")],
          [["2026-03-28", 1], ["2026-03-29", 2], ["2026-03-30", 1]])


def test_a_reopened_ticket_counts_again(db):
    db.raises(signal(1, "panic", received_at=f"{DAY} 08:00:00+08"))
    for command in ["claim", "answer", "verify"]:
        equal(db.command("li", command, 1), "done")
    equal(db.command("li", "close", 1, "person_well"), "done")
    equal(db.command("zhao", "reopen", 1), "done")
    today = db.sql("select (now() at time zone 'Asia/Shanghai')::date, (now() at time zone 'Asia/Shanghai')::date + 1")
    today, tomorrow = today.split("|")
    first = row(db, "answer", {"class": "alarm"})
    again = row(db, "answer", {"class": "alarm"}, from_day=today, until_day=tomorrow)
    equal(part(first, "received answered"), [1, 1])
    equal(part(again, "received answered within_180"), [1, 0, 0])
    equal(part(row(db, "outcomes", {"kind": "panic"}), "outcome closed"), ["person_well", 1])
    equal(rows(db, "outcomes", today, tomorrow), [])
    equal(sum(one["tickets"] for one in rows(db, "tickets", DAY, tomorrow)), 1)  # it is one ticket all the same
    equal(db.command("zhao", "claim", 1), "done")
    equal(db.command("zhao", "answer", 1), "done")
    again = row(db, "answer", {"class": "alarm"}, from_day=today, until_day=tomorrow)
    equal(part(again, "received answered within_180"), [1, 1, 100])
    equal(part(row(db, "repeats", {}, until_day=tomorrow), "tickets reopened"), [1, 1])


def test_tests_and_outages_stand_apart(db):
    made(db, f"{DAY} 08:00:00", claimed=1, answered=5)
    made(db, f"{DAY} 08:01:00", claimed=1, answered=500, test=True)
    made(db, f"{DAY} 10:00:00", kind="outage", claimed=5, closed=3600, outcome="restored")
    made(db, f"{DAY} 10:30:00", claimed=1, answered=700)
    made(db, f"{DAY} 11:30:00", claimed=1, answered=6)  # the outage was over
    equal([part(one, "mode received max_s") for one in rows(db, "answer")],
          [["normal", 2, 6], ["test", 1, 500], ["disaster", 1, 700]])


def test_false_alarms_and_verification(db):
    rule = {"rules": ["learned"], "quiet_hours": 9}
    made(db, f"{DAY} 08:00:00", "silence", claimed=1, verified=60, closed=90, outcome="away", detail=rule)
    made(db, f"{DAY} 09:00:00", "silence", claimed=1, verified=60, closed=90, outcome="taken_to_hospital", detail=rule)
    broken = made(db, f"{DAY} 10:00:00", "silence", claimed=1, closed=90, outcome="person_well",
                  detail={"rules": ["learned", "fixed"], "quiet_hours": 12})
    made(db, f"{DAY} 11:00:00", "silence", detail=rule)
    made(db, f"{DAY} 12:00:00", claimed=1, answered=9, closed=60, outcome="false_press")
    made(db, f"{DAY} 13:00:00", claimed=1, answered=9, closed=60, outcome="helped_at_home")
    silence = row(db, "false_alarms", {"kind": "silence", "rule": "learned"})
    equal(part(silence, "device_kind closed false_alarms percent"), ["meter", 2, 1, 50])
    equal(part(row(db, "false_alarms", {"kind": "silence", "rule": "learned+fixed"}), "closed false_alarms"), [1, 1])
    equal(row(db, "false_alarms", {"kind": "panic"})["percent"], 50)
    equal(part(row(db, "verification", {"street_town": None}), "closed verified percent"), [3, 2, 66.67])
    equal([one["ticket_id"] for one in rows(db, "unverified")], [broken])
    detector = row(db, "silence", {"rule": "learned"})
    equal(part(detector, "alarms open true_alarms false_alarms quiet_hours_p50"), [3, 1, 1, 1, 9])
    equal(detector["alarms_per_home_year"], round(3 * 365.25, 2))  # one home with a meter, one day


def test_home_years_are_of_all_metered_homes(db):
    db.sql(TOWN + "insert into onekey.device (district, protocol, identity, kind, household_id) "
           "values ('D', 'meter_json', 'm3', 'meter', 3)")
    made(db, f"{DAY} 08:00:00", "silence", detail={"rules": ["learned"]})
    equal(row(db, "silence", {})["alarms_per_home_year"], 182.63)
    made(db, f"{DAY} 09:00:00", "silence", household=3, detail={"rules": ["learned"]})
    equal(row(db, "silence", {})["alarms_per_home_year"], 365.25)
    equal(row(db, "silence", {}, area=3)["alarms_per_home_year"], 365.25)


def test_late_steps_name_the_stage(db):
    late = made(db, f"{DAY} 08:00:00", presented=2, claimed=10, answered=300, closed=400)
    unseen = made(db, f"{DAY} 09:00:00", presented=100, claimed=110, answered=115, closed=200)
    made(db, f"{DAY} 10:00:00", presented=1, claimed=5, answered=10, closed=90)
    found = [part(one, "ticket_id measure limit_s taken_s stage") for one in rows(db, "breaches")]
    equal(found, [[late, "answer", 60, 300, "answer"], [unseen, "answer", 60, 115, "present"],
                  [unseen, "present", 15, 100, "present"]])


def test_few_cases_of_a_person_are_hidden(db):
    for minute in range(20):
        made(db, f"{DAY} 08:{minute:02}:00", claimed=1, answered=minute + 1, by="li")
    for minute in range(19):
        made(db, f"{DAY} 09:{minute:02}:00", claimed=1, answered=5, by="zhao")
    equal([part(one, "operator handled p50_s") for one in rows(db, "operators")], [["li", 20, 10.5]])
    load = row(db, "load", {"operator": "li"})
    equal(part(load, "periods most floods flood_percent"), [2, 10, 2, 100])
    equal(part(row(db, "repeats", {}), "tickets again_24h"), [39, 38])


def test_devices_that_were_lost(db):
    made(db, "2026-03-09 22:00:00", "device_lost", closed=4 * 3600, outcome="restored")  # two hours of the day
    made(db, f"{DAY} 12:00:00", "device_lost", closed=4 * 3600, outcome="restored")
    box = row(db, "devices", {"device_kind": db.sql("select kind from onekey.device where id = (select device_id from "
                                                    "onekey.ticket order by id limit 1)")})
    equal(part(box, "losses lost_now"), [2, 0])
    equal(box["available"], round(100 * (1 - 6 / 24 / box["devices"]), 3))


def test_services_are_those_of_the_customer(db):
    made(db, f"{DAY} 08:00:00")
    made(db, f"{DAY} 08:10:00", "fall")
    made(db, f"{DAY} 08:20:00", "service")
    made(db, f"{DAY} 08:30:00", "care_call")
    made(db, f"{DAY} 08:40:00", "low_battery")
    equal({one["service"]: one["services"] for one in rows(db, "services")},
          {"care_call": 1, "rescue": 2, "taxi": 1, "registration": 0, "consult": 0, "life_care": 0, "other": 0})


# Tickets of three weeks from a seed, some of them open, some opened again, with their events.
WEEKS = """
select setseed(0.4711);
insert into onekey.ticket (district, kind, priority, state, subject, household_id, device_id, area_id, protocol, identity,
    signal_count, last_signal_at, received_at, raised_at, presented_at, claimed_at, answered_at, verified_at, closed_at,
    claimed_by, outcome, is_test)
select 'D', m.kind, 1, case when m.is_open then 'claimed' else 'closed' end, 'y:' || m.i, m.home, m.device, m.area, 'watch', 'w1',
    1 + (random() * 2)::int, m.at, m.at, m.at + interval '0.2 s', m.at + interval '1 s', m.at + m.claim * interval '1 s',
    case when random() < 0.9 then m.at + 2 * m.claim * interval '1 s' end,
    case when random() < 0.7 then m.at + 3 * m.claim * interval '1 s' end,
    case when not m.is_open then m.at + 4 * m.claim * interval '1 s' end,
    case when random() < 0.5 then 'li' else 'zhao' end,
    case when not m.is_open then case when random() < 0.5 then 'person_well' else 'helped_at_home' end end, random() < 0.05
from (select i, timestamptz '2026-03-01 00:00+08' + random() * interval '21 days' as at, 1 + random() * 200 as claim,
             (array['panic', 'fall', 'silence', 'wander'])[1 + floor(random() * 4)::int] as kind, random() < 0.1 as is_open,
             case when i % 3 = 0 then 3 else 1 end as home, case when i % 3 = 0 then 6 else 1 + i % 3 end as device,
             case when i % 3 = 0 then 3 else 2 end as area
      from generate_series(1, 600) i) m;
insert into onekey.ticket_event (district, ticket_id, kind, actor, at)
select t.district, t.id, e.kind, e.actor, e.at
from onekey.ticket t
cross join lateral (values (1, 'raised', null, t.raised_at), (2, 'presented', null, t.presented_at),
    (3, 'claimed', t.claimed_by, t.claimed_at), (4, 'answered', t.claimed_by, t.answered_at),
    (5, 'verified', t.claimed_by, t.verified_at), (6, 'closed', t.claimed_by, t.closed_at)) e(place, kind, actor, at)
where t.subject like 'y:%' and e.at is not null order by t.id, e.place;
"""

# Greetings and a visit of those weeks: some tried in vain before, some kept late, by the next day or not at all.
CARE = """
insert into onekey.resident (district, household_id, name) values ('D', 3, 'Sample Three');
insert into onekey.care_plan (district, household_id, task, due_at, next_try_at)
values ('D', 1, 'greeting', '2026-03-21 09:00+08', '2026-03-21 09:00+08'), ('D', 3, 'greeting', '2026-03-30 09:00+08', '2026-03-30 09:00+08'),
       ('D', 1, 'visit', '2026-03-30 09:00+08', '2026-03-30 09:00+08');
insert into onekey.care_contact (district, at, plan_id, task, household_id, area_id, due_at, on_time_until, attempt, result, is_done, actor)
select 'D', c.due_at + c.late, p.id, p.task, p.household_id, h.area_id, c.due_at, c.due_at + interval '12 hours', 1, c.result, c.is_done, 'li'
from onekey.care_plan p
join onekey.household h on h.district = p.district and h.id = p.household_id
cross join generate_series(1, 18) d(day)
cross join lateral (select timestamptz '2026-03-01 09:00+08' + (d.day + p.id % 3) * interval '1 day' + p.id * interval '7 hours' as due_at) g
cross join lateral (values (g.due_at, interval '1 hour', 'no_answer', false, d.day % 3 = 0 or d.day = 14),
    (g.due_at, d.day * interval '1 hour', 'well', true, d.day % 7 > 0)) c(due_at, late, result, is_done, happens)
where c.happens;
"""


def test_sums_agree(db):
    db.sql(TOWN + WEEKS)
    window = {"from_day": "2026-03-01", "until_day": "2026-03-22"}
    whole = int(db.sql("select count(*) from onekey.ticket"))
    equal(sum(one["tickets"] for one in rows(db, "tickets", **window)), whole)
    equal(sum(one["alarm"] + one["water"] for one in rows(db, "tickets_by_hour", **window)), whole)
    equal(sum(one["received"] for one in rows(db, "answer", **window)), whole)
    towns = db.sql("select id from onekey.area where level = 'street_town'").splitlines()
    for measure, column in [("tickets", "tickets"), ("answer", "received"), ("outcomes", "closed")]:
        parts = [sum(one[column] for one in rows(db, measure, area=town, **window)) for town in towns]
        equal(sum(parts), sum(one[column] for one in rows(db, measure, **window)))
        assert all(parts), parts
    for measure in ["verification", "stages"]:
        found = [one for one in rows(db, measure, **window) if one.get("stage") in (None, "close")]
        counted = "closed" if measure == "verification" else "due"
        equal(found[0][counted], sum(one[counted] for one in found[1:]))
    equal(len([one for one in rows(db, "list", **window) if one["episode"] == 1]), whole)
    days = sum(len(rows(db, "breaches", f"2026-03-{day:02}", f"2026-03-{day + 1:02}")) for day in range(1, 22))
    equal(days, len(rows(db, "breaches", **window)))


def all_measures(db, raw):
    text = db.sql(" union all ".join(f"select '{name}', m::text from onekey.read_measure('{name}', 'D', '2026-03-01', "
                                     f"'2026-03-22', null, {raw}) m" for name in MEASURES if name != "breaches"))
    late = [{**one, "taken_s": None} for one in rows(db, "breaches", "2026-03-01", "2026-03-22", raw=raw)]
    return text, late  # without what an open ticket has taken so far, which goes on


def test_summarised_days_are_the_raw_ones(db):
    db.sql(TOWN + WEEKS + CARE)
    equal(db.sql("select count(*), sum(episodes) from onekey.roll_up_days('D', 400)").split("|")[1], "600")
    equal(db.sql("select count(*) from onekey.episode"), "600")
    equal(db.sql("select count(*) from onekey.stale_days('D')"), "0")
    equal(all_measures(db, False), all_measures(db, True))
    # What happens later to a ticket of a closed day is in the next report, and in the next summary.
    ticket = db.sql("select id from onekey.ticket where state = 'closed' and kind = 'panic' order by id limit 1")
    equal(db.command("li", "reopen", int(ticket)), "done")
    db.raises(signal(1, "panic", received_at="2026-03-05 12:00:00+08"))  # a gateway that was cut off for long
    equal(db.sql("select count(*) from onekey.stale_days('D')"), "2")
    equal(all_measures(db, False), all_measures(db, True))
    equal(len(db.sql("select * from onekey.roll_up_days('D', 400)").splitlines()), 2)
    equal(db.sql("select count(*) from onekey.stale_days('D')"), "2")  # for an hour: an event may be committed late
    db.sql("update onekey.rolled_day set rolled_at = rolled_at + interval '2 hours'")
    equal(db.sql("select count(*) from onekey.stale_days('D')"), "0")
    equal(all_measures(db, False), all_measures(db, True))
    equal(db.sql("select count(*) from onekey.episode"), "601")
    db.sql("delete from onekey.episode where day = '2026-03-07'")  # the summaries are what is read
    assert all_measures(db, False) != all_measures(db, True)


def test_summarised_care_is_the_raw_one(db):
    care = lambda raw, area="null": [rows(db, name, "2026-03-01", "2026-03-22", area=area, raw=raw) for name in ["care", "services"]]
    db.sql(TOWN + CARE)
    equal(part(row(db, "care", {"task": "greeting", "area": None}, from_day="2026-03-01", until_day="2026-03-22"),
               "due done in_time overdue_now"), [35, 32, 22, 1])  # two of 17 days each were tried or kept, one more has not been tried at all
    calls = row(db, "services", {"service": "care_call"}, from_day="2026-03-01", until_day="2026-03-22")
    equal(calls["services"], 31)  # without visits; one was made on the 22nd
    equal(db.sql("select count(*) from onekey.roll_up_days('D', 400)"), "0")  # no ticket
    equal(db.sql("select sum(due), sum(calls) from onekey.care_day"), "51|32")
    equal([care(False), care(False, 3)], [care(True), care(True, 3)])
    # What was not reached is reached in the end, long after.
    db.sql("""insert into onekey.care_contact (district, plan_id, task, household_id, area_id, due_at, on_time_until, attempt, result, is_done)
        select district, plan_id, task, household_id, area_id, due_at, on_time_until, 2, 'well', true from onekey.care_contact c
        where not is_done and not exists (select from onekey.care_contact d where d.plan_id = c.plan_id and d.due_at = c.due_at and d.is_done)""")
    before = db.sql("select count(*) from onekey.stale_care('D')")
    assert int(before) > 0, before
    equal(care(False), care(True))
    db.sql("select count(*) from onekey.roll_up_days('D', 400)")
    db.sql("update onekey.rolled_care set rolled_at = rolled_at + interval '2 hours'")
    equal(db.sql("select count(*) from onekey.stale_care('D')"), "0")
    equal(care(False), care(True))
    db.sql("delete from onekey.care_day where day = '2026-03-07'")
    assert care(False) != care(True)


def test_every_measure_is_explained_as_it_is(db):
    equal(set(db.sql("select name from onekey.measure").splitlines()), set(MEASURES))
    equal(db.sql("""select m.name, a.name, n.place from onekey.measure m
        join pg_proc p on p.pronamespace = 'onekey'::regnamespace and p.proname = 'measure_' || m.name
        cross join lateral unnest(p.proargnames) with ordinality a(name, number)
        cross join lateral (select a.number - 5 as place) n
        left join onekey.measure_column c on c.measure = m.name and c.position = n.place and c.name = a.name
        where a.number > 5 and c.name is null"""), "")
    equal(db.sql("""select c.measure, c.name from onekey.measure_column c
        where not exists (select from pg_proc p where p.pronamespace = 'onekey'::regnamespace
              and p.proname = 'measure_' || c.measure and p.proargnames[5 + c.position] = c.name)"""), "")
    equal(db.sql("""select t.measure, t.name from onekey.report_target t where not exists (
        select from onekey.measure_column c where (c.measure, c.name) = (t.measure, t.name))"""), "")


def test_who_may_read_figures(db):
    db.sql(TOWN + "select onekey.set_user('D', 'street', 'street_town', null, '{U}')")
    made(db, f"{DAY} 08:00:00", claimed=1, answered=5)
    made(db, f"{DAY} 09:00:00", household=3, claimed=1, answered=7)
    asked = f"select count(*), sum((m ->> 'received')::int) from onekey.read_measure('answer', 'D', '{DAY}', '{NEXT}') m"
    equal([db.act(name, asked) for name in ["wang", "root", "guest", "street", "li"]], ["1|2", "1|2", "1|2", "1|1", "0|"])
    equal(db.act("root", asked.replace("'answer'", "'operators'")), "0|")
    equal(db.sql("select actor, action, object from onekey.audit where not is_allowed order by id").splitlines(),
          ["li|read_report|measure:answer", "root|read_operators|measure:operators"])
    equal(db.sql(asked, "a_report"), "1|2")
    equal(db.sql(asked, "a_console"), "0|")
    holds("permission denied", db.refusal(f"select * from onekey.measure_answer('D', '{DAY}', '{NEXT}')", "a_report"))
    holds("there is no measure", db.refusal(asked.replace("'answer'", "'answer(); drop'"), "a_report"))
    holds("the days end", db.refusal(asked.replace(f"'{NEXT}'", f"'{DAY}'"), "a_report"))
