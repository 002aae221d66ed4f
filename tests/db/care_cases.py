"""Care that is promised: what is due, what comes of a try, what moves the next one forward; and audits of calls."""
import json

from database import equal, holds
from statistics_cases import DAY, NEXT, made, part, row, rows

PLANS = """
insert into onekey.resident (district, household_id, name) values ('D', 2, 'Sample Two');
select onekey.set_care_plan('D', 1, 'greeting', due_at => now() - interval '3 hours'),
       onekey.set_care_plan('D', 2, 'greeting', due_at => now() - interval '5 hours'),
       onekey.set_care_plan('D', 1, 'visit', due_at => now() + interval '1 hour');
"""


def done(db, plan, result, who="li", key="null"):
    return db.act(who, f"select ok, code, ticket_id from onekey.care_done('D', {plan}, '{result}', 'a note', {key})")


def due(db, who="li", more=""):
    return db.act(who, f"select plan_id, resident, task from onekey.due_care('D'{more})").splitlines()


def plan(db, number, columns):
    return db.sql(f"select {columns} from onekey.care_plan where id = {number}")


def test_care_is_due_longest_overdue_first(db):
    db.sql(PLANS)
    equal(due(db), ["2|Sample Two|greeting", "1|Sample One|greeting"])
    equal(due(db, more=", now() + interval '2 hours', 1"), ["2|Sample Two|greeting"])
    at, number = db.sql("select next_try_at, id from onekey.care_plan where id = 2").split("|")
    equal(due(db, more=f", now() + interval '2 hours', 50, '{at}', {number}"), ["1|Sample One|greeting", "3|Sample One|visit"])
    equal(due(db, "guest"), [])
    db.sql("insert into onekey.absence (district, household_id, reason, from_at, entered_by) "
           "values ('D', 2, 'hospital', now() - interval '1 day', 'x')")
    equal(due(db), ["1|Sample One|greeting"])
    equal(db.sql("select actor, is_allowed from onekey.audit where action = 'care' order by id").splitlines(),
          ["li|t", "li|t", "li|t", "guest|f", "li|t"])


def test_a_kept_promise_makes_the_next_one_due(db):
    db.sql(PLANS)
    equal(done(db, 1, "well", key="'k'"), "t|done|")
    equal(plan(db, 1, "attempts, due_at - last_done_at, next_try_at = due_at"), "0|2 days|t")
    equal(done(db, 1, "well", key="'k'"), "t|done|")  # sent again: as before
    equal(db.sql("select count(*), min(on_time_until - due_at) from onekey.care_contact"), "1|2 days")
    equal(done(db, 1, "sings"), "f|invalid|")
    equal(done(db, 99, "well"), "f|not_found|")
    equal(done(db, 1, "well", who="guest"), "f|forbidden|")
    db.sql("select onekey.set_user('D', 'street', 'street_town', null, '{}')")
    equal(done(db, 1, "well", who="street"), "f|not_found|")  # not of that person's areas


def test_who_does_not_answer_is_tried_again_then_called_for(db):
    db.sql(PLANS)
    equal(done(db, 1, "no_answer"), "t|done|")
    equal(plan(db, 1, "attempts, next_try_at > now() + interval '119 minutes', due_at < now()"), "1|t|t")
    equal(done(db, 1, "no_answer"), "t|done|")
    equal(done(db, 1, "no_answer"), "t|done|1")
    equal(db.ticket(1, "kind, priority, household_id, state, detail ->> 'attempts'"), "care_call|5|1|open|3")
    equal(done(db, 1, "no_answer"), "t|done|1")  # the same ticket
    equal(db.sql("select id from onekey.v_care_calls"), "1")
    equal(db.events(1), ["raised", "pressed_again"])


def test_whom_somebody_has_just_called_is_not_called_again(db):
    db.sql(PLANS)
    equal(done(db, 1, "no_answer"), "t|done|")
    equal(db.act("zhao", "select ok, code, owner, message ~ '^li has called already, 00:00:0. ago: no_answer$', detail ->> 'result'"
                 " from onekey.care_done('D', 1, 'well')"), "f|called|li|t|no_answer")
    equal(db.sql("select count(*), max(attempts) from onekey.care_contact c join onekey.care_plan p on p.id = c.plan_id"), "1|1")
    equal(done(db, 1, "well"), "t|done|")  # whoever called may say more
    equal(done(db, 1, "needs_help", who="zhao"), "t|done|1")  # and help is never refused


def test_who_needs_help_is_an_alarm(db):
    db.sql(PLANS)
    equal(done(db, 2, "needs_help"), "t|done|1")
    equal(db.ticket(1, "kind, priority, household_id, area_id, detail ->> 'by'"), "panic|1|2|2|li")
    equal(db.sql("select ticket_id from onekey.care_contact"), "1")


