"""What a test needs of devices: frames of a wristband, and messages to the broker.

The frames are those of the watch protocol (docs/PROTOCOLS.md).
"""
import datetime
import json
import select
import socket
import subprocess
import time

UTC = datetime.timezone.utc
STATUS_PANIC = "00010000"


def watch_frame(identity, content, length=None):
    size = len(content) if length is None else length
    return f"[3G*{identity}*{size:04x}*{content}]".encode()


def watch_press(identity, at=None, status=STATUS_PANIC):
    """An alarm frame; its name is the second `at` (default: now) and the identity."""
    at = at or datetime.datetime.now(UTC)
    return watch_frame(identity, f"AL,{at:%d%m%y},{at:%H%M%S},V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,{status}")


def watch_acknowledgement(identity):
    return watch_frame(identity, "AL")


def receive(client, size=1, deadline_s=10.0):
    """What came until `size` bytes are there, the peer closed, or the deadline passed."""
    received, end = b"", time.monotonic() + deadline_s
    while len(received) < size and time.monotonic() < end:
        client.settimeout(max(0.001, end - time.monotonic()))
        try:
            data = client.recv(65536)
        except (TimeoutError, ConnectionError):
            break
        if not data:
            break
        received += data
    return received


def is_closed(client, deadline_s=10.0):
    """Whether the other side closes within the deadline; what it still says is thrown away."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if not select.select([client], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            if not client.recv(65536):
                return True
        except ConnectionError:
            return True
    return False


def press(stack, identity, at=None, deadline_s=10.0):
    """Presses once on a connection of its own; the seconds to its acknowledgement, None without."""
    wanted = watch_acknowledgement(identity)
    with stack.connect("watch") as client:
        began = time.monotonic()
        client.sendall(watch_press(identity, at))
        if receive(client, len(wanted), deadline_s) != wanted:
            return None
        return time.monotonic() - began


def publish(stack, topic, body):
    """One MQTT message, of bytes or of what becomes JSON, at QoS 1."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", stack.values["MQTT_PORT"], "-q", "1",
                    "-t", topic, "-s" if data else "-n"], input=data, check=True, timeout=30)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Pressers:
    """Connections that press in turn, each waiting for its answer, so that nothing queues here."""

    def __init__(self, stack, count):
        self.identities = [self.identity_of(i) for i in range(count)]
        self.clients = [stack.connect("watch") for _ in self.identities]
        self.second = datetime.datetime.now(UTC) - datetime.timedelta(hours=12)
        self.names = []  # (identity, the second it pressed) of what was acknowledged

    @staticmethod
    def identity_of(index):
        return str(7_100_000_000 + index)

    def measure(self, seconds, pause_s=0.002):
        """Seconds from press to acknowledgement of each alarm; None for those without."""
        taken, end, i = [], time.monotonic() + seconds, 0
        while time.monotonic() < end:
            index = i % len(self.clients)
            i += 1
            taken.append(self.press(index))
            time.sleep(pause_s)
        return taken

    def press(self, index, deadline_s=10.0):
        identity, client = self.identities[index], self.clients[index]
        wanted = watch_acknowledgement(identity)
        self.second += datetime.timedelta(seconds=1)
        began = time.monotonic()
        try:
            client.sendall(watch_press(identity, self.second))
        except ConnectionError:
            return None
        if receive(client, len(wanted), deadline_s) != wanted:
            return None
        self.names.append((identity, f"{self.second:%d%m%y%H%M%S}"))
        return time.monotonic() - began

    def close(self):
        for client in self.clients:
            client.close()


def missing(stack, names):
    """Of the acknowledged presses those that are not in the database with a ticket."""
    rows = stack.sql("select identity, split_part(detail->>'message_id', '-', 1) from onekey.signal "
                     "where ticket_id is not null and detail ? 'message_id'")
    return sorted(set(names) - {(identity, name) for identity, name in rows})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_district(folder, devices, homes="H", district="990100"):
    """CSV files with one home a device: (protocol, identity, kind). Returns the folder."""
    files = {
        "areas": ["code,parent,level,name_zh,name_en", f"{district},,district,试验区,Trial"],
        "households": ["code,area,address,resident,birth_year,living_alone,phone,conditions,"
                       "notes,lon,lat"],
        "devices": ["protocol,identity,kind,household,report_interval_s,secret"],
    }
    for i, (protocol, identity, kind) in enumerate(devices):
        files["households"].append(f"{homes}{i},{district},Invented Lane {i + 1},Nobody {i + 1},,,,,,,")
        files["devices"].append(f"{protocol},{identity},{kind},{homes}{i},,")
    for name, lines in files.items():
        with open(f"{folder}/{name}.csv", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    return folder
