"""Many people at once. ONEKEY_SEED=N repeats what clients do; how the server interleaves them is its own."""
import collections
import json
import os
import random

from clients import Client, serve
from database import array, equal, signal
from worker import LOOK, View, Worker

CLAIMANTS, CONTESTED = 160, 100
WORKERS, COMMANDS_EACH, HOMES = 32, 60, 40


def login(name):
    return f"select onekey.act_as('D', '{name}', 'desk of {name}', true)"


def team(db, count):
    """That many operators; their names."""
    names = [f"op{number}" for number in range(count)]
    db.sql(f"select onekey.set_user('D', name, 'operator') from unnest({array(names, 'text')}) name")
    return names


def test_160_claim_the_same_100_tickets(db):
    names = team(db, CLAIMANTS)
    db.raises(*[signal(number, "panic", f"ghost{number}") for number in range(1, CONTESTED + 1)])
    clients = [Client(db, "a_console", login(name)) for name in names]
    serve(clients, lambda index, line: equal(line, "operator"))
    numbers = random.Random(1)
    todo = [numbers.sample(range(1, CONTESTED + 1), CONTESTED) for _ in clients]
    told, won = collections.defaultdict(set), collections.defaultdict(list)

    def claim_next(index):
        if todo[index]:
            clients[index].send(f"select ticket_id, code, owner from onekey.ticket_claim('D', {todo[index].pop()})")

    def take(index, line):
        ticket, code, owner = line.split("|")
        told[ticket].add(owner)
        if code == "done":
            won[ticket].append(names[index])
        else:
            equal(code, "taken")
        claim_next(index)

    for index in range(len(clients)):
        claim_next(index)
    serve(clients, take)
    for client in clients:
        client.close()
    equal(len(won), CONTESTED)
    owners = dict(row.split("|") for row in db.sql("select id, claimed_by from onekey.ticket").splitlines())
    for ticket, owner in owners.items():
        equal((ticket, won[ticket], told[ticket]), (ticket, [owner], {owner}))
    equal(db.sql("select count(*), count(distinct ticket_id) from onekey.ticket_event where kind = 'claimed'"),
          f"{CONTESTED}|{CONTESTED}")


def alarm(numbers, number):
    kind = numbers.choice(["panic", "fall", "silence", "low_battery", "battery_restored", "cancel", "service", "device_lost"])
    return signal(number, kind, f"home{numbers.randrange(HOMES)}", service_kind="taxi" if kind == "service" else None)


def events_of(db):
    rows = db.sql("""select json_build_object('ticket', e.ticket_id, 'id', e.id, 'at', extract(epoch from e.at)::text, 'kind', e.kind,
        'actor', e.actor, 'origin', e.origin, 'detail', coalesce(e.detail, '{}')) from onekey.ticket_event e order by e.id""")
    return [json.loads(row) for row in rows.splitlines()]


def replay(db, events):
    """Follows every ticket through its events by the table of transitions; returns state and owner of each."""
    classes = dict(row.split("|") for row in db.sql("select id, class from onekey.v_tickets").splitlines())
    table = {tuple(row.split("|")) for row in db.sql("""select r.kind_class, c.event, r.from_state || '>' || r.to_state
        from onekey.ticket_transition r join onekey.ticket_command c on c.name = r.command where c.event is not null""").splitlines()}
    state, owner, at = {}, {}, {}
    for event in events:
        ticket, kind, step = event["ticket"], event["kind"], event["detail"].get("step")
        assert float(event["at"]) >= at.get(ticket, 0), f"time runs backwards: {event}"
        at[ticket] = float(event["at"])
        if kind == "raised":
            assert ticket not in state, event
            state[ticket], owner[ticket] = "open", None
        if kind == "closed" and event["actor"] is None:
            equal(state[ticket], "open")
            state[ticket] = "closed"
        if step is None:
            continue
        assert (classes[str(ticket)], kind, step) in table, f"no such transition: {event}"
        before, after = step.split(">")
        equal((event["id"], state[ticket]), (event["id"], before))
        state[ticket] = after
        if kind == "claimed":
            equal((event, owner[ticket]), (event, None))
            owner[ticket] = event["actor"]
        elif kind == "handed_over":
            equal((event, owner[ticket]), (event, event["actor"]))
            owner[ticket] = event["detail"]["to"]
        elif kind in ("released", "claim_expired", "held", "reopened"):
            owner[ticket] = None
        elif kind in ("answered", "dispatched", "on_scene", "verified", "closed", "merged", "marked_test"):
            equal((event, owner[ticket]), (event, event["actor"]))
    return state, owner


