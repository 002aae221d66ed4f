"""Fair assignment: who is given a ticket, and who gets it when he goes."""
from database import equal
from escalation_cases import take, waiting

ON = "update onekey.escalation_policy set fair_assignment = true where district = '*'"


def duty(db, *names):
    for name in names:
        db.act(name, "select onekey.set_shift('on')")


def owners(db):
    return db.sql("select coalesce(claimed_by, '-') from onekey.ticket order by id").splitlines()


def test_assignment_is_off_unless_asked_for(db):
    duty(db, "li")
    ticket = waiting(db, 1)
    take(db, ticket)
    equal(owners(db), ["-"])


def test_tickets_are_given_to_who_has_the_fewest(db):
    db.sql(ON)
    tickets = [waiting(db, 1, "panic", f"ghost{number}") for number in range(4)]
    take(db, *tickets)
    equal((owners(db), db.sql("select count(*) from onekey.v_upcoming where action = 'assign'")), (["-"] * 4, "0"))
    duty(db, "li", "zhao", "wang")
    db.act("zhao", "select onekey.set_shift('pause', null, 'tea')")
    take(db, tickets[0])
    equal(owners(db), ["li", "-", "-", "-"])
    db.act("zhao", "select onekey.set_shift('resume')")
    take(db, *tickets)
    equal(sorted(owners(db)), ["li", "li", "zhao", "zhao"])
    equal(db.sql("select distinct kind, actor = 'li' or actor = 'zhao', detail->>'assigned' from onekey.ticket_event where kind = 'claimed'"),
          "claimed|t|true")
    same = waiting(db, 1, "fall", "ghost0")
    battery = waiting(db, 1, "low_battery", "ghost0")
    take(db, same, battery)
    equal(owners(db)[4:], [owners(db)[0], "-"])


def test_what_somebody_leaves_goes_to_others(db):
    db.sql(ON)
    duty(db, "li")
    tickets = [waiting(db, 1, "panic", f"ghost{number}") for number in range(3)]
    take(db, *tickets)
    equal(owners(db), ["li"] * 3)
    db.command("li", "answer", tickets[0])
    duty(db, "zhao")
    equal(db.act("li", "select onekey.set_shift('pause', null, 'tea')"), "2")
    take(db, *tickets)
    equal(owners(db), ["li", "zhao", "zhao"])
    equal(db.act("li", "select onekey.set_shift('off')"), "1")
    take(db, *tickets)
    equal(owners(db), ["zhao"] * 3)


def test_who_lets_a_ticket_lapse_is_not_given_it_again(db):
    db.sql(ON)
    duty(db, "li")
    ticket = waiting(db, 1)
    take(db, ticket)
    db.sql("update onekey.ticket set claim_until = now(), owned_at = now() - interval '1 min'")
    take(db, ticket)
    equal((owners(db), db.events(ticket)[-1]), (["-"], "claim_expired"))
    equal(db.sql("select count(*) from onekey.v_upcoming where action = 'assign'"), "0")
    duty(db, "zhao")
    take(db, ticket)
    equal(owners(db), ["zhao"])
