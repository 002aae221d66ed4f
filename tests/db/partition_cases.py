"""Partitions are there ahead of time, and no clock refuses a row."""
from database import equal, holds, signal


def test_partitions_stand_ahead(db):
    equal(db.sql("select count(*) from onekey.maintain_partitions()"), "0")  # migrating has made them
    for table in ["signal", "meter_reading", "ticket_event", "audit"]:
        equal(db.sql(f"""select count(*) from pg_inherits where inhparent = 'onekey.{table}'::regclass"""), "5")
    db.raises(signal(1, "panic", received_at="2026-12-31 23:59:59Z"))
    made = db.sql("select action, partition_name from onekey.maintain_partitions('2030-01-15')").splitlines()
    made = [line for line in made if "observation" not in line]
    equal(len(made), 16 + 4 + 4)  # the readings of 2026 and early 2027 are past their keeping
    holds("created|signal_2030_04", "\n".join(made))
    holds("dropped|meter_reading_", "\n".join(made))
    equal(db.sql("select count(*) from onekey.signal"), "1")


def test_rows_of_the_default_partition_move_when_theirs_is_made(db):
    for number, at in enumerate(["2031-02-01 00:00Z", "2031-02-28 23:59Z", "1999-01-01", "2031-05-01 00:00Z"]):
        db.raises(signal(number, "panic", received_at=at))
    db.sql("insert into onekey.ticket_event (district, ticket_id, kind, at) values ('D', 1, 'note', '2031-02-03')")
    before = db.sql("select * from onekey.signal order by number; select * from onekey.ticket_event order by id")
    db.sql("select onekey.maintain_partitions('2031-02-10')")
    equal(db.sql("select number, tableoid::regclass from onekey.signal order by number"),
          "0|onekey.signal_2031_02\n1|onekey.signal_2031_02\n2|onekey.signal_default\n3|onekey.signal_2031_05")
    equal(db.sql("select * from onekey.signal order by number; select * from onekey.ticket_event order by id"), before)
    holds("append-only", db.refusal("delete from onekey.ticket_event where kind = 'note'"))
    holds("append-only", db.refusal("update onekey.ticket_event_default set kind = 'note'; "
                                    "update onekey.ticket_event_2031_02 set kind = 'note'"))
    db.raises(signal(9, "panic", received_at="1980-01-01"))  # the new default partition takes rows


def test_every_table_and_column_is_explained(db):
    equal(db.sql("""select c.relname from pg_class c where c.relnamespace = 'onekey'::regnamespace
        and c.relkind in ('r', 'p', 'v') and not c.relispartition and obj_description(c.oid) is null"""), "")
    equal(db.sql("""select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'onekey'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null"""), "")


def test_every_key_begins_with_the_district(db):
    equal(db.sql("""select i.indexrelid::regclass from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where c.relnamespace = 'onekey'::regnamespace and i.indisunique and a.attname <> 'district'
          and c.relname not in ('migration', 'partition_policy', 'ticket_kind', 'service_kind', 'signal_kind',
                                'outcome', 'ticket_class', 'ticket_command', 'ticket_transition', 'helper_kind',
                                'app_role', 'role_command', 'measure', 'measure_column', 'report_word', 'care_task', 'care_result')"""), "")