def test_an_alarm_moves_the_next_greeting_forward(db):
    db.sql(PLANS)
    equal(done(db, 1, "well"), "t|done|")
    number = made(db, DAY + " 08:00:00", "silence")
    for command, rest in [("claim", []), ("verify", []), ("close", ["person_well"])]:
        equal(db.command("li", command, number, *rest), "done")
    equal(plan(db, 1, "due_at between now() + interval '3 hours' and now() + interval '4 hours'"), "t")
    equal(plan(db, 3, "due_at < now() + interval '1 hour'"), "t")  # a visit stays as it is
    number = made(db, DAY + " 09:00:00", "low_battery")
    equal(done(db, 1, "well"), "t|done|")
    for command, rest in [("claim", []), ("close", ["repaired"])]:
        equal(db.command("li", command, number, *rest), "done")
    equal(plan(db, 1, "due_at > now() + interval '1 day'"), "t")


def test_weather_calls_for_everyone_of_an_area(db):
    db.sql(PLANS + "select onekey.set_care_plan('D', 1, 'weather'), onekey.set_care_plan('D', 2, 'weather')")
    equal(plan(db, 4, "due_at is null"), "t")
    equal(db.act("li", "select onekey.call_for_weather('D')"), "0")
    equal(db.act("wang", "select onekey.call_for_weather('D')"), "2")
    equal(sum("weather" in line for line in due(db)), 2)
    db.sql("""insert into onekey.area (district, code, parent_id, level, name_zh) values ('D', 'U', 1, 'street_town', '样例二街道');
        update onekey.household set area_id = (select id from onekey.area where code = 'U') where code = 'H2';
        select onekey.set_user('D', 'chen', 'supervisor', null, '{U}')""")
    equal(db.act("chen", "select onekey.call_for_weather('D'), onekey.call_for_weather('D', (select id from onekey.area where code = 'T'))"),
          "1|0")  # those of his areas, and of no other


def test_care_rounds_count_what_is_not_done(db):
    db.sql(PLANS)
    db.sql(f"update onekey.care_plan set due_at = '{DAY} 10:00+08', last_done_at = '{DAY} 10:00+08'::timestamptz - interval '2 days'")
    contact = "('D', 1, 'greeting', 1, 2, '{due}', '{due}', 1, '{result}', {done}, '{at}+08')"
    values = [("well", True, f"{DAY} 09:00", f"{DAY} 08:59"), ("no_answer", False, f"{DAY} 11:00", f"{DAY} 10:59"),
              ("well", True, f"{DAY} 11:00", f"{DAY} 18:00"), ("no_answer", False, f"{DAY} 12:00", f"{DAY} 12:01"),
              ("well", True, f"{NEXT} 00:00", f"{NEXT} 00:00")]
    db.sql("insert into onekey.care_contact (district, plan_id, task, household_id, area_id, due_at, on_time_until, attempt, "
           "result, is_done, at) values " + ", ".join(
               contact.format(result=result, done=is_done, due=f"{when}+08", at=at) for result, is_done, when, at in values))
    greeting = row(db, "care", {"task": "greeting", "area": None})
    # Kept in time, kept late, not kept; and the two plans that nobody has tried.
    equal(part(greeting, "due done in_time percent overdue_now"), [5, 2, 1, 20, 2])
    equal(part(row(db, "care", {"task": "visit", "area": "样例街道"}), "due done"), [1, 0])
    equal(row(db, "services", {"service": "care_call"})["services"], 2)


def test_audits_are_drawn_two_an_operator(db):
    for number in range(30):
        made(db, f"{DAY} 08:{number:02}:00", "silence" if number % 3 else "panic", claimed=1, answered=5, verified=6, closed=60,
             by="li" if number % 2 else "zhao")
    equal(db.act("li", f"select onekey.draw_audits('D', '{DAY}')"), "0")
    equal(db.act("wang", f"select onekey.draw_audits('D', '{DAY}')"), "4")
    equal(db.act("wang", f"select onekey.draw_audits('D', '{DAY}')"), "0")
    equal(db.act("wang", f"select onekey.draw_audits('D', '{DAY}', 3)"), "2")
    equal(db.sql("select operator, count(*), bool_or(is_emergency) from onekey.call_audit group by 1 order by 1").splitlines(),
          ["li|3|t", "zhao|3|t"])
    number = db.sql("select min(id) from onekey.call_audit where operator = 'li'")
    equal(db.act("li", f"select onekey.audit_call('D', {number}, 90)"), "f")
    equal(db.act("wang", f"select onekey.audit_call('D', {number}, 90, 'clear and calm')"), "t")
    equal(part(row(db, "audits", {"operator": "li"}), "drawn done mean_score"), [3, 1, 90])
    db.sql("""insert into onekey.area (district, code, parent_id, level, name_zh) values ('D', 'U', 1, 'street_town', '样例二街道');
        select onekey.set_user('D', 'chen', 'supervisor', null, '{U}')""")  # no call was of that area
    equal(db.act("chen", f"select onekey.audit_call('D', {number}, 10)"), "f")
    equal(db.act("chen", "select count(*) from onekey.call_audit"), "0")
    equal(db.act("chen", f"select onekey.draw_audits('D', '{DAY}', 5)"), "0")
    equal(db.act("wang", "select count(*) from onekey.call_audit"), "6")
    equal(json.dumps([one["operator"] for one in rows(db, "audits")]), '["li", "zhao"]')
    holds("permission denied", db.refusal("update onekey.call_audit set score = 1", "a_console"))
