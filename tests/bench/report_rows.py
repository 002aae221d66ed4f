"""The row of a month's report: 100,000 tickets of the sample year into a workbook."""
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


def report(_bench, rows):
    with Postgres() as server, tempfile.TemporaryDirectory(prefix="onekey-") as folder:
        program(server, "onekeyctl", "db", "migrate")
        program(server, "onekey-sim", "history", "--from", "2026-01-01", "--months", "1", "--scale", str(SCALE))
        tickets = int(server.psql("select count(*) from onekey.ticket", "postgres").strip())
        month = ["--month", "2026-01", "--format", "xlsx", "--output", f"{folder}/r.xlsx"]
        first, _ = program(server, "onekey-report", *month)
        rows.note(f"report of {tickets} tickets; {first:.0f} ms the first time, when the month was summarised")
        rows.row("report_ms", "ms", [program(server, "onekey-report", *month)[0] for _ in range(ROUNDS)], goal=("<=", 5000))
        listed = [*month, "--measure", "list"]
        rows.row("report_list_ms", "ms", [program(server, "onekey-report", *listed)[0] for _ in range(ROUNDS)],
                 goal=("<=", 5000))
        assert os.path.getsize(f"{folder}/r.xlsx") > 1000000


ROWS = [("report", report)]
