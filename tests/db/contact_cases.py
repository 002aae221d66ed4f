"""The contact ladder: who is asked, in which order, until somebody accepts; and what the other steps leave on a ticket."""
import json

from database import equal, holds
from escalation_cases import take, waiting

CONTACTS = """insert into onekey.contact (district, household_id, position, role, name, phone) values
    ('D', 1, 1, 'family', 'Sample Kin', '0001'), ('D', 1, 2, 'neighbourhood', 'Sample Neighbour', '0002'),
    ('D', 1, 5, 'volunteer', 'Sample Helper', '0003')"""
FIRST = "update onekey.escalation_policy set contact_first = true where district = '*'"
TOLD = "update onekey.escalation_policy set contact_by = '{exec:call,webhook}', supervisor_by = '{mail:boss}' where district = '*'"


def ladder(db, kind="panic", seconds=181):
    """A ticket of household 1 whose contacts are being asked."""
    db.sql(CONTACTS)
    ticket = waiting(db, seconds, kind, "m1" if kind == "silence" else "w1", protocol="meter_json" if kind == "silence" else "watch")
    take(db, ticket)
    return ticket


def asked(db):
    return db.sql("select round, position, coalesce(result, '-') from onekey.contact_attempt order by id").splitlines()


def lapse(db, ticket):
    """The contact who is asked lets his time pass."""
    db.sql("update onekey.contact_attempt set until_at = now() where result is null")
    take(db, ticket)


def tokens(db):
    return db.sql("select payload #>> '{person,contact,token}' from onekey.outbox where transport = 'exec' order by id").splitlines()


def reply(db, token, result):
    return db.sql(f"select onekey.contact_reply('D', '{token}', '{result}')", "a_gateway")


def test_contacts_are_asked_in_order_twice_and_then_the_desk(db):
    ticket = ladder(db)
    equal(asked(db), ["1|1|-"])
    equal(db.sql("select action from onekey.v_upcoming"), "contact_lapsed")
    equal(take(db, ticket, columns="in_us between 30000000 and 60000000"), "t")
    equal(asked(db), ["1|1|-"])  # has his time
    for wanted in ["1|2|-", "1|5|-", "2|1|-", "2|2|-", "2|5|-"]:
        lapse(db, ticket)
        equal(asked(db)[-1], wanted)
    level = int(db.ticket(ticket, "ring_level"))
    lapse(db, ticket)
    equal(set(row.split("|")[2] for row in asked(db)), {"no_answer"})
    equal(db.events(ticket)[-2:], ["contact_result", "contacts_exhausted"])
    equal([db.events(ticket).count(kind) for kind in ["contact_asked", "contact_result"]], [6, 6])
    equal(db.ticket(ticket, "ring_level, state"), f"{level + 1}|open")
    equal(db.sql("select count(*) from onekey.v_upcoming"), "0")


def test_only_contacts_on_duty_are_asked(db):
    # In Shanghai it is Monday 07:30, and Tuesday 02:00, of the week of 23 November 2026.
    db.sql(CONTACTS)
    when = "select string_agg(position::text, ' ' order by position) from onekey.contact c where onekey.is_available(c, '{}')"
    for hours, morning, night in [
            ("available_from = '08:00', available_until = '18:00'", "2 5", "2 5"),
            ("available_from = '07:30', available_until = '18:00'", "1 2 5", "2 5"),
            ("available_from = '06:00', available_until = '07:30'", "2 5", "2 5"),
            ("available_from = '20:00', available_until = '06:00'", "2 5", "1 2 5"),
            ("available_days = '{1}'", "1 2 5", "2 5"),
            ("available_days = '{1}', available_from = '20:00', available_until = '06:00'", "2 5", "1 2 5"),
            ("available_days = '{2}', available_from = '20:00', available_until = '06:00'", "2 5", "2 5")]:
        db.sql("update onekey.contact set available_from = null, available_until = null, available_days = null;"
               f"update onekey.contact set {hours} where position = 1")
        equal((hours, db.sql(when.format("2026-11-23 07:30+08")), db.sql(when.format("2026-11-24 02:00+08"))),
              (hours, morning, night))
    db.sql("update onekey.contact set available_days = '{}' where position in (1, 5)")
    ticket = waiting(db, 181)
    take(db, ticket)
    equal(asked(db), ["1|2|-"])
    lapse(db, ticket)
    equal(asked(db)[1:], ["2|2|-"])
    db.sql("update onekey.contact set available_days = '{}'")
    lapse(db, ticket)
    equal((len(asked(db)), db.events(ticket)[-1]), (2, "contacts_exhausted"))


