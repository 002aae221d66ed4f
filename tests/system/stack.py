#!/usr/bin/python3
"""tools/dev/stack: what it starts it can kill, start again and stop, and it touches nothing else."""
import os
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
NAMES = ["postgres", "broker", "onekeyd"]
failed = False
count = 0


def check(is_good, name):
    global failed, count
    count += 1
    failed |= not is_good
    print(f"{'ok' if is_good else 'not ok'} {count} - {name}", flush=True)


def stack(command, folder, *arguments):
    """Exit status 0?"""
    return subprocess.run([f"{ROOT}/tools/dev/stack", command, folder, *arguments],
                          timeout=120).returncode == 0


def environment(folder):
    with open(f"{folder}/env", encoding="utf-8") as file:
        return dict(assignment.split("=", 1) for line in file for assignment in shlex.split(line))


def pid(folder, name):
    with open(f"{folder}/pid/{name}", encoding="utf-8") as file:
        return int(file.read())


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def test_kill_and_start(folder, name, port):
    before = pid(folder, name)
    check(stack("kill", folder, name) and not is_alive(before), f"{name} is killed")
    check(stack("start", folder, name) and pid(folder, name) != before and is_listening(port),
          f"{name} is started again on its port")


def test_listeners(values):
    """Each protocol by TCP and UDP on the same port, and TLS by the stack's own authority."""
    ports = {key: value for key, value in values.items() if key.startswith("PORT_")}
    check({"PORT_WATCH", "PORT_SIA_DC09", "PORT_EV07B", "PORT_JT808", "PORT_CJT188", "PORT_GT06",
           "PORT_H02", "PORT_EELINK", "PORT_ANY", "PORT_TLS"} <= set(ports), "a port a protocol")
    keep_alive = b"[3G*7300000001*0002*LK]"
    address = ("127.0.0.1", int(ports["PORT_ANY"]))
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(keep_alive)
        check(client.recv(100) == keep_alive, "the listener of any protocol knows a wristband")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(keep_alive, address)
        check(client.recv(100) == keep_alive, "and by a datagram")
    context = ssl.create_default_context(cafile=values["TLS_CA"])
    with socket.create_connection(("127.0.0.1", int(ports["PORT_TLS"])), timeout=10) as raw, \
            context.wrap_socket(raw, server_hostname="localhost") as client:
        client.sendall(keep_alive)
        check(client.recv(100) == keep_alive, "and by TLS, with a name that is checked")


def test_stale_pid(folder):
    """A process id that now belongs to someone else."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        stack("stop", folder, "broker")
        with open(f"{folder}/pid/broker", "w", encoding="utf-8") as file:
            file.write(f"{stranger.pid}\n")
        check(stack("kill", folder, "broker") and stranger.poll() is None,
              "a stranger with a remembered id is left alone")
        stranger.kill()
    check(stack("start", folder, "broker"), "and the broker starts again")


def main():
    with tempfile.TemporaryDirectory(prefix="onekey-") as parent:
        os.chmod(parent, 0o755)
        folder = f"{parent}/stack"
        try:
            check(stack("up", folder), "up")
            values = environment(folder)
            check(all(is_alive(pid(folder, name)) for name in NAMES), "all processes live")
            check(not stack("up", folder), "a second up is refused")
            test_listeners(values)
            for name, key in (("postgres", "PGPORT"), ("broker", "MQTT_PORT"),
                              ("onekeyd", "PORT_WATCH")):
                test_kill_and_start(folder, name, values[key])
            test_stale_pid(folder)
            pids = [pid(folder, name) for name in NAMES]
        finally:
            is_down = stack("down", folder)
        check(is_down and not any(map(is_alive, pids)), "down, and nothing lives any more")
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
