"""onekey-report: the same figures in every format, for whom they are, and clear words when it cannot."""
import csv
import glob
import io
import json
import os
import subprocess
import tempfile
import zipfile

from database import PROGRAM, equal, holds
from statistics_cases import TOWN, WEEKS, made

REPORT = os.path.join(os.path.dirname(PROGRAM), "onekey-report")


def report(db, *arguments, user="a_report"):
    done = subprocess.run([REPORT, *arguments], env={**db.server.environment(db.name, user), "LC_ALL": "C.UTF-8"},
                          text=True, capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def good(db, *arguments):
    status, out, error = report(db, *arguments)
    equal((status, error), (0, ""))
    return out


def measure(told, name):
    return next(one for one in told["measures"] if one["name"] == name)


def test_a_month_in_every_format(db):
    db.sql(TOWN + WEEKS)
    made(db, "2026-02-10 08:00:00", claimed=1, answered=20, closed=60)
    made(db, "2026-04-01 00:00:00")  # belongs to April
    month = ["--month", "2026-03", "--compare", "previous"]
    told = json.loads(good(db, *month, "--format", "json"))
    equal((told["from"], told["until"], told["zone"], told["tickets"]), ("2026-03-01", "2026-04-01", "Asia/Shanghai", 600))
    assert told["definitions"] and told["version"] and told["made_at"], told
    equal(measure(told, "answer")["previous"][0]["received"], 1)
    answer = measure(told, "answer")["rows"][0]
    equal(sum(one["tickets"] for one in measure(told, "tickets")["rows"]), 600)
    assert not any(one["name"] == "list" for one in told["measures"])

    table = good(db, *month)
    holds("Window: [2026-03-01 00:00, 2026-04-01 00:00)", table)
    holds(f"Alarm  Normal  {answer['received']}", " ".join(table.split()).replace("Alarm Normal ", "Alarm  Normal  "))

    text = good(db, *month, "--format", "csv", "--language", "zh")
    assert text.startswith("\ufeff"), text[:20]
    lines = list(csv.reader(io.StringIO(text[1:])))
    equal(next(line for line in lines if line and line[0] == "工单数 n"), ["工单数 n", "600"])
    start = lines.index(["answer", "接听时长"])
    equal(lines[start + 1][:4], ["起始日", "类别", "情形", "收到"])
    equal(lines[start + 2][:4], ["2026-03-01", "报警", "正常", str(answer["received"])])
    tickets = json.loads(good(db, "--month", "2026-03", "--measure", "list", "--format", "json"))
    equal(sum(one["episode"] == 1 for one in measure(tickets, "list")["rows"]), 600)


def test_a_spreadsheet_program_reads_the_workbook(db):
    db.sql(TOWN + WEEKS)
    db.sql("update onekey.area set name_zh = '=1+1' where code = 'U'")  # stays text
    with tempfile.TemporaryDirectory(prefix="onekey-") as folder:
        path = f"{folder}/r.xlsx"
        month = ["--month", "2026-03", "--language", "en"]
        equal(good(db, *month, "--format", "xlsx", "--output", path), "")
        equal(os.listdir(folder), ["r.xlsx"])
        with zipfile.ZipFile(path) as book:
            names = book.namelist()
        told = json.loads(good(db, *month, "--format", "json"))
        equal(sum("worksheets/sheet" in name for name in names), len(told["measures"]) + 1)
        assert sum("charts/chart" in name for name in names) > 3, names
        # Every sheet as CSV, values as they are shown: dates are dates, shares are percentages.
        done = subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to",
             "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", folder, path],
            capture_output=True, timeout=120, text=True)
        sheets = {os.path.basename(one)[len("r-"):-len(".csv")]: list(csv.reader(open(one, encoding="utf-8")))
                  for one in glob.glob(f"{folder}/r-*.csv")}
        assert sheets, done.stdout + done.stderr
        equal([line[:2] for line in sheets["About"][:6]][2], ["Window", "[2026-03-01 00:00, 2026-04-01 00:00)"])
        answer = measure(told, "answer")["rows"][0]
        equal(sheets["Answer time"][3][:6], ["2026-03-01", "Alarm", "Normal", str(answer["received"]),
                                             str(answer["answered"]), str(answer["unanswered"])])
        equal(sheets["Answer time"][3][13], f"{answer['within_60']:.2f}%")
        days = measure(told, "answer_by_day")["rows"]
        equal([line[1:3] for line in sheets["Answer time by day"][3:]], [[one["day"], str(one["received"])] for one in days])
        equal(sum(int(line[5]) for line in sheets["Tickets"][3:]), 600)
        holds("=1+1", [line[3] for line in sheets["Tickets"][3:]])


def test_what_is_asked_wrongly_is_said(db):
    for arguments, text in [
            (["--month", "2026-13"], "--month 2026-13: must be a month like 2026-10"),
            (["--from", "2026-02-29", "--to", "2026-03-01"], "--from 2026-02-29: must be a day"),
            (["--from", "2026-03-02", "--to", "2026-03-01"], "--to 2026-03-01: lies before --from"),
            (["--from", "2026-03-02"], "give a month, or both a first and a last day"),
            (["--format", "pdf"], "--format pdf: must be table, csv, json or xlsx"),
            (["--format", "xlsx"], "--format xlsx: needs --output FILE"),
            (["--compare", "next"], "--compare next: must be previous"), (["x"], "x : is no option")]:
        status, _, error = report(db, *arguments)
        equal(status, 2)
        holds(text, error)
    status, _, error = report(db, "--month", "2026-03", "--measure", "answers")
    equal(status, 1)
    holds("there is no measure answers; there are: answer answer_by_day", error)
    status, _, error = report(db, "--month", "2026-03", "--area", "nowhere")
    equal(status, 1)
    holds("district D has no area nowhere", error)
    holds("97.5 (TSA", good(db, "--month", "2026-03", "--definitions"))
    equal(report(db, "--month", "2026-03", user="a_stranger")[0], 1)


def test_an_area_is_reported_alone(db):
    db.sql(TOWN)
    made(db, "2026-03-10 08:00:00", claimed=1, answered=5)
    made(db, "2026-03-10 09:00:00", household=3, claimed=1, answered=7)
    told = json.loads(good(db, "--from", "2026-03-10", "--to", "2026-03-10", "--area", "U", "--format", "json"))
    equal((told["tickets"], told["area"]), (1, "另一街道"))
    equal(measure(told, "answer")["rows"][0]["max_s"], 7)
