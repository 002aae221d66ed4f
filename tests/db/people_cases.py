"""People: who may do what, who sees what, and that every refusal and every read stands in the audit."""
from database import equal, holds, signal

# Every command of a person, with arguments that would do.
COMMANDS = {
    "claim": "", "renew": "", "answer": "", "dispatch": ", '{120}'", "result": ", 1, 'done'", "scene": "", "verify": "",
    "close": ", 'false_press'", "hold": ", 'why', 60", "hand_over": ", 'zhao'", "release": "", "merge": ", 2",
    "reopen": "", "note": ", 'x'", "strike": ", 1", "mark_test": "",
}
PEOPLE = {"li": "operator", "wang": "supervisor", "root": "administrator", "guest": "read_only", "street": "street_town"}


def refusals(db):
    return db.sql("select actor, action from onekey.audit where not is_allowed order by id").splitlines()


def test_each_role_tries_every_command(db):
    db.raises(signal(1, "panic"))
    allowed = {tuple(row.split("|")) for row in
               db.sql("select role, command from onekey.role_command").splitlines()}
    equal(set(COMMANDS) - {row[1] for row in allowed}, set())
    db.sql("select onekey.set_user('D', 'street', 'street_town', null, '{T}')")
    wanted = []
    for name, role in PEOPLE.items():
        codes = db.act(name, "select 1", ";".join(f"select code from onekey.ticket_{command}('D', 1{rest})"
                                                  for command, rest in COMMANDS.items())).splitlines()
        for command, code in zip(COMMANDS, codes):
            equal((name, command, code == "forbidden"), (name, command, (role, command) not in allowed))
            wanted += [f"{name}|{command}"] * (code == "forbidden")
    assert len(wanted) > 40, wanted
    equal(refusals(db), wanted)


def test_who_names_nobody_or_a_stranger_may_nothing(db):
    db.raises(signal(1, "panic"))
    equal(db.sql("select code from onekey.ticket_claim('D', 1)", "a_console"), "forbidden")
    equal(db.act("nobody", "select code from onekey.ticket_claim('D', 1)"), "forbidden")
    db.sql("select onekey.set_user('D', 'li', 'operator', is_active => false)")
    equal(db.act("li", "select code from onekey.ticket_claim('D', 1)"), "forbidden")
    equal(db.sql("set onekey.\"user\" = 'D/li'; select count(*) from onekey.ticket", "a_console"), "0")
    equal(db.sql("select action, object from onekey.audit where not is_allowed order by id").splitlines(),
          ["claim|ticket:1", "act_as|user:nobody", "claim|ticket:1", "act_as|user:li", "claim|ticket:1"])
    equal(db.act("zhao", "select code from onekey.ticket_claim('E', 1)"), "forbidden")  # another district


def test_no_person_writes_or_reads_a_table_past_the_functions(db):
    db.raises(signal(1, "panic"))
    tables = db.sql("""select c.relname from pg_class c where c.relnamespace = 'onekey'::regnamespace
        and c.relkind in ('r', 'p') order by 1""").splitlines()
    assert len(tables) > 25, tables
    for table in tables:
        tried = f"""do $$ begin
            begin execute 'delete from onekey.{table}'; raise 'not refused';
            exception when insufficient_privilege then null; end;
            begin execute 'insert into onekey.{table} default values'; raise 'not refused';
            exception when insufficient_privilege then null; end;
            begin execute 'truncate onekey.{table}'; raise 'not refused';
            exception when insufficient_privilege then null; end; end $$"""
        for name in ["li", "root"]:
            db.act(name, tried)
        db.sql(tried, "a_gateway")
        db.sql(tried, "a_report")
    for table in ["household", "resident", "contact", "absence", "audit", "command_log", "meter_reading"]:
        holds("permission denied", db.refusal(f"set onekey.\"user\" = 'D/root'; select * from onekey.{table}", "a_console"))
    db.act("li", "select onekey.report_refusal('select', 'resident')")
    equal(refusals(db), ["li|select"])


