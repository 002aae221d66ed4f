#!/usr/bin/python3
"""Time limits of tickets and the contact ladder, with two gateways on one database, while gateways and PostgreSQL are killed.

Asked of every escalation step: it is taken exactly once, never early, and at most LATE_S after its time, or after
the database could be reached again and a gateway ran, whichever came last. And that claims and holds which nobody works
on return on time. Of the ladder: that each contact is asked in turn on time, and told once by a program.
"""
import glob
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import free_port  # noqa: E402
from stack import BIN, Stack, Tap, wait_for  # noqa: E402

TICKETS = 500
STEPS_S = (2, 5, 8, 11, 14)  # of an open alarm
SPREAD_S = 6                 # over which the tickets came
LATE_S = 1.0
CLAIMED = 40
ACCEPT_S = 2  # that a contact has

RAISE = """
insert into onekey.ticket (district, kind, priority, subject, protocol, identity, last_signal_at, received_at)
select '{district}', 'panic', 1, 'watch:{name}' || n, 'watch', '{name}' || n, at, at
from generate_series(0, {count} - 1) n, lateral (select clock_timestamp() + {spread} * interval '1 s' * n / {count} as at) a;
select onekey.notify_tickets('{district}', array(select id from onekey.ticket where identity like '{name}%'));
"""


HOME = """
insert into onekey.area (district, code, level, name_zh) values ('{district}', '{district}', 'district', '样例区');
insert into onekey.household (district, code, area_id, address) select a.district, c, a.id, 'Sample Road'
from onekey.area a, unnest('{{LADDER1,LADDER2}}'::text[]) c;
insert into onekey.contact (district, household_id, position, role, name, phone)
select h.district, h.id, n, 'family', 'Sample ' || n, h.code || '-' || n from onekey.household h, generate_series(1, 2) n
where h.code like 'LADDER%';
update onekey.escalation_policy set accept_s = {accept}, contact_by = '{{exec:call}}', contact_first = true;
insert into onekey.escalation_step (district, kind_class, state, after_s, action) values
    ('{district}', 'technical', 'open', 1, 'contact_ladder'), ('{district}', 'water', 'open', 0, 'contact_first');
insert into onekey.ticket (district, kind, priority, subject, household_id, protocol, identity, last_signal_at, received_at)
select h.district, case h.code when 'LADDER1' then 'silence' else 'tamper' end, 2, 'household:' || h.id, h.id, 'watch', h.code,
       clock_timestamp(), clock_timestamp() from onekey.household h where h.code like 'LADDER%';
select onekey.notify_tickets('{district}', array(select id from onekey.ticket where identity like 'LADDER%'));
"""


