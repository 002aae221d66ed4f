"""Who may do what, and that events are never changed."""
from database import equal, holds, signal

DENIED = "permission denied"


def test_a_gateway_may_call_its_functions_and_nothing_else(db):
    equal(db.raises(signal(1, "panic"), user="a_gateway"), [(1, 1, "open", True)])
    for call in ["select onekey.gateway_started('g', 'D', '1')", "select * from onekey.registry('D')",
                 "select * from onekey.registry_of('D', '{1}')",
                 "select onekey.touch_devices('D', '{watch}', '{w1}', '{2026-11-22}')",
                 "select onekey.store_observations('D', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
                 " '{}', '{}', '{}', '{}')",
                 "select onekey.reject('g', 'D', 5, now(), null, null, null, 'x', null)",
                 "select * from onekey.waiting_device_commands('g', 'D', null, 30, 50)",
                 "select onekey.take_device_commands('g', 'D', '{1}', 30)",
                 "select onekey.device_command_result('g', 'D', 1, 'done', null)",
                 "select onekey.maintain_partitions()",
                 "select onekey.store_readings('g', 'D', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"]:
        db.sql(call, "a_gateway")
    for call in ["select * from onekey.ticket", "select * from onekey.device", "delete from onekey.signal",
                 "insert into onekey.ticket_event (district, ticket_id, kind) values ('D', 1, 'note')",
                 "select onekey.open_or_bump('g', 'D', '{}')", "select onekey.grant_to('x', 'y')",
                 "select onekey.import_apply('areas', 'D')", "select * from onekey.household",
                 "select * from onekey.observation"]:
        holds(DENIED, db.refusal(call, "a_gateway"))


def test_the_console_reads_and_writes_nothing(db):
    db.raises(signal(1, "panic"))
    equal(db.act("li", "select count(*) from onekey.v_open_tickets"), "1")
    equal(db.act("li", "select count(identity) from onekey.device"), "5")
    for table in ["v_open_tickets", "ticket", "ticket_event", "device", "signal"]:  # nobody is named
        equal(db.sql(f"select count(*) from onekey.{table}", "a_console"), "0")
    for call in ["select secret from onekey.device", "select * from onekey.household", "select * from onekey.resident",
                 "select password_hash from onekey.app_user", "update onekey.app_user set role = 'administrator'", "update onekey.ticket set priority = 5",
                 "insert into onekey.ticket_event (district, ticket_id, kind) values ('D', 1, 'note')",
                 "delete from onekey.ticket_event", "select * from onekey.registry('D')",
                 "select * from onekey.registry_of('D', '{1}')", "select * from onekey.observation",
                 db.call([signal(2, "panic")])]:
        holds(DENIED, db.refusal(call, "a_console"))


def test_reports_read_no_names(db):
    db.sql("select * from onekey.v_ticket_times, onekey.v_area", "a_report")
    for table in ["household", "resident", "contact", "v_open_tickets", "signal", "device", "ticket"]:
        holds(DENIED, db.refusal(f"select * from onekey.{table}", "a_report"))


def test_a_stranger_may_not_even_look(db):
    for call in ["select * from onekey.ticket_kind", "select onekey.flag_set('x')", db.call([signal(1, "panic")])]:
        holds(DENIED, db.refusal(call, "a_stranger"))


def test_no_function_is_open_to_everybody(db):
    equal(db.sql("select p.oid::regprocedure from pg_proc p where pronamespace = 'onekey'::regnamespace"
                 " and has_function_privilege('a_stranger', p.oid, 'execute')"), "")


def test_definer_functions_fix_their_search_path(db):
    equal(db.sql("select proname from pg_proc where pronamespace = 'onekey'::regnamespace and prosecdef"
                 " and not coalesce(proconfig::text like '%search_path=onekey, pg_temp%', false)"), "")
    # A caller's own tables of the same names are not taken for ours.
    db.sql("create temporary table ticket (id int); create temporary table signal_kind (name text);"
           "set search_path = pg_temp; " + db.call([signal(1, "panic")]), "a_gateway")
    equal(db.sql("select count(*) from onekey.ticket"), "1")


def test_events_are_append_only_even_for_the_owner(db):
    db.raises(signal(1, "panic"))
    for call in ["update onekey.ticket_event set actor = 'x'", "delete from onekey.ticket_event",
                 "truncate onekey.ticket_event", "delete from onekey.ticket_event_default;"
                 "do $$ declare t text; begin for t in select inhrelid::regclass from pg_inherits"
                 " where inhparent = 'onekey.ticket_event'::regclass loop execute 'delete from ' || t; end loop; end $$"]:
        holds("append-only", db.refusal(call))
    equal(db.sql("select count(*) from onekey.ticket_event"), "1")