def test_no_client_calls_what_is_inside(db):
    inside = db.sql("""select p.oid::regprocedure from pg_proc p where p.pronamespace = 'onekey'::regnamespace
        and has_function_privilege('a_console', p.oid, 'execute') order by 1""").splitlines()
    inside = sorted({name.removeprefix("onekey.").split("(")[0] for name in inside})
    # What a console asks for a browser is done as whoever is logged in: tests/system/console_api.py.
    equal(sorted(name for name in inside if not name.startswith(("ticket_", "api_", "console_"))),
          ["act_as", "area_of_household", "areas_above", "ask_device", "audit_call", "call_for_weather", "care_done",
           "contact_reply", "contact_result", "definitions_version", "disasters_now", "draw_audits", "due_care", "end_absence", "maintain_partitions",
           "mask_phone", "read_audit", "read_device_commands", "read_household", "read_measure", "read_observations",
           "read_silence", "read_ticket", "reads_phones", "report_catalog", "report_refusal", "roll_up_days", "scope",
           "sees", "set_absence", "set_care_plan", "set_disaster", "set_escalation", "set_escalation_policy", "set_limit", "set_shift",
           "set_silence", "set_user", "tickets_presented", "upcoming", "zone"])
    equal(sorted(name.removeprefix("ticket_") for name in inside if name.startswith("ticket_")), sorted(COMMANDS))


def test_people_see_what_they_are_responsible_for(db):
    db.sql("""insert into onekey.area (district, code, parent_id, level, name_zh) values
            ('D', 'U', 1, 'street_town', '样例二街道'), ('D', 'N', 2, 'neighbourhood', '样例居委');
        update onekey.household set area_id = (select id from onekey.area where code = 'N') where code = 'H1';
        update onekey.household set area_id = (select id from onekey.area where code = 'U') where code = 'H2';
        select onekey.set_user('D', 'zhao', 'operator', null, '{T}');
        select onekey.set_user('D', 'guest', 'read_only', null, '{U}')""")
    db.raises(signal(1, "panic", "w1"), signal(2, "panic", "w2"), signal(3, "panic", "ghost"))
    for name, seen in [("li", "1,2,3"), ("wang", "1,2,3"), ("zhao", "1,3"), ("guest", "2"), ("street", ""), ("root", "1,2,3")]:
        for view in ["ticket", "v_tickets", "v_open_tickets", "v_ticket_times"]:
            equal((name, view, db.act(name, f"select string_agg(id::text, ',' order by id) from onekey.{view}")),
                  (name, view, seen))
        for table in ["ticket_event", "signal"]:
            equal((name, db.act(name, f"select string_agg(ticket_id::text, ',' order by ticket_id) from onekey.{table}")),
                  (name, seen))
    equal(db.act("guest", "select string_agg(identity, ',') from onekey.device"), "w2")
    equal(db.command("zhao", "claim", 2), "forbidden")
    equal(db.command("zhao", "claim", 3), "done")
    equal(db.act("zhao", "select onekey.read_ticket('D', 2) is null, onekey.read_household('D', 2) is null"), "t|t")
    equal(db.command("li", "claim", 2), "done")
    equal(db.command("li", "hand_over", 2, "zhao"), "invalid")  # not in zhao's area
    equal(refusals(db), ["zhao|claim", "zhao|read_ticket", "zhao|read_household"])


def test_who_is_responsible_follows_areas_that_move(db):
    db.sql("""insert into onekey.area (district, code, parent_id, level, name_zh) values
            ('D', 'U', 1, 'street_town', '样例二街道'), ('D', 'N', 2, 'neighbourhood', '样例居委');
        update onekey.household set area_id = (select id from onekey.area where code = 'N') where code = 'H1';
        select onekey.set_user('D', 'zhao', 'operator', null, '{U}')""")
    db.raises(signal(1, "panic", "w1"))
    mine = "select count(*), max(area) from onekey.v_tickets"
    equal(db.act("zhao", mine), "0|")
    db.sql("update onekey.area set parent_id = (select id from onekey.area where code = 'U') where code = 'N'")
    equal(db.act("zhao", mine), "1|样例区 样例二街道 样例居委")
    db.sql("update onekey.area set name_zh = '改名街道' where code = 'U'")
    equal(db.act("zhao", mine), "1|样例区 改名街道 样例居委")
    equal(db.sql("select count(*) = (select count(*) from onekey.area) from onekey.area_place"), "t")


