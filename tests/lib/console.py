"""A browser without a screen: log-in, requests and the stream of events of onekey-console, and its interface's schemas."""
import http.client
import json
import re
import socket
import threading
import time


class Browser:
    """One session. `ask` returns (status, JSON or text, headers)."""

    def __init__(self, url):
        self.port = int(url.rsplit(":", 1)[1])
        self.cookie = self.csrf = None

    def ask(self, method, path, body=None, headers=None, timeout_s=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        fields = {}
        if self.cookie:
            fields["Cookie"] = self.cookie
        if method != "GET" and self.csrf:
            fields["X-CSRF-Token"] = self.csrf
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        fields.update(headers or {})
        try:
            connection.request(method, path, body, {k: v for k, v in fields.items() if v is not None})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if (cookie := answer.getheader("Set-Cookie")) is not None:
            self.cookie = cookie.split(";")[0]
        is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
        return answer.status, json.loads(text) if is_json and text else text, answer.headers

    def get(self, path):
        status, body, _ = self.ask("GET", path)
        assert status == 200, f"GET {path}: {status} {body}"
        return body

    def log_in(self, name, password):
        status, body, _ = self.ask("POST", "/api/session", {"name": name, "password": password})
        if status == 200:
            self.csrf = body["csrf"]
        return status


class Stream:
    """GET /api/events: `events` grows as (name, data, id) while it is open."""

    def __init__(self, browser, last=None, receive_bytes=None):
        self.events, self.ended = [], False
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", browser.port))
        resume = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall((f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {browser.cookie}\r\n{resume}\r\n")
                            .encode())
        self.thread = threading.Thread(target=self._read, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def _read(self):
        name, data, event_id = None, None, None
        try:
            for line in self.socket.makefile("r", encoding="utf-8", newline="\n"):
                line = line.rstrip("\r\n")
                key, _, value = line.partition(": ")
                if key == "id":
                    event_id = value
                elif key == "event":
                    name = value
                elif key == "data":
                    data = value
                elif not line and name:
                    self.events.append((name, json.loads(data), event_id))
                    name = data = None
        except OSError:
            pass
        self.ended = True

    def of(self, name):
        return [data for kind, data, _ in list(self.events) if kind == name]

    def last_id(self):
        return next((event_id for _, _, event_id in reversed(list(self.events)) if event_id), None)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class Schemas:
    """As much of JSON Schema as openapi.json uses."""

    TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
             "null": type(None)}

    def __init__(self, document):
        self.document = document

    def problems(self, value, schema, place="answer"):
        """What of a value does not fit, each with its place."""
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "oneOf" in schema:
            each = [self.problems(value, one, place) for one in schema["oneOf"]]
            return [] if [] in each else min(each, key=len)
        found = []
        kinds = schema.get("type")
        if kinds is not None:
            kinds = [kinds] if isinstance(kinds, str) else kinds
            if not any(isinstance(value, self.TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))
                       for kind in kinds):
                return [f"{place}: {value!r} is no {kinds}"]
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{place}: {value!r} is not in {schema['enum']}")
        if schema.get("format") == "date-time" and isinstance(value, str) and not re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
            found.append(f"{place}: {value!r} is no time")
        if isinstance(value, dict):
            found += self._members(value, schema, place)
        if isinstance(value, list):
            if len(value) > schema.get("maxItems", len(value)):
                found.append(f"{place}: {len(value)} items")
            for index, item in enumerate(value):
                found += self.problems(item, schema.get("items", {}), f"{place}[{index}]")
        return found

    def _members(self, value, schema, place):
        properties = schema.get("properties", {})
        more = schema.get("additionalProperties", True)
        found = [f"{place}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in properties:
                found += self.problems(member, properties[name], f"{place}.{name}")
            elif more is False:
                found.append(f"{place}: {name} is not known")
            elif isinstance(more, dict):
                found += self.problems(member, more, f"{place}.{name}")
        return found


def raise_alarms(stack, identities, kind="panic", start=None):
    """Stores alarms of meter_json devices as a gateway does, in one batch; returns their tickets."""
    first = start or time.time_ns() // 1000
    count = len(identities)

    def array(value, kind_of):
        return f"array[{','.join([value] * count)}]::{kind_of}[]"

    numbers = ",".join(str(first + i) for i in range(count))
    names = ",".join(f"'{identity}'" for identity in identities)
    rows = stack.sql(f"""select ticket_id from onekey.raise_tickets('test', '{stack.values["DISTRICT"]}',
        array[{numbers}]::bigint[], {array("'meter_json'", "text")}, array[{names}]::text[], {array(f"'{kind}'", "text")},
        {array("'none'", "text")}, {array("''", "text")}, {array("null", "timestamptz")}, {array("now()", "timestamptz")},
        {array("null", "bytea")}, {array("null", "jsonb")}) order by number""")
    return [int(row[0]) for row in rows]
