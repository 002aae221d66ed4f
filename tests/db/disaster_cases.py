"""Disaster mode: device tickets wait, those of people never; who may begin it, and what the statistics make of it."""
import json

from database import equal, signal

LOST = "select priority from onekey.ticket where kind = 'device_lost' order by id"


def begin(db, name, **wanted):
    return db.act(name, f"select onekey.set_disaster('D', '{json.dumps(wanted, ensure_ascii=False)}')")


def test_disaster_mode_lowers_devices_and_never_people(db):
    db.raises(signal(1, "device_lost", "w1"), signal(2, "panic", "w1"))
    number = begin(db, "wang", reason="样例停电")
    db.raises(signal(3, "device_lost", "w2"), signal(4, "panic", "w2"), signal(5, "silence", "w2"))
    equal(db.sql(LOST), "5\n5")  # what waited already too
    equal(db.sql("select distinct priority from onekey.ticket where kind = 'panic'"), "1")
    equal(db.sql("select priority from onekey.ticket where kind = 'silence'"), "2")
    equal(db.sql("select actor, detail ->> 'priority' from onekey.ticket_event where kind = 'priority_lowered'"), "wang|5")
    begin(db, "wang", reason="仍停电", priority_offset=2)  # changes it
    equal(db.act("guest", "select reason, ended_at is null from onekey.disaster"), "仍停电|t")
    equal(begin(db, "wang", id=number, remove=True), number)
    equal(begin(db, "wang", id=number, remove=True), "")  # it is over
    db.raises(signal(6, "device_lost", "w3"))
    equal(db.sql(LOST).splitlines()[-1], "4")


def test_who_may_begin_disaster_mode_and_where(db):
    db.sql("""insert into onekey.area (district, code, parent_id, level, name_zh) values ('D', 'U', 1, 'street_town', '样例二街道');
        update onekey.household set area_id = (select id from onekey.area where code = 'U') where code = 'H2';
        select onekey.set_user('D', 'chen', 'supervisor', null, '{U}')""")
    for name in ["li", "root", "guest"]:
        equal((name, begin(db, name, reason="x")), (name, ""))
    equal(begin(db, "chen", reason="x"), "")  # not the whole district
    assert begin(db, "chen", reason="x", area="U", priority_offset=2)
    equal(db.sql("select actor from onekey.audit where action = 'set_disaster' and not is_allowed order by id"), "li\nroot\nguest\nchen")
    db.raises(signal(1, "device_lost", "w1"), signal(2, "device_lost", "w2"))
    equal(db.sql("select t.priority, coalesce(a.code, '') from onekey.ticket t left join onekey.area a on a.id = t.area_id order by t.id"),
          "4|T\n5|U")


def test_statistics_keep_a_disaster_apart(db):
    db.raises(signal(1, "panic", "w1"))
    db.sql("""insert into onekey.disaster (district, reason, started_at, ended_at)
        select 'D', 'x', received_at - interval '1 s', received_at + interval '1 s' from onekey.ticket""")
    modes = """select string_agg(mode, ',') from onekey.episodes_of('D', (select min(received_at) from onekey.ticket) - interval '1 s',
        (select max(received_at) from onekey.ticket) + interval '1 s')"""
    equal(db.sql(modes), "disaster")
    db.sql("update onekey.disaster set started_at = started_at - interval '1 h', ended_at = ended_at - interval '1 h'")
    equal(db.sql(modes), "normal")
