"""One database of a test, and how the tests talk to it."""
import os
import subprocess
import threading

from session import Refused, Sessions

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "bin", "onekeyctl")
LIMIT_S = 60
TEMPLATE = "template_onekey"

# Household 1 has a wristband w1, a call box c1 and a meter m1; household 2 a wristband w2; device s1 is in store.
HOMES = """
insert into onekey.area (district, code, level, name_zh) values ('D', 'D', 'district', '样例区');
insert into onekey.area (district, code, parent_id, level, name_zh) values ('D', 'T', 1, 'street_town', '样例街道');
insert into onekey.household (district, code, area_id, address) values
    ('D', 'H1', 2, 'Sample Road 1'), ('D', 'H2', 2, 'Sample Road 2');
insert into onekey.resident (district, household_id, name) values ('D', 1, 'Sample One');
insert into onekey.device (district, protocol, identity, kind, household_id, secret) values
    ('D', 'watch', 'w1', 'wristband', 1, 'hush'), ('D', 'meter_json', 'c1', 'call_box', 1, null),
    ('D', 'meter_json', 'm1', 'meter', 1, null), ('D', 'watch', 'w2', 'wristband', 2, null),
    ('D', 'watch', 's1', 'wristband', null, null);
select onekey.set_user('D', name, role) from (values ('li', 'operator'), ('zhao', 'operator'), ('wang', 'supervisor'),
    ('root', 'administrator'), ('guest', 'read_only'), ('street', 'street_town')) u(name, role);
"""


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def holds(part, whole):
    assert part in whole, f"{part!r} is not in {whole!r}"


def ctl(server, name, *arguments, text=None, user="postgres", **variables):
    """Runs onekeyctl on that database."""
    environment = {**server.environment(name, user), "LC_ALL": "C.UTF-8", **variables}
    return subprocess.run([PROGRAM, *arguments], env=environment, input=text, text=True,
                          capture_output=True, timeout=LIMIT_S)


def make_template(server):
    server.psql(f"create database {TEMPLATE}")
    done = ctl(server, TEMPLATE, "db", "migrate")
    if done.returncode != 0:
        raise SystemExit(f"onekeyctl db migrate: {done.stdout}{done.stderr}")
    server.psql(HOMES, TEMPLATE)
    server.psql("create role a_gateway login in role onekey_gateway;"
                "create role a_console login in role onekey_console;"
                "create role a_report login in role onekey_report;"
                "create role a_stranger login")


def quote(value):
    """A Python value as an SQL literal."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def array(values, kind):
    return f"array[{','.join(quote(value) for value in values)}]::{kind}[]"


class Database:
    def __init__(self, server, name):
        self.server, self.name = server, name
        self.sessions = Sessions(lambda user: server.environment(name, user))
        server.psql(f"create database {name} template {TEMPLATE}")

    def close(self):
        self.sessions.close()

    def sql(self, text, user="postgres"):
        """Rows as lines, columns split by |. Raises Refused with the whole message."""
        return self.sessions.run(text, user)

    def refusal(self, text, user="postgres"):
        """What the database says no with; fails if it does not."""
        try:
            self.sql(text, user)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"not refused: {text}")

    def ctl(self, *arguments, text=None):
        return ctl(self.server, self.name, *arguments, text=text)

    def act(self, name, *statements, district="D"):
        """What the last of these statements answers to that person, on a console's connection."""
        quiet = "".join(f"{one};\n" for one in statements[:-1])
        return self.sql(f"\\o /dev/null\nselect onekey.act_as({quote(district)}, {quote(name)}, 'desk 1', true);\n"
                        f"{quiet}\\o\n{statements[-1]};\n", "a_console")

    def command(self, name, command, *arguments, columns="code"):
        """Gives a command of that person to a ticket of district D: ticket_COMMAND(...)."""
        values = ", ".join([quote("D"), *map(quote, arguments)])
        return self.act(name, f"select {columns} from onekey.ticket_{command}({values})")

    def call(self, signals, gateway="g1", district="D"):
        """The SQL that raises these signals, each a dict."""
        columns = [("number", "bigint"), ("protocol", "text"), ("identity", "text"), ("kind", "text"),
                   ("service_kind", "text"), ("flags", "text"), ("occurred_at", "timestamptz"),
                   ("received_at", "timestamptz"), ("raw", "bytea"), ("detail", "jsonb")]
        arrays = ", ".join(array([signal.get(name) for signal in signals], kind)
                           for name, kind in columns)
        return (f"select number, ticket_id, state, is_new from onekey.raise_tickets("
                f"{quote(gateway)}, {quote(district)}, {arrays}) order by number")

    def raises(self, *signals, gateway="g1", user="postgres"):
        """Raises signals; returns a tuple (number, ticket, state, is_new) for each."""
        rows = self.sql(self.call(signals, gateway), user).splitlines()
        return [(int(number), int(ticket) if ticket else None, state or None, new == "t")
                for number, ticket, state, new in (row.split("|") for row in rows)]

    def events(self, ticket):
        """Kinds of the ticket's events in their order."""
        return self.sql(f"select kind from onekey.ticket_event where ticket_id = {ticket}"
                        " order by id").splitlines()

    def ticket(self, ticket, columns):
        return self.sql(f"select {columns} from onekey.ticket where id = {ticket}")


def signal(number, kind, identity="w1", **more):
    """A signal of wristband w1 unless told otherwise."""
    return {"number": number, "kind": kind, "identity": identity, "protocol": "watch",
            "received_at": "2026-11-22 08:00:00+08", **more}


def parallel(functions):
    """Runs them at the same time and returns their results; raises the first error."""
    results, errors = [None] * len(functions), []
    barrier = threading.Barrier(len(functions))

    def run(index, function):
        barrier.wait()
        try:
            results[index] = function()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    if errors:
        raise errors[0]
    return results