def test_a_contact_accepts_by_the_token_of_his_notice(db):
    db.sql(TOLD)
    ticket = ladder(db)
    equal(reply(db, "guessed", "accepted"), "f")
    equal(reply(db, tokens(db)[0], "maybe"), "f")
    equal(reply(db, tokens(db)[0], "refused"), "t")
    equal(asked(db), ["1|1|refused", "1|2|-"])
    for result in ["accepted", "accepted", "arrived", "done"]:
        equal(reply(db, tokens(db)[1], result), "t")
    equal((asked(db)[1], reply(db, tokens(db)[1], "refused")), ("1|2|done", "f"))
    equal(db.sql("select helper, name, sent_by, result, arrived_at is not null from onekey.ticket_helper"),
          "neighbourhood|Sample Neighbour|contact ladder|done|t")
    equal(db.sql("select action from onekey.v_upcoming"), "")
    equal(len(asked(db)), 2)
    assert tokens(db)[1] not in db.sql("select * from onekey.contact_attempt"), "the token itself is stored"
    db.command("li", "claim", ticket)
    db.command("li", "answer", ticket)
    equal(db.command("li", "close", ticket, "person_well"), "done")
    equal(reply(db, tokens(db)[0], "accepted"), "f")


def test_each_attempt_and_step_is_told_by_every_way_once(db):
    db.sql(TOLD)
    ticket = ladder(db)
    lapse(db, ticket)
    equal(db.sql("select event_type, transport, destination, count(*), count(distinct idempotency_key) from onekey.outbox"
                 " group by 1, 2, 3 order by 1, 2"),
          "ticket.contact|exec|call|2|2\nticket.contact|webhook||2|2\nticket.escalated|mail|boss|1|1")
    told = json.loads(db.sql("select payload from onekey.outbox where transport = 'exec' order by id limit 1"))
    equal((told["person"]["contact"]["name"], told["person"]["contact"]["phone"], told["round"]), ("Sample Kin", "0001", 1))
    nameless = json.dumps({**told, "person": None})
    assert "Kin" not in nameless and "0001" not in nameless and told["person"]["contact"]["token"] not in nameless
    holds("Please say before", told["text_en"])


def test_the_desk_calls_a_contact_by_hand(db):
    ticket = ladder(db)
    attempt = db.sql("select id from onekey.contact_attempt")
    for name, wanted in [("guest", "f"), ("root", "f"), ("li", "t")]:
        equal((name, db.act(name, f"select onekey.contact_result('D', {attempt}, 'busy')")), (name, wanted))
    equal(db.sql("select actor, object from onekey.audit where not is_allowed order by id"),
          f"guest|contact_attempt:{attempt}\nroot|contact_attempt:{attempt}")
    equal(asked(db), ["1|1|busy", "1|2|-"])
    equal(db.act("li", "select onekey.contact_result('D', 99, 'busy')"), "f")
    equal(db.sql("select result_by from onekey.contact_attempt where id = 1"), "li")
    equal(db.command("li", "claim", ticket), "done")
    lapse(db, ticket)
    equal(asked(db), ["1|1|busy", "1|2|no_answer"])  # li has it: nobody else is asked
    read = json.loads(db.act("li", f"select onekey.read_ticket('D', {ticket})"))["contacts"]
    equal([(one["name"], one["result"]) for one in read], [("Sample Kin", "busy"), ("Sample Neighbour", "no_answer")])
    assert "token_hash" not in read[0]


def test_silence_is_put_to_the_contacts_first(db):
    db.sql(FIRST)
    ticket = ladder(db, "silence", 0)
    equal(db.ticket(ticket, "state, hold_reason, held_until > now() + interval '6 min'"), "open|contact_first|t")
    equal(db.events(ticket), ["raised", "escalated", "held", "contact_asked"])
    for _ in range(5):
        lapse(db, ticket)
        equal(db.ticket(ticket, "held_until is not null"), "t")
    lapse(db, ticket)
    equal(db.ticket(ticket, "state, held_until, hold_reason, ring_level"), "open|||1")
    equal(db.events(ticket)[-3:], ["contact_result", "contacts_exhausted", "hold_ended"])
    equal(db.sql("select string_agg(action, ' ' order by due_at) from onekey.v_upcoming"), "ring_louder notify_supervisor")


def test_a_contact_who_goes_and_looks_keeps_silence_aside_for_a_while(db):
    db.sql(FIRST + ";" + TOLD)
    ticket = ladder(db, "silence", 0)
    equal(reply(db, tokens(db)[0], "accepted"), "t")
    equal(db.ticket(ticket, "hold_reason, held_until - now() > interval '29 min'"), "contact_first|t")
    equal(reply(db, tokens(db)[0], "needs_help"), "t")
    equal(db.ticket(ticket, "state, hold_reason"), "open|")
    equal(db.sql("select detail->>'why' from onekey.ticket_event where kind = 'hold_ended'"), "contact_needs_help")


def test_who_accepts_and_never_looks_does_not_hide_the_silence(db):
    db.sql(FIRST + ";" + TOLD)
    ticket = ladder(db, "silence", 0)
    reply(db, tokens(db)[0], "accepted")
    db.sql("update onekey.ticket set held_until = now()")
    take(db, ticket)
    equal((db.ticket(ticket, "state, hold_reason"), db.events(ticket)[-1]), ("open|", "hold_ended"))


