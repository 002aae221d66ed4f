"""The rows of reports: a month of 100,000 tickets, and the sample year, into a workbook."""
import os
import subprocess
import tempfile
import time

import harness
from postgres import Postgres
from stack import BIN

SCALE = 7.7  # of the sample year, so that January has 100,000 tickets
ROUNDS = min(3, harness.ROUNDS)


def program(server, name, *arguments):
    began = time.monotonic()
    done = subprocess.run([f"{BIN}/{name}", *arguments], env=server.environment("postgres", "postgres"),
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return (time.monotonic() - began) * 1000, done.stdout


def times(server, *arguments):
    return [program(server, "onekey-report", *arguments)[0] for _ in range(ROUNDS)]


def report(_bench, rows):
    with Postgres() as server, tempfile.TemporaryDirectory(prefix="onekey-") as folder:
        program(server, "onekeyctl", "db", "migrate")
        program(server, "onekey-sim", "history", "--from", "2026-01-01", "--months", "1", "--scale", str(SCALE))
        tickets = int(server.psql("select count(*) from onekey.ticket", "postgres").strip())
        month = ["--month", "2026-01", "--format", "xlsx", "--output", f"{folder}/r.xlsx"]
        first, _ = program(server, "onekey-report", *month)
        rows.note(f"report of {tickets} tickets; {first:.0f} ms the first time, when the month was summarised")
        rows.row("report_ms", "ms", times(server, *month), goal=("<=", 5000))
        rows.row("report_list_ms", "ms", times(server, *month, "--measure", "list"), goal=("<=", 5000))
        assert os.path.getsize(f"{folder}/r.xlsx") > 1000000


def year(_bench, rows):
    """The customer's year: 1.25 million services of 26,000 homes."""
    with Postgres() as server, tempfile.TemporaryDirectory(prefix="onekey-") as folder:
        program(server, "onekeyctl", "db", "migrate")
        loaded, _ = program(server, "onekey-sim", "history", "--year", "--households", "26000", "--from", "2025-01-01")
        size = server.psql("select pg_size_pretty(pg_database_size(current_database()))", "postgres").strip()
        output = ["--format", "xlsx", "--output", f"{folder}/r.xlsx"]
        first, _ = program(server, "onekey-report", "--month", "2025-12", *output)
        rows.note(f"the sample year loads in {loaded / 1000:.0f} s into {size}; all its days are summarised by the first report, "
                  f"in {first / 1000:.1f} s")
        rows.row("report_year_month_ms", "ms", times(server, "--month", "2025-12", *output))
        rows.row("report_year_ms", "ms", times(server, "--from", "2025-01-01", "--to", "2025-12-31", *output))


ROWS = [("report", report), ("year", year)]
