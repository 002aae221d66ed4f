"""Time limits are data, and each step of an escalation is taken once."""
from database import equal, holds, parallel, signal


def waiting(db, seconds, kind="panic", identity="w1", **more):
    """A ticket whose signal came so many seconds ago; its number."""
    db.sql("select onekey.gateway_started('g1', 'D', '1')")
    at = db.sql(f"select now() - interval '{seconds} s'")
    number = int(db.sql("select count(*) + 1 from onekey.signal"))
    return db.raises(signal(number, kind, identity, received_at=at, **more))[0][1]


def due(db, columns="action"):
    return db.sql(f"select {columns} from onekey.due_escalations('g1', now())").splitlines()


def fire(db, ticket, step):
    return db.sql(f"select onekey.fire_escalation('D', {ticket}, {step}, 'g1')", "a_gateway")


def test_steps_are_due_in_their_time_and_taken_once(db):
    ticket = waiting(db, 61)
    equal(due(db), ["ring_louder", "notify_supervisor"])
    steps = due(db, "step_id")
    equal(sorted(parallel([lambda: fire(db, ticket, steps[0])] * 6)), ["f"] * 5 + ["t"])
    notices = db.sql(f"listen onekey_supervisor; select onekey.fire_escalation('D', {ticket}, {steps[1]}, 'g1')")
    holds(f'"D {ticket} waiting"', notices)
    equal(due(db), [])
    equal(db.events(ticket), ["raised", "escalated", "escalated"])
    third = db.sql("select step_id from onekey.v_upcoming where action = 'second_desk'")
    equal(fire(db, ticket, third), "f")  # not due yet
    equal(db.sql("select count(*) from onekey.due_escalations('other', now())"), "0")


def test_back_on_the_queue_no_step_is_taken_twice(db):
    ticket = waiting(db, 61)
    for step in due(db, "step_id"):
        equal(fire(db, ticket, step), "t")
    equal(db.command("li", "claim", ticket), "done")
    equal(due(db), [])
    equal(db.command("li", "release", ticket), "done")
    equal(due(db), [])
    equal(db.sql("select action from onekey.v_upcoming order by due_at"), "second_desk\ncontact_ladder")


def test_nothing_escalates_on_hold_or_once_closed(db):
    ticket = waiting(db, 300)
    equal(len(due(db)), 4)
    step = due(db, "step_id")[0]
    for command in [("claim",), ("answer",), ("hold", "waits", 60)]:
        equal(db.command("li", command[0], ticket, *command[1:]), "done")
    equal((due(db), fire(db, ticket, step)), ([], "f"))
    equal(db.sql("select action, due_at = (select held_until from onekey.ticket) from onekey.v_upcoming"), "end_hold|t")
    equal(db.command("li", "claim", ticket), "done")
    equal(db.command("li", "answer", ticket), "done")
    equal(db.command("li", "close", ticket, "false_press"), "done")
    equal((due(db), fire(db, ticket, step)), ([], "f"))


def test_a_district_has_steps_of_its_own(db):
    db.sql("insert into onekey.escalation_step (district, kind_class, state, after_s, action, target) values"
           " ('D', 'alarm', 'open', 5, 'mqtt', 'sample/topic')")
    waiting(db, 61)
    equal(due(db, "action, target"), ["mqtt|sample/topic"])
    waiting(db, 301, "silence")
    equal(due(db), ["mqtt", "ring_louder"])


def limits(db, ticket):
    return db.sql(f"select measure, extract(epoch from breach_at - from_at)::int from onekey.v_ticket_sla"
                  f" where ticket_id = {ticket} order by measure").splitlines()


def test_limits_run_from_the_arrival_and_end_with_their_step(db):
    ticket = waiting(db, 5)
    equal(limits(db, ticket), ["answer|60", "close|14400", "present|15"])
    db.act("li", f"select onekey.tickets_presented('D', '{{{ticket}}}')")
    db.command("li", "claim", ticket)
    db.command("li", "answer", ticket)
    equal(limits(db, ticket), ["close|14400", "dispatch|60"])
    db.command("li", "dispatch", ticket, "{120}")
    equal(limits(db, ticket), ["close|14400", "on_scene|3600"])
    equal(db.sql("select from_at = (select received_at from onekey.ticket) from onekey.v_ticket_sla where measure = 'close'"), "t")
    taxi = waiting(db, 5, "service", "w2", service_kind="taxi")
    holds("answer|600", "\n".join(limits(db, taxi)))  # the ten minutes that are promised


def test_the_most_particular_limit_holds(db):
    ticket = waiting(db, 5)
    insert = "insert into onekey.sla_policy (district, kind, priority, area_id, measure, warn_s, breach_s) values "
    for row, wanted in [("('D', 'panic', null, null, 'answer', 1, 50)", 50), ("('*', 'panic', 1, null, 'answer', 1, 40)", 40),
                        ("('D', 'panic', 2, null, 'answer', 1, 1)", 40), ("('D', 'panic', null, 1, 'answer', 1, 30)", 30),
                        ("('D', 'panic', null, 2, 'answer', 1, 20)", 20)]:
        db.sql(insert + row)
        equal(limits(db, ticket)[0], f"answer|{wanted}")