def test_silence_stays_on_the_queue_without_contacts_or_if_it_waited(db):
    db.sql(FIRST)
    lonely = waiting(db, 0, "silence", "m1", protocol="meter_json")
    take(db, lonely)
    equal(db.ticket(lonely, "held_until is null, ring_level"), "t|1")
    equal(db.events(lonely)[-1], "contacts_exhausted")
    db.sql("update onekey.contact set household_id = 2")
    db.sql(CONTACTS.replace("'D', 1,", "'D', 2,") + "; update onekey.device set household_id = 2 where identity = 's1'")
    late = waiting(db, 200, "silence", "s1")
    take(db, late)
    equal(db.ticket(late, "held_until is null"), "t")
    equal(asked(db), ["1|1|-"])  # they are asked all the same


def test_contact_first_is_of_the_household_or_else_of_the_district(db):
    db.sql(CONTACTS)
    ticket = waiting(db, 0, "silence", "m1", protocol="meter_json")
    count = "select count(*) from onekey.v_upcoming where action = 'contact_first'"
    equal(db.sql(count), "0")
    db.sql("update onekey.household set contact_first = true where id = 1")
    equal(db.sql(count), "1")
    db.sql(FIRST + "; update onekey.household set contact_first = false where id = 1")
    equal(db.sql(count), "0")
    db.sql("update onekey.household set contact_first = null")
    equal(db.sql(count), "1")
    waiting(db, 0, "leak", "c1", protocol="meter_json")
    equal(db.sql(count), "1")
    take(db, ticket)
    waiting(db, 0, "panic")
    equal(db.ticket(ticket, "held_until is null"), "t")  # any alarm of the home ends the hold
    equal(db.sql(count), "0")  # once a ticket


def test_a_reopened_ticket_does_not_go_on_asking(db):
    ticket = ladder(db)
    for command in [("claim",), ("answer",), ("close", "person_well"), ("reopen",)]:
        equal(db.command("li", command[0], ticket, *command[1:]), "done")
    lapse(db, ticket)
    equal(asked(db), ["1|1|no_answer"])


def test_steps_leave_their_mark_until_somebody_claims(db):
    db.sql("insert into onekey.escalation_step (district, kind_class, state, after_s, action, target) values"
           " ('D', 'alarm', 'open', 1, 'ring_louder', null), ('D', 'alarm', 'open', 2, 'ring_louder', null),"
           " ('D', 'alarm', 'open', 3, 'second_desk', 'upstairs'), ('D', 'alarm', 'open', 4, 'webhook', 'platform'),"
           " ('D', 'alarm', 'open', 5, 'mqtt', null)")
    ticket = waiting(db, 6)
    take(db, ticket)
    equal(db.act("li", "select ring_level, second_desk_at is not null from onekey.v_tickets"), "2|t")
    equal(db.sql("select transport, destination, payload->>'action' from onekey.outbox order by id"),
          "webhook|platform|webhook\nmqtt||mqtt")
    db.command("li", "claim", ticket)
    equal(db.ticket(ticket, "ring_level, second_desk_at"), "0|")
    db.command("li", "release", ticket)
    equal(db.ticket(ticket, "ring_level, second_desk_at"), "0|")


def test_the_hours_of_contacts_are_set_and_kept(db):
    def put(contacts, **more):
        return db.act("li", f"select (onekey.api_contacts_set('{json.dumps({'id': 1, 'body': {'contacts': contacts, **more}})}')).status")

    stored = "select position, available_from, available_until, available_days from onekey.contact order by 1"
    kin = {"role": "family", "name": "Sample Kin", "phone": "0001"}
    neighbour = {"role": "neighbourhood", "name": "Sample Neighbour", "phone": "0002"}
    equal(put([{**kin, "available_from": "20:00", "available_until": "06:00", "available_days": [6, 7]}], contact_first=True), "200")
    equal(put([neighbour, kin]), "200")
    equal(db.sql(stored), "1|||\n2|20:00:00|06:00:00|{6,7}")
    equal(db.sql("select contact_first from onekey.household where id = 1"), "t")
    equal(put([{**kin, "available_from": None, "available_until": None}], contact_first=None), "200")
    equal(db.sql(stored), "1|||{6,7}")
    equal(db.sql("select contact_first from onekey.household where id = 1"), "")
    for wrong in ({"available_from": "24:00", "available_until": "06:00"}, {"available_from": "8", "available_until": "9"},
                  {"available_from": "08:00"}, {"available_from": "08:00", "available_until": None}, {"available_days": [0]},
                  {"available_days": []}, {"available_days": ["1"]}, {"available_days": "1"}, {"available_days": [1.5]}):
        equal((wrong, put([{**kin, **wrong}])), (wrong, "400"))
    equal(db.sql(stored), "1|||{6,7}")