def test_every_read_of_a_residents_record_is_audited(db):
    db.sql("insert into onekey.contact (district, household_id, position, role, name, phone) values"
           " ('D', 1, 1, 'family', 'Sample Kin', '000')")
    db.raises(signal(1, "panic"))
    record = db.act("li", "select onekey.read_household('D', 1, 'called in')")
    for part in ["Sample One", "Sample Kin", "Sample Road 1"]:
        holds(part, record)
    assert "hush" not in record and "secret" not in record
    equal(db.act("guest", "select onekey.read_household('D', 1) is null"), "t")
    equal(db.act("li", "select onekey.read_household('D', 99) is null"), "t")
    equal(db.sql("select actor, object, is_allowed, detail->>'reason' from onekey.audit where action = 'read_household' order by id"),
          "li|household:1|t|called in\nguest|household:1|f|\nli|household:99|f|")
    holds("append-only", db.refusal("delete from onekey.audit"))
    holds("append-only", db.refusal("update onekey.audit set actor = null"))
    holds("append-only", db.refusal("truncate onekey.audit"))
    assert int(db.act("wang", "select count(*) from onekey.read_audit('D', '2000-01-01')")) > 3
    equal(db.act("li", "select count(*) from onekey.read_audit('D', '2000-01-01')"), "0")


def test_a_ticket_says_what_may_be_done_next(db):
    db.raises(signal(1, "panic"))
    commands = "select array_to_string(array(select jsonb_array_elements_text(onekey.read_ticket('D', 1)->'commands')), ' ')"
    equal(db.act("li", commands), "claim note present result strike")
    equal(db.act("guest", commands), "")
    db.command("li", "claim", 1)
    holds("answer close dispatch", db.act("li", commands))
    equal(db.act("zhao", commands), "note present result strike")


def test_only_an_administrator_manages_people(db):
    call = "select onekey.set_user('D', 'new', 'operator', 'Sample Person', '{T}')"
    for name in ["li", "wang", "guest", "street"]:
        equal(db.act(name, call), "f")
    equal(db.sql("select onekey.set_user('D', 'new', 'administrator')", "a_console"), "f")
    equal(db.act("root", call), "t")
    equal(db.act("root", "select onekey.set_user('E', 'new', 'operator')"), "f")
    holds("no area X", db.refusal("select onekey.set_user('D', 'new', 'operator', null, '{X}')"))
    equal(db.sql("select role, full_name, (select count(*) from onekey.app_user_area) from onekey.app_user where name = 'new'"),
          "operator|Sample Person|1")
    equal(refusals(db), ["li|set_user", "wang|set_user", "guest|set_user", "street|set_user", "|set_user", "root|set_user"])


def test_shifts(db):
    db.raises(signal(1, "panic"), signal(2, "panic", "w2"))
    db.act("li", "select onekey.set_shift('on')", "select onekey.set_shift('on')", "select onekey.set_shift('pause', null, 'tea')")
    equal(db.act("wang", "select name, pause_reason, tickets from onekey.v_on_duty"), "li|tea|0")
    db.command("li", "claim", 1)
    db.act("li", "select onekey.set_shift('resume')")
    equal(db.act("zhao", "select onekey.set_shift('off', 'li') is null"), "t")
    equal(db.act("wang", "select onekey.set_shift('off', 'li')"), "1")
    equal(db.ticket(1, "state, claimed_by"), "open|")
    equal(db.sql("select detail->>'why' from onekey.ticket_event where kind = 'released'"), "off_duty")
    equal(db.act("wang", "select count(*) from onekey.v_on_duty"), "0")
    equal(db.act("guest", "select onekey.set_shift('on') is null"), "t")