def check_record(db, workers):
    """Every success has its one event and nothing else has any."""
    events = events_of(db)
    state, owner = replay(db, events)
    equal([tuple(row.split("|")) for row in db.sql("select id, state, claimed_by from onekey.ticket order by id").splitlines()],
          [(str(ticket), state[ticket], owner[ticket] or "") for ticket in sorted(state)])
    kinds = dict(row.split("|") for row in db.sql("select name, event from onekey.ticket_command").splitlines())
    told = collections.Counter()
    for worker in workers:
        for command, ticket, event, also in worker.done:
            if kinds[command]:
                told[(worker.name, ticket, kinds[command], event)] = 1  # a key again brings the same event
            for other in also:
                told[(worker.name, other, "claimed", ticket)] = 1
    stored = collections.Counter()
    for event in events:
        if event["actor"] and "step" in event["detail"]:
            by = event["detail"].get("with")
            stored[(event["actor"], event["ticket"], event["kind"], by or str(event["id"]))] = 1
    return told, stored


def check_rows(db):
    equal(db.sql("""select id from onekey.ticket where not coalesce(
        (claimed_at is null or claimed_at <= coalesce(answered_at, 'infinity') and claimed_at <= coalesce(dispatched_at, 'infinity')
         and claimed_at <= coalesce(verified_at, 'infinity'))
        and (dispatched_at is null or dispatched_at <= coalesce(on_scene_at, 'infinity')
             and dispatched_at <= coalesce(verified_at, 'infinity'))
        and (on_scene_at is null or on_scene_at <= coalesce(verified_at, 'infinity'))
        and (closed_at is null or greatest(claimed_at, answered_at, dispatched_at, on_scene_at, verified_at) <= closed_at
             or claimed_at is null), false)"""), "")
    equal(db.sql("""select id from onekey.ticket where kind in ('silence') and state = 'closed' and outcome <> 'merged'
        and verified_at is null"""), "")
    equal(db.sql("select subject, kind, service_kind from onekey.ticket where state <> 'closed'"
                 " group by 1, 2, 3 having count(*) > 1"), "")


def test_random_commands_of_32_people_leave_a_true_record(db):
    seed = int(os.environ.get("ONEKEY_SEED", random.randrange(10 ** 6)))
    print(f"# seed={seed}", flush=True)
    numbers, view, names = random.Random(seed), View(db), team(db, WORKERS)
    workers = [Worker(name, random.Random(f"{seed} {name}"), view, names) for name in names + ["guest"]]
    db.raises(*[signal(number, "panic", f"home{number}") for number in range(HOMES)])
    view.take(db.sql(LOOK))
    people = [Client(db, "a_console", login(worker.name)) for worker in workers]
    gateway, clock, eye = Client(db, "a_gateway"), Client(db, "a_gateway"), Client(db, "postgres")
    serve(people, lambda index, line: None)
    left = [COMMANDS_EACH] * len(people) + [60, 40]
    clients = people + [gateway, clock, eye]

    def send_next(index):
        if clients[index] is eye:
            if max(left) > 0:
                eye.send(LOOK)
            return
        left[index] -= 1
        if left[index] < 0:
            return
        if clients[index] is gateway:
            batch = [alarm(numbers, 1000 + left[index] * 10 + nth) for nth in range(3)]
            gateway.send("select count(*) from (" + db.call(batch).replace("\n", " ") + ") c")
        elif clients[index] is clock:
            clock.send(f"select onekey.expire_tickets('D', clock_timestamp() + interval '{numbers.choice([0, 0, 0, 70, 1000])} s')")
        else:
            clients[index].send(workers[index].command())

    def take(index, line):
        assert "ERROR" not in line or clients[index] is gateway and "deadlock" in line, line
        if clients[index] is eye:
            view.take(line)
        elif index < len(workers):
            workers[index].take(line)
        send_next(index)

    for index in range(len(clients)):
        send_next(index)
    serve(clients, take)
    for client in clients:
        client.close()
    told, stored = check_record(db, workers)
    equal(told - stored, collections.Counter())
    equal(stored - told, collections.Counter())
    check_rows(db)
    done = collections.Counter(command for worker in workers for command, *_ in worker.done)
    print(f"# {done.total()} of {WORKERS * COMMANDS_EACH} commands succeeded: {dict(done)}", flush=True)
    print(f"# answers: {dict(sum((worker.codes for worker in workers), collections.Counter()))}", flush=True)
    assert done.total() > WORKERS * COMMANDS_EACH / 2, done
    assert len(done) >= 14, done
    equal(db.sql("select count(*) from onekey.audit where not is_allowed"), str(sum(worker.codes["forbidden"] for worker in workers)))
    equal(sum(worker.codes["forbidden"] for worker in workers), COMMANDS_EACH)  # guest's
