"""A district sets its limits, steps and the way to its contacts: whoever may, checked, and in the audit."""
import json

from database import equal, holds
from contact_cases import TOLD, asked, ladder, tokens
from escalation_cases import due, limits, waiting
from people_cases import PEOPLE

LIMIT = {"kind": "panic", "measure": "answer", "warn_s": 1, "breach_s": 50, "area": "T"}
STEP = {"kind_class": "alarm", "state": "open", "after_s": 5, "action": "webhook", "target": "platform"}


def call(function, wanted, district="D"):
    return f"select onekey.{function}('{district}', '{json.dumps(wanted)}')"


def test_limits_are_set_by_who_may_and_audited(db):
    ticket = waiting(db, 5)
    for name, role in PEOPLE.items():
        good = role in ("supervisor", "administrator")
        for function, wanted in [("set_limit", {**LIMIT, "measure": "present" if name == "root" else "answer"}),
                                 ("set_escalation", {**STEP, "after_s": 900 if name == "root" else 5}),
                                 ("set_escalation_policy", {"accept_s": 40})]:
            answer = db.act(name, call(function, wanted))
            equal((name, function, answer not in ("", "f")), (name, function, good))
    equal(db.act("wang", call("set_limit", LIMIT, "E")), "")  # another district
    equal(db.sql("select count(*) filter (where is_allowed), count(*) from onekey.audit where action = 'set_limits'"), "6|16")
    equal(limits(db, ticket)[0], "answer|50")
    equal(due(db, "action, target"), ["webhook|platform"])
    equal(db.sql("select accept_s, rounds from onekey.escalation_policy order by 1"), "40|2\n60|2")


def test_limits_are_changed_and_taken_away_by_number(db):
    number = int(db.act("wang", call("set_limit", LIMIT)))
    equal(db.act("wang", call("set_limit", {"id": number, "breach_s": 70})), str(number))
    equal(db.sql("select warn_s, breach_s, area_id from onekey.sla_policy where district = 'D'"), "1|70|2")
    step = int(db.act("wang", call("set_escalation", STEP)))
    equal(db.act("wang", call("set_escalation", {"id": step, "target": None})), str(step))
    equal(db.sql("select after_s, target from onekey.escalation_step where district = 'D'"), "5|")
    everyone = db.sql("select min(id) from onekey.sla_policy where district = '*'")
    for function, one, wanted in [("set_limit", int(everyone), ""), ("set_limit", number, str(number)), ("set_limit", number, ""),
                                  ("set_escalation", step, str(step)), ("set_escalation", step, "")]:
        equal(db.act("wang", call(function, {"id": one, "remove": True})), wanted)
    equal(db.sql("select count(*) from onekey.sla_policy where district = 'D'"), "0")
    equal(db.sql("select coalesce(detail #>> '{before,breach_s}', '-') from onekey.audit where action = 'set_limits' order by id").splitlines(),
          ["-", "50", "-", "-", "70", "-"])


def test_limits_that_make_no_sense_are_refused(db):
    for function, wanted, why in [
            ("set_limit", {**LIMIT, "kind": "flood"}, "violates check"), ("set_limit", {**LIMIT, "warn_s": 60}, "violates check"),
            ("set_limit", {**LIMIT, "area": "X"}, "no such area"), ("set_limit", {**LIMIT, "warns": 1}, "has no warns"),
            ("set_limit", {"kind": "panic"}, "null value"), ("set_escalation", {**STEP, "action": "shout"}, "violates check"),
            ("set_escalation", {**STEP, "state": "closed"}, "violates check"), ("set_escalation", {**STEP, "after_s": -1}, "violates check"),
            ("set_escalation_policy", {"rounds": 0}, "violates check"), ("set_escalation_policy", {"contact_by": "pigeon"}, "violates check"),
            ("set_escalation_policy", {"district": "*"}, "has no district")]:
        holds(why, db.refusal("select onekey.act_as('D', 'wang', null, true);" + call(function, wanted), "a_console"))
    equal(db.act("wang", call("set_escalation_policy", {"contact_by": "exec:call, webhook", "contact_first": "true"})), "t")
    equal(db.sql("select contact_by, contact_first, rounds from onekey.escalation_policy where district = 'D'"), "{exec:call,webhook}|t|2")


def ctl(db, *words, person="D/wang"):
    done = db.ctl(*words, "--as", person)
    return done.returncode, done.stdout + done.stderr


def test_limits_from_a_terminal(db):
    status, said = ctl(db, "limits", "set", "kind=panic", "measure=answer", "warn_s=20", "breach_s=50")
    equal(status, 0)
    number = said.split()[-1]
    holds("50", [line for line in ctl(db, "limits", "list")[1].splitlines() if f" {number} " in f" {line} "][0])
    equal(ctl(db, "limits", "remove", number)[0], 0)
    equal(ctl(db, "limits", "remove", number)[0], 1)
    equal(ctl(db, "escalation", "set", "kind_class=alarm", "state=open", "after_s=5", "action=ring_louder")[0], 0)
    holds("ring_louder", ctl(db, "escalation", "list")[1])
    equal(ctl(db, "escalation", "policy", "accept_s=45", "contact_by=exec:call")[0], 0)
    holds("exec:call", ctl(db, "escalation", "policy")[1])
    equal(ctl(db, "limits", "set", "kind=panic", person="D/li")[0], 1)
    for words in [("limits",), ("limits", "set"), ("limits", "set", "kind"), ("limits", "remove", "x"), ("escalation", "shout")]:
        equal((words, ctl(db, *words)[0]), (words, 2))
    equal(db.ctl("limits", "list").returncode, 2)  # nobody is named


def test_disaster_mode_from_a_terminal(db):
    status, said = ctl(db, "disaster", "start", "reason=样例停电", "priority_offset=1")
    equal((status, db.sql("select reason, started_by, ended_at is null from onekey.disaster")), (0, "样例停电|wang|t"))
    holds("样例停电", ctl(db, "disaster", "list")[1])
    number = db.sql("select id from onekey.disaster")
    equal(ctl(db, "disaster", "end", number, person="D/li")[0], 1)
    equal(ctl(db, "disaster", "end", number)[0], 0)
    equal((ctl(db, "disaster", "end", number)[0], db.sql("select ended_at is null from onekey.disaster")), (1, "f"))
    for words in [("disaster",), ("disaster", "start", "reason"), ("disaster", "end", "x")]:
        equal((words, ctl(db, *words)[0]), (words, 2))


def test_a_contact_answers_from_a_terminal(db):
    db.sql(TOLD)
    ladder(db)
    equal(ctl(db, "contact", "result", "attempt=1", "result=perhaps")[0], 1)
    equal(ctl(db, "contact", "result", "attempt=1", "result=busy", person="D/li")[0], 0)
    token = tokens(db)[-1]
    equal(ctl(db, "contact", "reply", "token=" + "0" * len(token), "result=accepted")[0], 1)
    equal(ctl(db, "contact", "reply", f"token={token}", "result=accepted")[0], 0)
    equal(asked(db), ["1|1|busy", "1|2|accepted"])