def add_caller(stack):
    """A program that is told whom to call, and keeps what it was told."""
    with open(f"{stack.parent}/call", "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\ncat >"{stack.parent}/part.$$" && mv "{stack.parent}/part.$$" "{stack.parent}/told.$$"\n')
    os.chmod(f"{stack.parent}/call", 0o755)
    with open(f"{stack.folder}/conf.d/call.conf", "w", encoding="utf-8") as file:
        file.write(f"[exec call]\nprogram = {stack.parent}/call\ninclude = person\n")
    stack.stop("onekeyd")
    stack.start("onekeyd")


def told(stack):
    """Who was to be called: phone number to notice."""
    notices = []
    for path in glob.glob(f"{stack.parent}/told.*"):
        with open(path, encoding="utf-8") as file:
            notices.append(json.load(file)["data"])
    return {(notice["person"]["contact"]["phone"], notice["round"]): notice for notice in notices}


def set_up(stack):
    """Short steps, and claims that lapse soon."""
    steps = ", ".join(f"('{stack.values['DISTRICT']}', 'alarm', 'open', {s}, 'ring_louder')" for s in STEPS_S)
    stack.sql(f"insert into onekey.escalation_step (district, kind_class, state, after_s, action) values {steps}")
    stack.sql("update onekey.ticket_class set claim_s = 3, work_s = 3 where name = 'alarm'")
    stack.sql(f"select onekey.set_user('{stack.values['DISTRICT']}', 'li', 'operator')")


def raise_tickets(stack, name, count, spread_s):
    stack.sql(RAISE.format(district=stack.values["DISTRICT"], name=name, count=count, spread=spread_s))


class SecondGateway:
    """Another onekeyd on the same database, with a state of its own."""

    def __init__(self, stack):
        self.folder = f"{stack.parent}/second"
        os.makedirs(self.folder)
        with open(f"{self.folder}/conf", "w", encoding="utf-8") as file:
            file.write(f"[gateway]\nname = second\ndistrict = {stack.values['DISTRICT']}\n"
                       f"state_directory = {self.folder}\n"
                       f"[database]\nconninfo = host={stack.values['PGHOST']} port={stack.values['PGPORT']}"
                       f" dbname={stack.values['PGDATABASE']} user={stack.values['PGUSER']}\n"
                       f"[listen watch]\naddress = 127.0.0.1\nport = {free_port()}\nprotocol = watch\ntransport = tcp\n"
                       f"[control]\nsocket = {self.folder}/control\n")
        self.process = None

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen([f"{BIN}/onekeyd", "--config", f"{self.folder}/conf"], stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def restart(self):
        self.kill()
        self.start()


def taken(stack):
    return int(stack.value("select count(*) from onekey.escalation_fired"))


class Outages:
    """When, by the database's clock, nothing could be done."""

    def __init__(self):
        self.spans = []

    def lateness(self, due_at, fired_at):
        """Seconds after which the step could have been taken. An outage excuses no step that was late before it."""
        for began, ended in self.spans:
            if began - LATE_S <= due_at <= ended and began < fired_at:
                due_at = ended
        return fired_at - due_at


def without_database(stack, outages):
    """PostgreSQL is killed and started again. It is back when anybody can ask it something."""
    began = time.time()
    stack.kill("postgres")
    stack.start("postgres")
    wait_for(lambda: stack.sql("select 1"), 30)
    outages.spans.append((began, time.time()))


def no_gateway(stack, second, outages):
    """Both gateways are killed and started again. The first is back when it takes calls."""
    began = time.time()
    stack.kill("onekeyd")
    second.kill()
    time.sleep(1.5)  # deadlines pass meanwhile
    stack.start("onekeyd")
    outages.spans.append((began, time.time()))
    second.start()


def cause_trouble(stack, second, outages, total):
    """Kills this and that until all steps are taken."""
    numbers = random.Random(1)
    end = time.monotonic() + 90
    without_database(stack, outages)
    second.restart()
    no_gateway(stack, second, outages)
    while taken(stack) < total and time.monotonic() < end:
        numbers.choice([second.restart, lambda: None, lambda: None])()
        time.sleep(0.5)
    without_database(stack, outages)


def rows_of_steps(stack):
    return [(int(ticket), float(due), float(fired), by) for ticket, due, fired, by in stack.sql("""
        select f.ticket_id, extract(epoch from f.since) + s.after_s, extract(epoch from f.fired_at), f.fired_by
        from onekey.escalation_fired f join onekey.escalation_step s on s.district = f.district and s.id = f.step_id
        order by 3""")]


def test_steps(tap, stack, second):
    outages = Outages()
    total = TICKETS * len(STEPS_S)
    raise_tickets(stack, "trouble", TICKETS, SPREAD_S)
    cause_trouble(stack, second, outages, total)
    rows = rows_of_steps(stack)
    events = stack.sql("select ticket_id, count(*) from onekey.ticket_event where kind = 'escalated' group by 1")
    tap.check(len(rows) == total and len(events) == TICKETS and all(row[1] == str(len(STEPS_S)) for row in events),
              f"{TICKETS} tickets, {len(STEPS_S)} steps each, every one taken exactly once",
              f"{len(rows)} of {total} steps, {sum(int(row[1]) for row in events)} events")
    early = [row for row in rows if row[2] < row[1]]
    tap.check(not early, "none early", early[:5])
    late = sorted(outages.lateness(row[1], row[2]) for row in rows)
    tap.check(late and late[-1] <= LATE_S, f"none later than {LATE_S:g} s",
              f"median {late[len(late) // 2]:.2f} s, latest {late[-1]:.2f} s; outages "
              + ", ".join(f"{ended - began:.1f} s" for began, ended in outages.spans))
    by = {row[3] for row in rows}
    tap.check(by == {"stack", "second"}, "by both gateways", by)


def test_claims(tap, stack):
    """A claim that is not worked on is back on the queue on time, and the supervisor is told."""
    district = stack.values["DISTRICT"]
    raise_tickets(stack, "claim", CLAIMED, 0)
    ids = f"select id from onekey.ticket where identity like 'claim%' and state <> 'closed'"
    claimed = stack.sql(f"select onekey.act_as('{district}', 'li', null, true); "
                        f"select (onekey.ticket_claim('{district}', id)).ok from ({ids}) t")
    tap.check(claimed[1:] == [["t"]] * CLAIMED, f"{CLAIMED} tickets are claimed and left alone")
    query = ("select count(*) from onekey.ticket_event where kind = 'claim_expired'"
             f" and ticket_id in ({ids})")
    wait_for(lambda: stack.value(query) == str(CLAIMED), 30)
    late = [float(row[0]) for row in stack.sql(
        "select extract(epoch from e.at - c.at) - 3 from onekey.ticket_event e join onekey.ticket_event c"
        " on c.ticket_id = e.ticket_id and c.kind = 'claimed' where e.kind = 'claim_expired'")]
    tap.check(len(late) == CLAIMED and min(late) >= 0 and max(late) <= LATE_S,
              f"each is back on the queue once, at most {LATE_S:g} s late",
              f"latest {max(late, default=-1):.2f} s of {len(late)}")
    tap.check(stack.value(f"select count(*) from ({ids} and state = 'open' and claimed_by is null) t") == str(CLAIMED),
              "all of them")


def accept(stack, district):
    """Whoever is asked of the second home, and was told, accepts; true once that ends its ladder."""
    for row in stack.sql("select c.phone, a.round from onekey.contact_attempt a join onekey.ticket t on t.id = a.ticket_id"
                         " join onekey.contact c on c.household_id = t.household_id and c.position = a.position"
                         " where t.identity = 'LADDER2' and a.result is null"):
        notice = told(stack).get((row[0], int(row[1])))
        if notice:
            token = notice["person"]["contact"]["token"]
            return stack.value(f"select onekey.contact_reply('{district}', '{token}', 'accepted')") == "t"
    return False


def attempts(stack, identity):
    return stack.sql("select a.position, a.round, a.result, extract(epoch from a.asked_at), extract(epoch from a.until_at)"
                     f" from onekey.contact_attempt a join onekey.ticket t on t.id = a.ticket_id where t.identity = '{identity}'"
                     " order by a.id")


def test_contacts(tap, stack):
    """Two homes of two contacts each: silence that none of them looks after, and a contact who accepts."""
    district = stack.values["DISTRICT"]
    stack.sql(HOME.format(district=district, accept=ACCEPT_S))
    tap.check(wait_for(lambda: accept(stack, district), 60, 0.1), "a contact is told by a program, and accepts")
    over = len(attempts(stack, "LADDER2"))
    exhausted = "select count(*) from onekey.ticket_event where kind = 'contacts_exhausted'"
    wait_for(lambda: stack.value(exhausted) == "1", 60)
    rows = attempts(stack, "LADDER1")
    tap.check([row[:3] for row in rows] == [[position, turn, "no_answer"] for turn in "12" for position in "12"],
              "without an answer all are asked in order, twice", rows)
    late = [float(after[3]) - float(before[4]) for before, after in zip(rows, rows[1:])]
    tap.check(late and min(late) >= 0 and max(late) <= LATE_S, "each when the time of the one before is over",
              f"latest {max(late, default=-1):.2f} s")
    kinds = stack.value("select string_agg(e.kind, ' ' order by e.id) from onekey.ticket_event e join onekey.ticket t on t.id = e.ticket_id"
                        " where t.identity = 'LADDER1' and e.kind not in ('notified', 'contact_asked', 'contact_result')")
    tap.check(kinds == "escalated held contacts_exhausted hold_ended"
              and stack.value("select held_until is null and state = 'open' from onekey.ticket where identity = 'LADDER1'") == "t",
              "meanwhile the silence is put aside, then it is the desk's", kinds)
    wanted = {(f"LADDER{home}-{row[0]}", int(row[1])) for home in "12" for row in attempts(stack, f"LADDER{home}")}
    tap.check(wait_for(lambda: set(told(stack)) == wanted, 30) and stack.value("select count(*) from onekey.outbox") == str(len(wanted)),
              "one notice for each attempt", sorted(told(stack)))
    tap.check(len(attempts(stack, "LADDER2")) == over, "and none after one has accepted")


def main():
    tap = Tap()
    with Stack() as stack:
        add_caller(stack)
        second = SecondGateway(stack)
        try:
            second.start()
            set_up(stack)
            test_steps(tap, stack, second)
            test_claims(tap, stack)
            test_contacts(tap, stack)
        finally:
            second.kill()
    tap.finish()


main()
