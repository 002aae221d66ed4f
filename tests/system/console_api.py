#!/usr/bin/python3
"""onekey-console over its interface: what openapi.json says holds, nobody does what he may not, and no event is lost."""
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from console import Browser, Schemas, Stream, raise_alarms  # noqa: E402
from console_doors import behind_a_proxy, by_tls  # noqa: E402
from device import receive, watch_press  # noqa: E402
from stack import BIN, ROOT, Stack, Tap, wait_for  # noqa: E402

SANITIZED = os.path.join(os.path.dirname(BIN), "check/bin/onekey-console")
HALF_OPEN = 10000
CONFIGURATION = "[console]\nconnections_max = 1000\n"
# What each request needs; who lacks it is refused. None, or not here: nothing that a role alone decides.
NEEDS = {
    "dictionary": None, "session": None, "on_duty": None, "queue": "read_queue", "summary": "read_summary",
    "ticket": "read_ticket", "household": "read_household", "set_contacts": "set_contacts", "search": "search",
    "shift": "shift", "wall": "read_wall", "users": "read_users", "add_user": "set_user", "change_user": "set_user",
    "absences": "set_absence", "add_absence": "set_absence", "end_absence": "set_absence", "policy": "read_limits",
    "set_policy": "set_limits", "escalation": "read_limits", "set_escalation": "set_limits", "audit": "read_audit",
    "measures": "read_report", "report": "read_report", "care_due": "care", "care_done": "care", "set_care_plan": "set_care_plan",
    "escalation_policy": "read_limits", "set_escalation_policy": "set_limits", "disasters": "read_summary",
    "start_disaster": "set_disaster", "end_disaster": "set_disaster", "contact_result": "result", "contact_reply": None,
    "care_weather": "set_care_plan", "audits": "audit_calls", "draw_audits": "audit_calls", "audit_call": "audit_calls",
}
PATHS = {"/api/households/{id}": 1, "/api/households/{id}/contacts": 1, "/api/absences/{id}": 1}
BODIES = {
    "shift": {"action": "on"}, "set_contacts": {"contacts": [{"role": "family", "name": "样例", "phone": "000-0"}]},
    "add_user": {"name": "new", "role": "read_only", "password": "long enough"}, "change_user": {"full_name": "新"},
    "add_absence": {"household_id": 1, "reason": "away"}, "end_absence": {},
    "set_policy": {"kind": "panic", "measure": "answer", "warn_s": 20, "breach_s": 40},
    "set_escalation": {"kind_class": "test", "state": "open", "after_s": 60, "action": "notify_supervisor"},
    "ticket_answer": {"spoke_with": "样例"}, "ticket_dispatch": {"helpers": ["120"]}, "ticket_note": {"text": "x"},
    "ticket_close": {"outcome": "false_press"}, "ticket_hold": {"reason": "x", "seconds": 60},
    "ticket_result": {"helper_id": 1, "result": "done"}, "ticket_strike": {"event_id": 1}, "ticket_merge": {"into": 2},
    "ticket_hand_over": {"to": "supervisor"}, "ticket_scene": {}, "ticket_verify": {"how": "x"},
    "care_done": {"result": "well"}, "set_care_plan": {"household_id": 1, "task": "visit"}, "draw_audits": {"month": "2026-01"},
    "audit_call": {"score": 80}, "set_escalation_policy": {"accept_s": 90}, "start_disaster": {"reason": "样例停电"},
    "contact_result": {"result": "accepted"}, "contact_reply": {"token": "0" * 32, "result": "accepted"},
}
QUERIES = {"search": "?q=%E6%A0%B7%E4%BE%8B", "queue": "?lane=alarms&limit=2", "measures": "?language=zh",
           "report": "?month=2026-01&format=csv&language=en", "audits": "?month=2026-01", "care_plans": "?household_id=1"}


class World:
    def __init__(self, stack, tap):
        self.stack, self.tap = stack, tap
        self.url = stack.values["CONSOLE_URL"]
        self.people = {}
        for role in ("operator", "supervisor", "administrator"):
            self.people[role] = self.log_in(stack.values[f"CONSOLE_{role.upper()}"],
                                            stack.values[f"CONSOLE_{role.upper()}_PASSWORD"])
        for name, role in (("guest", "read_only"), ("street", "street_town"), ("zhao", "operator")):
            status, body, _ = self.people["administrator"].ask("POST", "/api/users", {
                "name": name, "role": role, "password": "a password of " + name,
                "areas": ["990100"] if role == "street_town" else None})
            assert status == 200, body
            self.people[name] = self.log_in(name, "a password of " + name)
        self.schemas = Schemas(self.people["operator"].get("/api/openapi.json"))

    def log_in(self, name, password):
        browser = Browser(self.url)
        status = browser.log_in(name, password)
        assert status == 200, f"{name}: {status}"
        return browser

    def check(self, problems, name):
        self.tap.check(not problems, name, *[str(problem) for problem in problems[:8]])


