"""What the console asks of figures, care and audits: the same as the report says, only for whom it is, sums that tie."""
import json

from care_cases import PLANS
from database import equal, holds, quote
from report_cases import good
from statistics_cases import DAY, NEXT, TOWN, WEEKS, made

MONTH = {"month": "2026-03", "language": "en"}


def ask(db, who, request, **arguments):
    """(status, body) of api_REQUEST as that person."""
    told = db.act(who, f"select json_build_object('status', status, 'body', body) from onekey.api_{request}({quote(json.dumps(arguments))})")
    answer = json.loads(told)
    return answer["status"], answer["body"]


def body(db, who, request, **arguments):
    status, told = ask(db, who, request, **arguments)
    equal((request, status, told if status != 200 else ""), (request, 200, ""))
    return told


def lasting(measure):
    """A measure without what grows while a ticket is open."""
    return {**measure, "rows": [{name: value for name, value in row.items() if name != "taken_s"} for row in measure["rows"]]}


def test_the_console_reads_the_figures_of_the_report(db):
    db.sql(TOWN + WEEKS)
    made(db, "2026-02-10 08:00:00", claimed=1, answered=20, closed=60)
    told = json.loads(good(db, "--month", "2026-03", "--compare", "previous", "--format", "json", "--language", "en"))
    report = body(db, "wang", "report", **MONTH, compare="previous", format="json")
    equal({name: report[name] for name in ["from", "until", "zone", "tickets", "definitions"]},
          {name: told[name] for name in ["from", "until", "zone", "tickets", "definitions"]})
    equal(report["previous_from"], "2026-02-01")
    for mine, theirs in zip(report["measures"], told["measures"], strict=True):
        equal(lasting(mine), lasting(theirs))
    catalog = body(db, "wang", "measures", language="en")["measures"]
    equal([one["name"] for one in catalog if not one["on_demand"]], [one["name"] for one in told["measures"]])
    for one in told["measures"]:
        measure = body(db, "wang", "measure", name=one["name"], **MONTH, compare="previous")
        equal(lasting({**one, "rows": measure["rows"], "previous": measure["previous"]}), lasting(one))
    part = body(db, "wang", "measure", name="answer", **{"from": "2026-03-01", "until": "2026-04-01"}, area="U")
    equal(sum(one["received"] for one in part["rows"]), sum(one["received"] for one in json.loads(
        good(db, "--month", "2026-03", "--area", "U", "--measure", "answer", "--format", "json"))["measures"][0]["rows"]))
    equal(db.sql("select detail ->> 'from' from onekey.audit where action = 'read_report' and is_allowed"), "2026-03-01")


def test_a_figure_leads_to_the_tickets_it_counts(db):
    db.sql(TOWN + WEEKS)
    db.sql("select count(*) from onekey.roll_up_days('D', 400)")
    tickets = lambda **where: body(db, "wang", "measure", name="list", **MONTH, **where)
    rows = lambda name: body(db, "wang", "measure", name=name, **MONTH)["rows"]
    for one in rows("answer"):
        where = json.dumps({"class": one["class"], "mode": one["mode"]})
        equal(tickets(filter=where)["total"], one["received"])
        late = tickets(filter=where, answer_over=60)["total"]
        equal(round(100 * (one["received"] - late) / one["received"], 2), one["within_60"])
    for one in rows("tickets"):
        where = {name: one[name] for name in ["kind", "service_kind", "street_town", "device_kind"]}
        equal(tickets(filter=json.dumps({**where, "episode": 1}))["total"], one["tickets"])
    for one in rows("outcomes"):
        equal(tickets(filter=json.dumps({"kind": one["kind"], "outcome": one["outcome"]}))["total"], one["closed"])
    for one in rows("answer_by_day"):
        equal(tickets(filter=json.dumps({"class": "alarm", "mode": "normal", "day": one["day"]}))["total"], one["received"])
    for one in rows("tickets_by_hour"):
        equal(tickets(filter=json.dumps({"class": "alarm", "weekday": one["weekday"], "hour": one["hour"], "episode": 1}))["total"],
              one["alarm"])
    every = tickets()
    equal((every["total"], len(every["rows"])), (600, 500))


