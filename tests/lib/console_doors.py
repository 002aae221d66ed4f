"""onekey-console by its other doors: over TLS, and behind a proxy whose word about the caller is believed."""
import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess

from stack import BIN, wait_for

PROXY = "127.0.0.9"  # every address of 127/8 is this machine


@contextlib.contextmanager
def another_console(stack, name, settings):
    """A second console beside that of the stack, with more settings; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(stack.values["ONEKEY_CONF"], encoding="utf-8") as file:
        text = re.sub(r"(\[console\]\naddress = [^\n]*\nport = )\d+\n", rf"\g<1>{port}\n{settings}", file.read())
    path = os.path.join(stack.folder, f"{name}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    program = os.environ.get("ONEKEY_CONSOLE", os.path.join(BIN, "onekey-console"))
    process = subprocess.Popen([program, "--config", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=stack.environment())
    try:
        yield port
    finally:
        process.terminate()
        said = process.communicate(timeout=20)[0]
        assert "Sanitizer" not in said and process.returncode == 0, said


def ask(port, method, path, body=None, headers=None, context=None, source=None):
    """(status, headers, body) of one request; status 0: no answer."""
    source = (source, 0) if source else None
    connection = (http.client.HTTPSConnection("localhost", port, timeout=15, context=context, source_address=source) if context
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=15, source_address=source))
    try:
        connection.request(method, path, json.dumps(body) if body else None,
                           {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    except (OSError, http.client.HTTPException) as problem:
        return 0, {}, repr(problem)
    finally:
        connection.close()


def log_in(stack, port, **more):
    return ask(port, "POST", "/api/session", {"name": stack.values["CONSOLE_OPERATOR"],
                                              "password": stack.values["CONSOLE_OPERATOR_PASSWORD"]}, **more)


def by_tls(world, raise_alarms):
    """Log-in, a request and the stream over TLS; a plain request gets nothing."""
    stack = world.stack
    folder = os.path.dirname(stack.values["TLS_CA"])
    context = ssl.create_default_context(cafile=stack.values["TLS_CA"])
    settings = f"certificate = {folder}/server.pem\nkey = {folder}/server.key\n"
    with another_console(stack, "tls", settings) as port:
        ready = wait_for(lambda: ask(port, "GET", "/-/ready", context=context)[0] == 200)
        status, headers, _ = log_in(stack, port, context=context)
        cookie = headers.get("Set-Cookie", "")
        world.tap.check(ready and status == 200 and "; Secure" in cookie and "; HttpOnly" in cookie, "one logs in over TLS", cookie)
        with context.wrap_socket(socket.create_connection(("localhost", port), 15), server_hostname="localhost") as stream:
            stream.sendall(f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie.split(';')[0]}\r\n\r\n".encode())
            heard = read_until(stream, b"event: hello")
            number = raise_alarms(stack, ["tls-alarm"])[0]
            heard += read_until(stream, b"tls-alarm")
            world.tap.check(b"tls-alarm" in heard and stream.version() in ("TLSv1.2", "TLSv1.3"), "and hears alarms", number)
        world.tap.check(ask(port, "GET", "/-/ready")[0] == 0, "a plain request gets no answer there")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(stack.values["TLS_CA"])
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        world.tap.check(ask(port, "GET", "/-/ready", context=old)[0] == 0, "nor does TLS 1.1")


def read_until(stream, mark):
    data = b""
    while mark not in data:
        more = stream.recv(65536)
        if not more:
            break
        data += more
    return data


def behind_a_proxy(world):
    """What a proxy says of the caller counts if the proxy is ours, and from nobody else."""
    stack = world.stack
    told = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
    tries = [("of a proxy of ours", PROXY, told, "203.0.113.7", True),
             ("of a stranger", None, told, "127.0.0.1", False),
             ("of a proxy that says nothing", PROXY, {}, PROXY, False),
             ("that is no address", PROXY, {"X-Forwarded-For": "203.0.113.7', 'x"}, PROXY, False)]
    with another_console(stack, "proxy", f"proxies = {PROXY}\nhosts = desk.example\n") as port:
        wait_for(lambda: ask(port, "GET", "/-/ready")[0] == 200)
        for name, source, headers, origin, is_secure in tries:
            status, answer, text = log_in(stack, port, headers={"Host": "desk.example", **headers}, source=source)
            found = stack.value("select origin from onekey.audit where action = 'log_in' and is_allowed order by id desc limit 1")
            world.tap.check(status == 200 and found == origin and ("; Secure" in answer["Set-Cookie"]) == is_secure,
                            f"the word {name}", status, found, text[:100])
        status = log_in(stack, port, headers={"Host": "other.example", **told}, source=PROXY)[0]
        world.tap.check(status != 200, "a name that is not ours is refused", status)
