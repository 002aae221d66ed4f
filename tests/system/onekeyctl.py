#!/usr/bin/python3
"""onekeyctl against a stand-in for the daemon: what it sends, what it prints, how it fails."""
import os
import socket
import subprocess
import sys
import tempfile
import threading

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "bin", "onekeyctl")
LIMIT_S = 20


class Daemon:
    """Answers one request with the bytes given, then closes. `request` is what was asked."""

    def __init__(self, folder, answer):
        self.path, self.answer, self.request = os.path.join(folder, "socket"), answer, None
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.listener.settimeout(LIMIT_S)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(LIMIT_S)
            self.request = connection.makefile("rb").readline().decode()
            connection.sendall(self.answer)
        self.listener.close()


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=LIMIT_S,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))


def ask(folder, answer, *arguments):
    """(what the daemon was asked, the finished program)."""
    daemon = Daemon(folder, answer)
    result = run("--socket", daemon.path, *arguments)
    daemon.thread.join()
    return daemon.request, result


def check(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def rows_stand_in_columns(folder):
    answer = '{"device":"watch:1","area":"水城"}\n{"device":"watch:1000","area":"x"}\n\n'.encode()
    request, result = ask(folder, answer, "show", "devices")
    check(request, "show devices\n")
    check(result.stdout, "device      area\nwatch:1     水城\nwatch:1000  x\n")
    check(result.returncode, 0)


def one_object_reads_downwards(folder):
    _, result = ask(folder, b'{"state":"ready","sessions":3,"late":null}\n\n', "show", "status")
    check(result.stdout, "state     ready\nsessions  3\nlate      -\n")


def other_keys_begin_another_table(folder):
    _, result = ask(folder, b'{"a":1}\n{"a":2}\n{"b":3}\n\n', "show", "x")
    check(result.stdout, "a\n1\n2\n\nb  3\n")


def long_tables_are_whole(folder):
    answer = "".join(f'{{"row":{i}}}\n' for i in range(1501)).encode() + b"\n"
    _, result = ask(folder, answer, "show", "x")
    check(result.stdout, "row\n" + "".join(f"{i}\n" for i in range(1501)))


def json_is_passed_on(folder):
    _, result = ask(folder, b'{"a":"\\u001b[31m"}\n\n', "--json", "show", "x")
    check(result.stdout, '{"a":"\\u001b[31m"}\n')


def control_characters_never_reach_the_terminal(folder):
    _, result = ask(folder, b'{"a":"\\u001b[31m\\n\\u009b1m"}\n\n', "show", "x")
    check(result.stdout, "a  ?[31m???1m\n")


def a_refusal_is_one_sentence(folder):
    _, result = ask(folder, b'{"error":"unknown request","remedy":"help lists them"}\n\n', "drain")
    check(result.stderr, "onekeyctl: unknown request; help lists them\n")
    check((result.stdout, result.returncode), ("", 1))


def a_broken_answer_is_no_success(folder):
    _, result = ask(folder, b'{"a":1}\n', "show", "x")
    check(result.returncode, 1)
    assert "breaks off: connection closed" in result.stderr, result.stderr
    _, result = ask(folder, b"nonsense\n\n", "show", "x")
    check(result.returncode, 1)
    assert "not understood" in result.stderr, result.stderr


def an_empty_answer_is_empty(folder):
    _, result = ask(folder, b"\n", "show", "outbox")
    check((result.stdout, result.stderr, result.returncode), ("", "", 0))


def show_alone_lists_what_can_be_shown(folder):
    request, _ = ask(folder, b"\n", "show")
    check(request, "help\n")


def the_socket_stands_in_the_configuration(folder):
    daemon = Daemon(folder, b"\n")
    path = os.path.join(folder, "a.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[control]\nsocket = {daemon.path}\n")
    check(run("--config", path, "reload").returncode, 0)
    daemon.thread.join()
    check(daemon.request, "reload\n")


def no_daemon_is_told(folder):
    result = run("--socket", os.path.join(folder, "none"), "show", "status")
    check(result.returncode, 1)
    assert "cannot reach the daemon" in result.stderr, result.stderr


def wrong_use_is_told(folder):
    del folder
    check(run().returncode, 2)
    check(run("dance").returncode, 2)
    check(run("--nonsense").returncode, 2)
    check(run("show", "a\nb").returncode, 2)
    check(run("--help").returncode, 0)
    assert run("--version").stdout.startswith("onekeyctl "), "no version"


def configurations_are_checked(folder):
    path = os.path.join(folder, "a.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[listen w]\nport = 7700\n")
    check(run("--config", path, "check").returncode, 0)
    printed = run("--config", path, "check", "--print").stdout
    assert "[listen w]\n" in printed and "\nport = 7700\n" in printed, printed
    with open(path, "a", encoding="utf-8") as file:
        file.write("prot = 1\n[log]\nlevel = loud\n")
    result = run("--config", path, "check")
    check(result.returncode, 1)
    assert f"{path}:3: " in result.stderr and f"{path}:5: " in result.stderr, result.stderr
    assert result.stderr.endswith("2 errors\n"), result.stderr


TESTS = [rows_stand_in_columns, one_object_reads_downwards, other_keys_begin_another_table,
         long_tables_are_whole, json_is_passed_on, control_characters_never_reach_the_terminal,
         a_refusal_is_one_sentence, a_broken_answer_is_no_success, an_empty_answer_is_empty,
         show_alone_lists_what_can_be_shown, the_socket_stands_in_the_configuration,
         no_daemon_is_told, wrong_use_is_told, configurations_are_checked]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as folder:
        for number, test in enumerate(TESTS, 1):
            title = test.__name__.replace("_", " ")
            try:
                test(folder)
                print(f"ok {number} - {title}")
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"not ok {number} - {title}\n# {error}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
