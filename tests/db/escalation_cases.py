"""Time limits are data, and each step of an escalation is taken once."""
from database import equal, holds, parallel, signal


def waiting(db, seconds, kind="panic", identity="w1", **more):
    """A ticket whose signal came so many seconds ago; its number."""
    db.sql("select onekey.gateway_started('g1', 'D', '1')")
    at = db.sql(f"select now() - interval '{seconds} s'")
    number = int(db.sql("select count(*) + 1 from onekey.signal"))
    return db.raises(signal(number, kind, identity, received_at=at, **more))[0][1]


def due(db, columns="action"):
    return db.sql(f"select {columns} from onekey.v_upcoming where step_id is not null and due_at <= now()"
                  " order by due_at, ticket_id, step_id").splitlines()


def take(db, *tickets, columns="ticket_id, in_us"):
    """What a gateway's timers do when these tickets are due."""
    return db.sql(f"select {columns} from onekey.take_due('g1', 'D', '{{{','.join(map(str, tickets))}}}', 600) order by 1", "a_gateway")


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


def test_back_on_the_queue_no_step_is_taken_twice(db):
    ticket = waiting(db, 61)
    for step in due(db, "step_id"):
        equal(fire(db, ticket, step), "t")
    equal(db.command("li", "claim", ticket), "done")
    equal(due(db), [])
    equal(db.command("li", "release", ticket), "done")
    equal(due(db), [])
    equal(db.sql("select action from onekey.v_upcoming order by due_at"), "second_desk\ncontact_ladder")


def test_what_is_due_is_done_together_and_the_next_deadline_told(db):
    first, second = waiting(db, 61), waiting(db, 130, "fall", "w2")
    equal(take(db, first, second, 99, columns="ticket_id, in_us between 1000000 and 59000000"), f"{first}|t\n{second}|t\n99|")
    equal((len(db.events(first)), len(db.events(second))), (3, 4))
    equal(take(db, first, second, columns="in_us > 1000000"), "t\nt")
    equal((len(db.events(first)), len(db.events(second))), (3, 4))


def test_four_gateways_take_each_step_once(db):
    tickets = [waiting(db, 200, "panic", f"ghost{number}") for number in range(40)]
    parallel([lambda: take(db, *tickets)] * 4)
    equal(db.sql("select action, count(*), count(distinct ticket_id) from (select ticket_id, detail->>'action' as action"
                 " from onekey.ticket_event where kind = 'escalated') e group by 1 order by 1"),
          "contact_ladder|40|40\nnotify_supervisor|40|40\nring_louder|40|40\nsecond_desk|40|40")


def test_a_claim_and_a_hold_end_on_time(db):
    first, second = waiting(db, 5), waiting(db, 5, "fall", "w2")
    for ticket in [first, second]:
        equal(db.command("li", "claim", ticket), "done")
    equal(db.command("li", "answer", second), "done")
    equal(db.command("li", "hold", second, "waits", 60), "done")
    equal(take(db, first, second, columns="in_us between 1000000 and 60000000"), "t\nt")
    db.sql("update onekey.ticket set claim_until = now(), owned_at = now() - interval '1 min' where claimed_by is not null;"
           "update onekey.ticket set held_until = now() where held_until is not null")
    take(db, first, second)
    equal((db.events(first)[-1], db.events(second)[-1]), ("claim_expired", "hold_ended"))
    equal(db.sql("select state, held_until is null, claimed_by from onekey.ticket"), "open|t|\nopen|t|")


def test_a_ticket_in_somebodys_hands_is_looked_at_again_at_once(db):
    ticket, other = waiting(db, 61), waiting(db, 61, "fall", "w2")
    busy = ("begin; set lock_timeout = 1; select from onekey.ticket where id = {} for no key update;"
            " \\! psql -XqAt -c \"select * from onekey.take_due('g1', 'D', '{{{},{}}}', 600)\"\n").format(ticket, ticket, other)
    rows = dict(row.split("|") for row in db.sql(busy).split("\n") if row)
    equal((rows[str(ticket)], int(rows[str(other)]) > 10 ** 6), ("200000", True))
    equal((db.events(ticket), len(db.events(other))), (["raised"], 3))


def test_a_step_that_fails_holds_up_no_other(db):
    db.sql("create function onekey.trip() returns trigger language plpgsql as $$ begin raise exception 'tripped'; end $$;"
           "create trigger trip before insert on onekey.escalation_fired for each row when (new.ticket_id = 1)"
           " execute function onekey.trip()")
    first, second = waiting(db, 61), waiting(db, 61, "fall", "w2")
    equal(take(db, first, second, columns="ticket_id, in_us = 5000000"), "1|t\n2|f")
    equal((db.events(first), len(db.events(second))), (["raised"], 3))


def test_all_open_tickets_are_read_in_pages(db):
    tickets = [waiting(db, 10, "panic", f"ghost{number}") for number in range(7)]
    db.command("li", "claim", tickets[3])
    db.command("li", "answer", tickets[3])
    db.command("li", "close", tickets[3], "false_press")
    seen, place = [], '{"","",""}'
    while True:
        page = [row.split("|") for row in db.sql(
            f"select ticket_id, in_us < 10000000, place from onekey.page_of_due('D', '{place}', 3, 600)",
            "a_gateway").splitlines()]
        seen += [(int(row[0]), row[1]) for row in page]
        if len(page) < 3:
            break
        place = page[-1][2]
    equal(sorted(seen), [(ticket, "t") for ticket in tickets if ticket != tickets[3]])
    holds("Async", db.sql("listen onekey_limits; update onekey.escalation_step set after_s = after_s"))


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
