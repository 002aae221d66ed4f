#!/usr/bin/python3
"""How fast raise_tickets() is beside a plain insert of the same rows, on a cluster of its own.

Prints rows/s at batches of 1 and of 64, for alarms that open a ticket and for those that bump one,
the two interleaved, the median of five rounds each.
"""
import glob
import os
import re
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
from postgres import Postgres  # noqa: E402

ROUNDS = 5
ROWS = {1: 2000, 64: 32000}  # a round
HOMES = 400000

PREPARE = """
create schema floor;
create table floor.plain (gateway text, number bigint, protocol text, identity text, kind text, service_kind text,
    flags text, occurred_at timestamptz, received_at timestamptz, raw bytea, detail jsonb,
    primary key (gateway, number));
insert into onekey.area (district, code, level, name_zh) values ('D', 'D', 'district', 'D');
insert into onekey.household (district, code, area_id, address)
    select 'D', 'h' || g, 1, 'Road ' || g from generate_series(1, {homes}) g;
insert into onekey.device (district, protocol, identity, kind, household_id)
    select 'D', 'watch', 'w' || g, 'wristband', g from generate_series(1, {homes}) g;
create table floor.batch (id int, size int, number bigint[], protocol text[], identity text[], kind text[],
    service_kind text[], flags text[], occurred_at timestamptz[], received_at timestamptz[], raw bytea[],
    detail jsonb[], primary key (size, id));
create sequence floor.next_new;
create sequence floor.next_bump;
create sequence floor.next_plain;
insert into floor.batch
    select row_number() over () , {size}, array_agg(g), array_agg('watch'::text), array_agg('w' || 1 + g % {homes}),
        array_agg('panic'::text), array_agg(null::text), array_agg(''::text), array_agg(now()), array_agg(now()),
        array_agg('[3G*8800000015*0002*AL]'::bytea), array_agg(null::jsonb)
    from generate_series({first}, {last}) g group by g / {size};
analyze;
"""
RUN = {
    "plain": """insert into floor.plain select 'g', u.* from floor.batch b, unnest(b.number, b.protocol, b.identity,
        b.kind, b.service_kind, b.flags, b.occurred_at, b.received_at, b.raw, b.detail) u
        where b.size = {size} and b.id = (select nextval('floor.next_plain'));""",
    "open": """select count(*) from floor.batch b, onekey.raise_tickets('g', 'D', b.number, b.protocol, b.identity,
        b.kind, b.service_kind, b.flags, b.occurred_at, b.received_at, b.raw, b.detail)
        where b.size = {size} and b.id = (select nextval('floor.next_new'));""",
    "bump": """select count(*) from floor.batch b, onekey.raise_tickets('other', 'D', b.number, b.protocol,
        b.identity, b.kind, b.service_kind, b.flags, b.occurred_at, b.received_at, b.raw, b.detail)
        where b.size = {size} and b.id = (select nextval('floor.next_bump'));""",
}


def rate(server, size, sql):
    """Rows a second of one connection that sends prepared statements, each its own transaction."""
    done = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", "-c", "1", "-t", str(ROWS[size] // size), "-f", "/dev/stdin"],
        input=sql.format(size=size).replace("\n", " "), env=server.environment(), text=True,
        capture_output=True, check=True)
    return float(re.search(r"tps = ([\d.]+) \(without", done.stdout)[1]) * size


def measure(size):
    with Postgres(settings={"fsync": "on", "shared_buffers": "'256MB'"}) as server:
        for path in sorted(glob.glob(f"{ROOT}/db/migrations/*.sql")) + sorted(
                glob.glob(f"{ROOT}/db/functions/*.sql")):
            server.psql(open(path).read())
        server.psql(PREPARE.format(homes=HOMES, size=size, first=size, last=size + 6 * ROWS[size] - 1))
        rates = {name: [] for name in RUN}
        for _ in range(ROUNDS):
            for name, sql in RUN.items():
                rates[name].append(rate(server, size, sql))
        floor = statistics.median(rates["plain"])
        for name in RUN:
            middle = statistics.median(rates[name])
            print(f"batch {size:3}  {name:5}  {middle:9.0f} rows/s  {middle / floor:5.2f} of plain  "
                  f"(from {min(rates[name]):.0f} to {max(rates[name]):.0f})", flush=True)


for batch_size in ROWS:
    measure(batch_size)
