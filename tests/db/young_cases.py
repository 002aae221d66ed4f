"""A gateway keeps its plans for as long as its connection lives: made on a young database, they must suit a grown one."""
from database import equal, signal

HOMES, TICKETS, OPEN = 1500, 3000, 1000
TIMES = 6  # the server makes a plan for each of the first five calls, then one for all
ROWS_MAX = 60  # of one table, read by one call; the longest table of words has some 25 rows

GROWN = f"""
insert into onekey.household (district, code, area_id, address) select 'D', 'G' || n, 2, 'Sample Road' from generate_series(1, {HOMES}) n;
insert into onekey.device (district, protocol, identity, kind, household_id)
select 'D', 'watch', 'g' || h.id, 'wristband', h.id from onekey.household h where h.code like 'G%';
insert into onekey.ticket (district, kind, priority, subject, household_id, protocol, identity, last_signal_at, received_at, state,
                           outcome, closed_at)
select 'D', 'panic', 1, 'grown:' || n, 3, 'watch', 'grown', now(), now(), case when n > {OPEN} then 'closed' else 'open' end,
       case when n > {OPEN} then 'false_alarm' end, case when n > {OPEN} then now() end from generate_series(1, {TICKETS}) n;
insert into onekey.signal (district, gateway, number, received_at, protocol, identity, kind, ticket_id, detail)
select 'D', 'g1', 1000000 + t.id, '2026-11-22 08:00+08', 'watch', 'grown', 'panic', t.id, jsonb_build_object('message_id', t.id)
from onekey.ticket t where t.identity = 'grown';
insert into onekey.ticket_event (district, ticket_id, kind) select 'D', t.id, 'raised' from onekey.ticket t where t.identity = 'grown';
insert into onekey.escalation_fired (district, ticket_id, step_id, since, fired_by)
select 'D', t.id, s.id, t.received_at - interval '1 day', 'g1' from onekey.ticket t, onekey.escalation_step s
where t.identity = 'grown' and s.kind_class = 'alarm' and s.state = 'open';
insert into onekey.contact_attempt (district, ticket_id, round, position, role, name, token_hash, asked_at, until_at, result,
                                    result_at)
select 'D', t.id, 1, 1, 'family', 'Sample', sha256(t.id::text::bytea), now(), now(), 'no_answer', now()
from onekey.ticket t where t.identity = 'grown';
insert into onekey.outbox (district, ticket_id, event_type, transport, payload, idempotency_key, delivered_at)
select 'D', t.id, 'ticket.raised', 'webhook', '{{}}', 'grown' || t.id, now() from onekey.ticket t where t.identity = 'grown';
insert into onekey.device_command (district, device_id, kind, asked_by, expires_at, state, finished_at)
select 'D', d.id, 'locate', 'li', now(), 'done', now() from onekey.device d where d.identity like 'g%';
"""
COUNTS = ("select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) as count from pg_stat_xact_user_tables"
          " where schemaname = 'onekey'")


def calls(db, numbers):
    """Each with the next of these numbers: what a gateway asks by key, many times a second."""
    number, other = next(numbers), next(numbers)
    press = signal(number, "panic", detail=f'{{"message_id": "{number}"}}')
    of = signal(other, "panic", "s1", detail=f'{{"message_id": "{other}"}}')
    return {
        "an alarm": db.call([press]),
        "the same record again": db.call([press]),
        "the same message again": db.call([{**press, "number": next(numbers)}]),
        "an alarm of another home": db.call([of]),
        "an alarm and one known already": db.call([of, signal(next(numbers), "panic", "w2")]),
        "battery low": db.call([signal(next(numbers), "low_battery")]),
        "battery well again": db.call([signal(next(numbers), "battery_restored")]),
        "a cancel": db.call([signal(next(numbers), "cancel")]),
        "when a ticket is due": "select * from onekey.next_due('D', '{1}', 86400)",
        "what is due at a ticket": "select * from onekey.take_due('g1', 'D', '{1}', 86400)",
        "a page of tickets that are due": "select * from onekey.page_of_due('D', '{\"\",\"\",\"\"}', 5, 86400)",
        "a reading": "select onekey.store_readings('g1', 'D', '{%d}', '{meter_json}', '{m1}', '{2026-11-22 07:00+08}',"
                     " '{2026-11-22 08:00+08}', '{123000}', '{null}', '{null}', '{97}', '{null}')" % next(numbers),
        "a sign of life": "select onekey.touch_devices('D', '{watch}', '{w1}', '{2026-11-22 08:00+08}')",
        "devices by number": "select * from onekey.registry_of('D', '{1,2}')",
        "notices to send": "select * from onekey.take_notices('g1', 'D', '{webhook}', '{null}', '{5}', '{t}', 60)",
        "commands that wait": "select * from onekey.waiting_device_commands('g1', 'D', '{1}', 60, 5)",
        "commands to send": "select onekey.take_device_commands('g1', 'D', '{1}', 60)",
    }


def test_plans_of_a_young_database_read_few_rows_of_a_grown_one(db):
    numbers = iter(range(1, 1000))
    script = ["\\o /dev/null", "select onekey.gateway_started('g1', 'D', '1')"]
    for _ in range(TIMES):
        script += calls(db, numbers).values()
    script += [GROWN, "analyze"]
    for name, call in calls(db, numbers).items():
        script += ["begin", f"create temporary table before on commit drop as {COUNTS}", call, "\\o",
                   f"select '{name}: ' || a.count - b.count || ' rows of ' || relname from ({COUNTS}) a"
                   f" join before b using (relname) where a.count - b.count > {ROWS_MAX}", "\\o /dev/null", "commit"]
    found = db.sql("".join(line + ("\n" if line.startswith("\\") else ";\n") for line in script))
    equal(found.splitlines(), [])


def test_no_plan_without_sequential_scans_is_compiled(db):
    """What such a scan costs then is beyond all limits, so that the server would compile the query at each call, for seconds."""
    equal(db.sql("select oid::regprocedure from pg_proc where 'enable_seqscan=off' = any (proconfig)"
                 " and 'jit=off' <> all (proconfig)"), "")
