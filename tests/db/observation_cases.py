"""What devices say beyond alarms: the latest of it, its history, and who may read that."""
from database import equal, holds

LATEST = ("battery_percent, gsm_percent, steps, condition_at::time, longitude, latitude, accuracy_m, position_at::time,"
          " heart_rate, systolic, diastolic, oxygen_percent, temperature_c, vitals_at::time")
TOUCH = """select onekey.touch_devices('D', '{{watch}}', array['{identity}'], array['2026-11-22 {seen}'::timestamptz],
    '{{{battery}}}', '{{{gsm}}}', '{{{longitude}}}', '{{{latitude}}}', '{{{accuracy}}}', '{{{steps}}}', '{{{heart_rate}}}',
    '{{{systolic}}}', '{{{diastolic}}}', '{{{oxygen}}}', '{{{temperature}}}', array[{position_at}]::timestamptz[],
    array[{vitals_at}]::timestamptz[], array[{condition_at}]::timestamptz[])"""


def touch(db, seen, identity="w1", **said):
    """One device says these things; times are clock times of one day."""
    values = dict.fromkeys(["battery", "gsm", "longitude", "latitude", "accuracy", "steps", "heart_rate", "systolic",
                            "diastolic", "oxygen", "temperature", "position_at", "vitals_at", "condition_at"], "null")
    values.update({key: f"'2026-11-22 {value}'" if key.endswith("_at") else value for key, value in said.items()})
    return db.sql(TOUCH.format(identity=identity, seen=seen, **values))


def latest(db, identity="w1"):
    return db.sql(f"select {LATEST} from onekey.device where identity = '{identity}'")


def observe(db, device, *rows, user="a_gateway"):
    """Rows of (at, received_at, occurred_at, battery, heart_rate); how many were new."""
    def column(index):
        return "{" + ",".join("null" if row[index] is None else str(row[index]) for row in rows) + "}"
    empty = "{" + ",".join("null" for _ in rows) + "}"
    return db.sql(f"""select onekey.store_observations('D', array_fill({device}, array[{len(rows)}])::bigint[],
        '{column(0)}', '{column(1)}', '{column(2)}', '{column(3)}', '{empty}', '{empty}', '{empty}', '{empty}', '{empty}',
        '{column(4)}', '{empty}', '{empty}', '{empty}', '{empty}')""", user)


def test_the_latest_of_each_group_stands_with_its_time(db):
    equal(touch(db, "08:00", battery=80, condition_at="08:00", longitude=121.5, latitude=31.2, accuracy=15,
                position_at="07:58", heart_rate=71, temperature=36.55, vitals_at="07:30"), "1")
    equal(latest(db), "80|||08:00:00|121.5|31.2|15|07:58:00|71||||36.55|07:30:00")
    touch(db, "08:10", gsm=64, steps=900, condition_at="08:10", systolic=131, diastolic=82, oxygen=97, vitals_at="08:09")
    equal(latest(db), "80|64|900|08:10:00|121.5|31.2|15|07:58:00|71|131|82|97|36.55|08:09:00")
    equal(touch(db, "08:11", "ghost", battery=1, condition_at="08:11"), "0")
    equal(latest(db, "w2"), "|||||||||||||")


def test_what_is_older_changes_nothing(db):
    touch(db, "08:10", battery=50, condition_at="08:10", longitude=121.5, latitude=31.2, position_at="08:10")
    equal(touch(db, "08:00", battery=9, condition_at="08:20"), "0")  # heard of before: a batch that came late
    # Heard now, and tells what it kept: its own times count.
    touch(db, "08:20", battery=90, condition_at="08:05", longitude=1, latitude=2, position_at="08:09")
    equal(latest(db), "50|||08:10:00|121.5|31.2||08:10:00||||||")
    equal(db.sql("select last_seen::time from onekey.device where identity = 'w1'"), "08:20:00")


def test_a_place_without_a_fix_is_taken_where_none_is_known(db):
    touch(db, "08:00", longitude=121.5, latitude=31.2)
    equal(latest(db), "||||121.5|31.2||||||||")
    touch(db, "08:01", longitude=3, latitude=4)
    equal(latest(db), "||||121.5|31.2||||||||")


def test_the_history_takes_each_row_once(db):
    rows = [("2026-11-22 08:00", "2026-11-22 08:00:01", "1999-01-01", 80, None),
            ("2026-11-22 08:00", "2026-11-22 08:00:02", None, None, 71)]
    equal(observe(db, 1, *rows), "2")
    equal(observe(db, 1, *rows), "0")
    equal(observe(db, 99, *rows), "0")  # of no device any more
    equal(db.sql("select device_id, at::time, received_at::time, occurred_at::date, battery_percent, heart_rate"
                 " from onekey.observation order by received_at"),
          "1|08:00:00|08:00:01|1999-01-01|80|\n1|08:00:00|08:00:02|||71")


def test_the_history_is_dropped_by_its_policy(db):
    db.sql("select onekey.maintain_partitions('2030-01-01Z')")
    observe(db, 1, ("2030-01-01 08:00Z", "2030-01-01 08:00Z", None, 80, None))
    equal(db.sql("select tableoid::regclass from onekey.observation"), "onekey.observation_2030_01_01")
    db.sql("update onekey.partition_policy set keep = '3 days' where table_name = 'observation'")
    db.sql("select onekey.maintain_partitions('2030-01-04Z')")
    equal(db.sql("select count(*) from onekey.observation"), "1")
    holds("dropped|observation_2030_01_01", db.sql("select * from onekey.maintain_partitions('2030-01-05Z')"))
    equal(db.sql("select count(*) from onekey.observation"), "0")


def test_the_history_is_read_by_those_who_may_and_that_is_audited(db):
    observe(db, 1, ("2026-11-22 08:00", "2026-11-22 08:00", None, 80, None),
            ("2026-11-22 09:00", "2026-11-22 09:00", None, 79, None))
    call = "select count(*), min(battery_percent) from onekey.read_observations('D', 1, '2026-11-22 08:30')"
    equal(db.act("li", call), "1|79")
    db.sql("select onekey.set_user('D', 'elsewhere', 'street_town')")
    equal(db.act("elsewhere", call), "0|")
    equal(db.sql("select actor, is_allowed from onekey.audit where action = 'read_observations' order by id"),
          "li|t\nelsewhere|f")