def test_figures_are_only_for_whom_they_are(db):
    equal(ask(db, "li", "measures", language="en")[0], 403)
    equal(ask(db, "li", "measure", name="answer", **MONTH)[0], 403)
    equal(ask(db, "li", "report", **MONTH)[0], 403)
    names = [one["name"] for one in body(db, "root", "measures", language="zh")["measures"]]
    assert "answer" in names and "operators" not in names, names
    equal(ask(db, "root", "measure", name="operators", **MONTH)[0], 403)
    assert "operators" not in [one["name"] for one in body(db, "root", "report", **MONTH)["measures"]]
    equal(ask(db, "wang", "measure", name="answers", **MONTH)[0], 404)
    made(db, f"{DAY} 08:00:00", claimed=1, answered=5)
    db.sql("select onekey.set_user('D', 'street', 'street_town', null, '{T}')")
    equal(body(db, "street", "measure", name="answer", **MONTH)["rows"][0]["received"], 1)
    db.sql(TOWN + "select onekey.set_user('D', 'street', 'street_town', null, '{U}')")
    equal(body(db, "street", "measure", name="answer", **MONTH)["rows"], [])
    for wrong in [{"month": "2026-13"}, {"from": NEXT, "until": DAY}, {"from": "2020-01-01", "until": "2026-01-01"}, {}]:
        holds("ERROR", db.refusal(f"select onekey.console_window({quote(json.dumps(wrong))})"))
    holds("there is no area X", db.refusal("select onekey.console_area('D', 'X')"))


def test_a_care_round_is_worked_through(db):
    db.sql(PLANS)
    told = body(db, "li", "care_due", limit=1)
    equal([one["resident"] for one in told["rows"]], ["Sample Two"])
    equal((told["counts"]["due"], told["counts"]["over_24h"], told["counts"]["done_today"], told["counts"]["tasks"]),
          (2, 0, 0, {"greeting": 2}))
    equal([one["key"] for one in told["results"]], ["1", "2", "3", "4", "5"])
    following = body(db, "li", "care_due", limit=1, after=told["next"])
    equal([one["resident"] for one in following["rows"]], ["Sample One"])
    number = told["rows"][0]["plan_id"]
    for _ in range(2):  # sent again: answered as before
        equal(body(db, "li", "care_done", id=number, key="a", body={"result": "well", "note": "sings"})["code"], "done")
    equal(body(db, "li", "care_due")["counts"], {"due": 1, "tried": 0, "over_24h": 0, "tasks": {"greeting": 1}, "done_today": 1})
    plans = body(db, "li", "care_plans", household_id=2)["rows"]
    equal([(one["resident"], one["last_result"], one["last_note"]) for one in plans], [("Sample Two", "well", "sings")])
    equal(ask(db, "li", "care_done", id=number, body={"result": "sings"})[0], 409)
    equal(ask(db, "guest", "care_due")[0], 403)
    equal(ask(db, "guest", "care_plans", household_id=2)[0], 403)
    equal(ask(db, "li", "care_plan_set", body={"household_id": 2, "task": "visit"})[0], 403)
    equal(ask(db, "li", "care_plans", household_id=99)[0], 404)
    made_plan = body(db, "wang", "care_plan_set", body={"household_id": 2, "task": "weather", "every_s": None})["id"]
    assert made_plan > number, made_plan
    equal(body(db, "wang", "care_weather", body={"area": "T"}), {"plans": 1})
    equal(ask(db, "li", "care_weather", body={})[0], 403)
    changed = {"household_id": 2, "task": "greeting", "every_s": 86400, "is_active": False}
    equal(body(db, "root", "care_plan_set", body=changed)["id"], number)
    equal(db.sql(f"select every, is_active from onekey.care_plan where id = {number}"), "1 day|f")


def test_audits_of_calls_are_a_supervisors(db):
    for minute in range(4):
        made(db, f"{DAY} 08:{minute:02}:00", claimed=1, answered=5, closed=60)
    equal(ask(db, "li", "audits", month="2026-03")[0], 403)
    equal(body(db, "wang", "audits_draw", body={"month": "2026-03"}), {"drawn": 2})
    rows = body(db, "wang", "audits", month="2026-03")["rows"]
    equal([(one["operator"], one["kind"], one["is_emergency"], one["score"]) for one in rows], [("li", "panic", True, None)] * 2)
    equal(body(db, "wang", "audit_done", id=rows[0]["id"], body={"score": 80, "note": "calm"}), {"done": True})
    equal(ask(db, "wang", "audit_done", id=rows[0]["id"], body={"note": "calm"})[0], 400)
    equal(ask(db, "wang", "audit_done", id=999, body={"score": 80})[0], 404)
    equal(ask(db, "li", "audit_done", id=rows[0]["id"], body={"score": 80})[0], 403)
    equal([one["score"] for one in body(db, "wang", "audits", month="2026-03")["rows"]], [80, None])