def requests(world):
    """Every request of openapi.json that JSON answers: (path, method, operation)."""
    for path, methods in world.schemas.document["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/") and operation["operationId"] not in ("log_in", "log_out", "events", "openapi"):
                yield path, method.upper(), operation


def send(world, browser, path, method, operation, ticket):
    name = operation["operationId"]
    filled = path.replace("{id}", str(PATHS.get(path, ticket))).replace("{name}", "zhao") + QUERIES.get(name, "")
    return browser.ask(method, filled, BODIES.get(name, {}) if method != "GET" else None)


def tries(world, roles):
    """Each request as each of these: (path, method, operation, role, a ticket of its own), the alarms raised at once."""
    wanted = [(*request, role) for request in requests(world) for role in roles]
    needing = [one for one in wanted if one[0].startswith("/api/tickets/")]
    tickets = iter(raise_alarms(world.stack, [f"try-{time.time_ns()}-{i}" for i in range(len(needing))]))
    return [(*one, next(tickets) if one in needing else 1) for one in wanted]


def answers_are_as_the_interface_says(world):
    problems = []
    called = tries(world, ("operator", "supervisor", "administrator"))
    for path, method, operation, role, ticket in called:
        status, body, headers = send(world, world.people[role], path, method, operation, ticket)
        said = operation["responses"].get(str(status))
        if said is None:
            problems.append(f"{method} {path} as {role}: {status} is not foreseen: {body}")
            continue
        problems += [f"{method} {path} as {role}: {problem}" for problem in
                     world.schemas.problems(body, said["content"]["application/json"]["schema"])]
        if headers["Cache-Control"] != "no-store" or "unsafe" in headers["Content-Security-Policy"]:
            problems.append(f"{method} {path}: {headers}")
    world.check(problems, f"{len(called)} answers are as openapi.json says")


def who_may_not_is_refused_and_it_is_known(world):
    problems, refused = [], 0
    roles = ("operator", "administrator", "guest", "street")
    may = {role: world.people[role].get("/api/session")["may"] for role in roles}
    called, before = tries(world, roles), refusals(world)
    for path, method, operation, role, ticket in called:
        name = operation["operationId"]
        command = name.removeprefix("ticket_") if name.startswith("ticket_") else NEEDS.get(name)
        if command is None:
            continue
        status, body, _ = send(world, world.people[role], path, method, operation, ticket)
        refused += command not in may[role]
        seen = role != "street" or "/{id}" not in path  # a stranger's alarm lies in no street-town
        if status != 403 if command not in may[role] else status == 403 and seen:
            problems.append(f"{method} {path} as {role}: {status} {body}")
    told = refusals(world) - before
    if told < refused:
        problems.append(f"{refused} were refused, and the audit tells of {told}")
    world.check(problems, f"who may not is refused ({refused} times), and the audit says so")


def refusals(world):
    return int(world.stack.sql("select count(*) from onekey.audit where not is_allowed")[0][0])


def forged_requests_change_nothing(world):
    browser = world.people["operator"]
    wanted = []
    for name, headers, status in (
            ("no CSRF token", {"X-CSRF-Token": None}, 403), ("a wrong one", {"X-CSRF-Token": "0" * 64}, 403),
            ("that of another session", {"X-CSRF-Token": world.people["supervisor"].csrf}, 403),
            ("another origin", {"Origin": "http://elsewhere.example"}, 403),
            ("another site", {"Sec-Fetch-Site": "cross-site"}, 403),
            ("another host", {"Host": "elsewhere.example"}, 421),
            ("a form", {"Content-Type": "text/plain"}, 415), ("no session", {"Cookie": None}, 401)):
        copy = Browser(world.url)
        copy.cookie, copy.csrf = browser.cookie, browser.csrf
        got, body, _ = copy.ask("POST", "/api/shift", {"action": "off"}, headers)
        if got != status:
            wanted.append(f"{name}: {got} {body}")
    for body in ("{", "[]", '{"action": "off", "action": "on"}', b"\xff\xfe", '"x"', "x" * 70000):
        got, answer, _ = browser.ask("POST", "/api/shift", body, {"Content-Type": "application/json"})
        if got != (413 if len(body) > 65536 else 400):
            wanted.append(f"{body[:30]!r}: {got} {answer}")
    world.check(wanted, "forged and malformed requests change nothing")


