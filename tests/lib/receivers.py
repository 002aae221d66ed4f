"""Who notices are sent to, in tests: a web server and a mail server with all bad habits, on loopback."""
import http.server
import socketserver
import ssl
import subprocess
import threading
import time


def certificate(folder, name="127.0.0.1"):
    """A certificate for this machine that signs itself; (path of it, path of its key)."""
    paths = f"{folder}/server.pem", f"{folder}/server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", paths[1], "-out", paths[0], "-subj", f"/CN={name}", "-days", "2",
                    "-addext", f"subjectAltName=IP:{name}"], check=True, capture_output=True, timeout=60)
    return paths


class Quiet(socketserver.ThreadingMixIn):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # a client that gives up is what these servers are for

    def run(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    @property
    def port(self):
        return self.server_address[1]


class Web(Quiet, http.server.HTTPServer):
    """Answers POST /HABIT as it says there; `heard` holds (habit, headers, body) of all in their order."""

    request_queue_size = 128

    def __init__(self, certificate_paths=None):
        super().__init__(("127.0.0.1", 0), WebHandler)
        self.heard = []
        self.elsewhere = ""  # where /redirects points to
        self.is_mended = False
        if certificate_paths:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate_paths)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def ids(self, habit):
        return [headers["webhook-id"] for name, headers, _ in list(self.heard) if name == habit]


class WebHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        habit = self.path.strip("/")
        self.server.heard.append((habit, dict(self.headers.items()), body))
        getattr(self, habit)(len(self.server.ids(habit)))

    do_GET = do_POST

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body) if length is None else length, **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def good(self, _):
        self.answer(204)

    def lingers(self, _):
        time.sleep(0.05)
        self.answer(200, b"ok")

    def fails(self, _):
        """In every way until it is mended."""
        nth = len(self.server.heard)
        if self.server.is_mended:
            self.answer(200)
        elif nth % 4 == 0:
            self.close_connection = True
        elif nth % 4 == 1:
            self.wfile.write(b"\x00\xffno HTTP at all\r\n\r\n")
            self.close_connection = True
        elif nth % 4 == 2:
            self.answer(500, b"x" * 1000)
        else:
            self.answer(429, Retry_After=1)

    def hangs(self, _):
        time.sleep(20)
        self.close_connection = True

    def drips(self, _):
        """A byte at a time, for ever."""
        for _ in range(200):
            self.wfile.write(b"H")
            self.wfile.flush()
            time.sleep(0.1)

    def redirects(self, _):
        self.answer(307, Location=self.server.elsewhere)

    def floods(self, _):
        """Yes, and then no end."""
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(2000):
            self.wfile.write(b"y" * 65536)

    def truncates(self, nth):
        """Yes, but the connection ends in the middle of it; whole the second time."""
        self.answer(200, b"yes", length=3 if nth > 1 else 1000)
        self.close_connection = True

    def gone(self, _):
        self.answer(410)


class Mail(Quiet, socketserver.TCPServer):
    """Takes mails; `mails` holds (sender, [receivers], bytes, was it over TLS)."""

    request_queue_size = 64

    def __init__(self, certificate_paths=None):
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.mails, self.commands = [], []
        self.busy_times = 1  # so often a mail is put off first
        self.context = None
        if certificate_paths:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate_paths)


class MailHandler(socketserver.StreamRequestHandler):
    timeout = 30

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.is_secure, self.sender, self.receivers = False, None, []
        self.say("220 mail.example ready")
        while line := self.rfile.readline(2000):
            verb, _, rest = line.decode().strip().partition(" ")
            self.server.commands.append(verb.upper())
            if verb.upper() == "QUIT":
                break
            getattr(self, "do_" + verb.lower(), self.do_other)(rest)

    def do_other(self, _):
        self.say("502 what?")

    def do_ehlo(self, _):
        self.say("250-mail.example")
        self.say("250-STARTTLS" if self.server.context and not self.is_secure else "250-8BITMIME")
        self.say("250 AUTH PLAIN")

    def do_starttls(self, _):
        self.say("220 go on")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.is_secure = True

    def do_auth(self, _):
        self.say("235 welcome")

    def do_mail(self, rest):
        self.sender, self.receivers = rest, []
        self.say("250 ok")

    def do_rcpt(self, rest):
        if "nobody@" in rest:
            self.say("550 no such mailbox")
            return
        self.receivers.append(rest)
        self.say("250 ok")

    def do_data(self, _):
        if self.server.busy_times > 0:
            self.server.busy_times -= 1
            self.say("451 later")
            return
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        self.server.mails.append((self.sender, self.receivers, b"".join(lines), self.is_secure))
        self.say("250 taken")