def raw(world, data, timeout_s=20):
    with socket.create_connection(("127.0.0.1", world.people["operator"].port), timeout=timeout_s) as client:
        client.sendall(data)
        try:
            return client.recv(4096).decode(errors="replace")
        except OSError as error:
            return str(error)


def hostile_requests_are_refused(world):
    problems = []
    for path in ("/../../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd.x",
                 "/assets/../../conf.x", "/index.html%00.js", "/\\..\\x.y"):
        answer = raw(world, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if "404 Not Found" not in answer or "root:" in answer:
            problems.append(f"{path}: {answer[:80]}")
    head = "GET / HTTP/1.1\r\nHost: localhost\r\n"
    for data, status in (
            (head + "X: " + "y" * 9000 + "\r\n\r\n", 431), (head + "X: y\r\n" * 70 + "\r\n", 431),
            ("GET / HTTP/1.1\r\n\r\n", 400), (head + "Host: b\r\n\r\n", 400), (head + " folded: x\r\n\r\n", 400),
            (head + "Transfer-Encoding: chunked\r\n\r\n", 501), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            (head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400), (head + "Content-Length: -1\r\n\r\n", 400),
            (head + "Content-Length: 99999999\r\n\r\n", 413), ("GET http://x/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET /\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400), ("BREW /api/queue HTTP/1.1\r\nHost: localhost\r\n\r\n", 405)):
        answer = raw(world, data.encode())
        if not answer.startswith(f"HTTP/1.1 {status} "):
            problems.append(f"{data[:50]!r}: {answer[:60]!r}, wanted {status}")
    world.check(problems, "hostile requests are refused")


def wrong_passwords_are_braked(world):
    statuses = [Browser(world.url).log_in("zhao", f"wrong {i}") for i in range(7)]
    known = [Browser(world.url).log_in("zhao", "a password of zhao")]
    unknown = [Browser(world.url).log_in("nobody", f"wrong {i}") for i in range(7)]
    world.tap.check(statuses == [401] * 5 + [429] * 2 and known == [429] and unknown == [401] * 5 + [429] * 2,
                    "wrong passwords shut a name, whether it exists or not", statuses, known, unknown)
    status, body, _ = world.people["administrator"].ask("POST", "/api/users/zhao", {"unlock": True})
    world.tap.check(status == 200 and Browser(world.url).log_in("zhao", "a password of zhao") == 200,
                    "an administrator opens it again", body)


def two_operators_claim(world):
    zhao = world.log_in("zhao", "a password of zhao")
    won = []
    for number in range(5, 15):
        ticket = raise_alarms(world.stack, [f"CB-{number:06d}"])[0]
        answers = []
        threads = [threading.Thread(target=lambda who=who: answers.append(
            who.ask("POST", f"/api/tickets/{ticket}/claim", {}, {"Idempotency-Key": f"{ticket}"})[:2]))
            for who in (world.people["operator"], zhao)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [body["owner"] for status, body in answers if status == 200]
        losers = [body for status, body in answers if status == 409 and body["code"] == "taken"]
        won.append(len(winners) == 1 and len(losers) == 1 and losers[0]["owner"] == winners[0])
    world.tap.check(all(won), "of two who claim at once one wins, and the other is told who", won)
    again = world.people["operator"].ask("POST", f"/api/tickets/{ticket}/note", {"text": "once"}, {"Idempotency-Key": "n"})
    twice = world.people["operator"].ask("POST", f"/api/tickets/{ticket}/note", {"text": "once"}, {"Idempotency-Key": "n"})
    notes = world.stack.sql(f"select count(*) from onekey.ticket_event where ticket_id = {ticket} and kind = 'note'")
    world.tap.check(again[1] == twice[1] and notes == [["1"]], "the same command with the same key changes nothing", notes)


def streams_lose_nothing(world):
    """Raises tickets while a stream is cut and resumed again and again: every ticket must have come."""
    browser = world.people["operator"]
    browser.ask("POST", "/api/shift", {"action": "on"})
    watcher = Stream(browser).start()
    wait_for(lambda: watcher.of("hello"))
    wanted, seen, streams = set(), set(), []
    done = threading.Event()

    def load():
        for batch in range(40):
            wanted.update(raise_alarms(world.stack, [f"stranger-{batch}-{i}" for i in range(5)]))
        done.set()

    loader = threading.Thread(target=load)
    loader.start()
    last = watcher.last_id()
    while not done.is_set():
        stream = Stream(browser, last).start()
        streams.append(stream)
        wait_for(lambda: len(stream.of("ticket")) > 3 or done.is_set(), 5)
        stream.close()
        stream.thread.join()
        last = stream.last_id() or last
    loader.join()
    final = Stream(browser, last).start()
    streams.append(final)

    def missing():
        for stream in streams:
            seen.update(row["id"] for row in stream.of("ticket"))
        return wanted - seen

    wait_for(lambda: not missing(), 60, 0.5)
    resyncs = [hello for stream in streams for hello in stream.of("hello") if hello["resync"]]
    world.tap.check(not missing() and not resyncs and len(streams) > 5,
                    f"a stream cut {len(streams)} times under load misses nothing",
                    f"{len(wanted)} tickets, {len(missing())} missing, {len(resyncs)} asked to read anew")
    wait_for(lambda: {row["id"] for row in watcher.of("ticket")} >= wanted, 20)
    schema = {"$ref": "#/ChangedTicket"}
    problems = [problem for row in watcher.of("ticket")[:50] for problem in world.schemas.problems(row, schema)]
    for name, of in (("hello", "Hello"), ("summary", "Summary"), ("shift", "ShiftEvent"), ("ping", "Ping")):
        for data in watcher.of(name):
            problems += world.schemas.problems(data, {"$ref": "#/" + of}, name)
    world.check(problems, "events are as openapi.json says")
    shown = wait_for(lambda: world.stack.sql(f"select count(*) from onekey.ticket where presented_at is null and id in"
                                             f" ({','.join(map(str, wanted))})") == [["0"]], 20)
    world.tap.check(shown, "what reached a screen of somebody on duty is marked as shown")
    watcher.close()
    final.close()


def the_unstored_alarm_is_seen(world):
    stack, browser = world.stack, world.people["operator"]
    stream = Stream(browser).start()
    wait_for(lambda: stream.of("hello"))
    stack.stop("postgres")
    told = wait_for(lambda: [d for d in stream.of("database") if not d["up"]], 20)
    stranger = "9099999999"
    with stack.connect("watch") as client:
        client.sendall(watch_press(stranger))
        receive(client)  # accepted
        began = time.monotonic()

        def seen():
            return [a for data in stream.of("unstored") for a in data["alarms"] if a["identity"].endswith(stranger)]

        found = wait_for(seen, 20)
        took = time.monotonic() - began
    world.tap.check(told and found and took < 5, "PostgreSQL away: the alarm is on the screen (2 s on a quiet machine)",
                    f"{took:.2f} s", told)
    problems = [p for data in stream.of("unstored") for p in world.schemas.problems(data, {"$ref": "#/Unstored"})]
    world.check(problems, "and it looks as openapi.json says")
    late = Stream(browser).start()
    greeted = wait_for(lambda: late.of("hello") and late.of("unstored"), 10)
    status, body, _ = browser.ask("GET", "/api/session")
    refused, _, _ = browser.ask("GET", "/api/queue")
    world.tap.check(greeted and status == 200 and body["user"]["name"] == "operator" and refused == 503,
                    "a page that is loaded meanwhile sees it too", status, refused)
    stack.start("postgres")
    began = time.monotonic()
    rows = wait_for(lambda: [row for row in stream.of("ticket") if row["identity"].endswith(stranger)], 30)
    took = time.monotonic() - began
    empty = wait_for(lambda: stream.of("unstored") and not stream.of("unstored")[-1]["alarms"], 30)
    joined = wait_for(lambda: [h for h in late.of("hello") if h["database"]], 30)
    world.tap.check(rows and empty and joined and [d["up"] for d in stream.of("database")] == [False, True],
                    "PostgreSQL back: the ticket is there, and the mark is gone", f"{took:.2f} s")
    stream.close()
    late.close()


def a_session_that_ends_ends_everywhere(world):
    zhao = world.log_in("zhao", "a password of zhao")
    stream = Stream(zhao).start()
    wait_for(lambda: stream.of("hello"))
    world.people["administrator"].ask("POST", "/api/users/zhao", {"is_active": False})
    ended = wait_for(lambda: stream.ended, 20)
    world.tap.check(ended and zhao.ask("GET", "/api/session")[0] == 401, "who may no longer log in is out at once")


def crowds_do_not_keep_people_out(world):
    browser = world.people["operator"]
    stalled = Stream(browser, receive_bytes=2048)  # is never read
    clients = []
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        for i in range(HALF_OPEN):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", browser.port))
            clients.append(client)
            if i % 200 == 199:
                time.sleep(0.02)
            if i % 4 == 3:
                try:
                    clients[-2].send(b"GET / HTTP/1.1\r\nHost: loc")
                except OSError:
                    pass
        began = time.monotonic()
        browser.get("/api/summary")
        took = time.monotonic() - began
    finally:
        for client in clients:
            client.close()
    with open(f"/proc/{world.stack.pid('onekey-console')}/status", encoding="ascii") as file:
        memory_kb = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    world.tap.check(took < 5 and memory_kb < 300000, f"{HALF_OPEN} half-open connections do not keep a person out",
                    f"{took:.2f} s, {memory_kb} kB")
    for batch in range(12):
        raise_alarms(world.stack, [f"flood-{batch}-{i}" for i in range(60)])
        wait_for(lambda: figure(browser, "onekey_console_stalled_total") > 0, 0.5)
    dropped = wait_for(lambda: figure(browser, "onekey_console_stalled_total") + figure(browser, "onekey_console_slow_total")
                       > 0, 30)
    world.tap.check(dropped, "a stream that is not read is dropped")
    stalled.close()


def it_is_reached_over_tls(world):
    by_tls(world, raise_alarms)


def proxies_are_believed_as_configured(world):
    behind_a_proxy(world)


def figure(browser, name):
    text = browser.ask("GET", "/metrics")[1]
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")), 0.0)


def the_page_is_cached_by_its_names(world):
    browser = world.people["operator"]
    status, page, headers = browser.ask("GET", "/")
    if status == 404:
        world.tap.skip("the page is served", "it is not built: no npm")
        return
    names = [word.split('"')[0] for word in page.replace("'", '"').split('="') if word.split('"')[0].endswith((".js", ".css"))]
    problems = [] if headers["Cache-Control"] == "no-store" and names else [f"{headers['Cache-Control']} {names}"]
    for name in names:
        path = "/" + name.lstrip("./")
        _, _, first = browser.ask("GET", path)
        again = browser.ask("GET", path, headers={"If-None-Match": first["ETag"]})[0]
        if "immutable" not in first["Cache-Control"] or again != 304:
            problems.append(f"{path}: {first['Cache-Control']} {again}")
    world.check(problems, "the page is served, its parts for ever by their names")


TESTS = [the_page_is_cached_by_its_names, answers_are_as_the_interface_says, who_may_not_is_refused_and_it_is_known,
         forged_requests_change_nothing, hostile_requests_are_refused, two_operators_claim, streams_lose_nothing,
         the_unstored_alarm_is_seen, wrong_passwords_are_braked, crowds_do_not_keep_people_out,
         a_session_that_ends_ends_everywhere, it_is_reached_over_tls, proxies_are_believed_as_configured]


def main():
    tap = Tap()
    if os.path.exists(SANITIZED):
        os.environ.update(ONEKEY_CONSOLE=SANITIZED, ASAN_OPTIONS="quarantine_size_mb=16")
    print("# the console is", "under the sanitizers" if "ONEKEY_CONSOLE" in os.environ else "as released")
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([f"{ROOT}/tools/dev/sample-district", data, "20"], check=True)
        os.chmod(data, 0o755)
        with Stack(CONFIGURATION, data) as stack:
            world = World(stack, tap)
            for test in TESTS:
                began = time.monotonic()
                try:
                    test(world)
                except (AssertionError, OSError, RuntimeError) as error:
                    tap.check(False, test.__name__.replace("_", " "), repr(error))
                print(f"# {test.__name__}: {time.monotonic() - began:.1f} s", flush=True)
            stack.stop("onekey-console")
            log = stack.log("onekey-console")
            tap.check("Sanitizer" not in log and "runtime error" not in log and "console.ended" in log,
                      "the console ends as asked, without a complaint", *log.splitlines()[-20:])
    tap.finish()


if __name__ == "__main__":
    main()
