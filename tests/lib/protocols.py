"""Frames of devices that tests build themselves (docs/PROTOCOLS.md): SIA DC-09 and JT/T 808."""
import datetime
import subprocess

CHINA = datetime.timezone(datetime.timedelta(hours=8))


def crc16_arc(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def dc09_frame(body):
    return b"\n%04X%04X%s\r" % (crc16_arc(body), len(body), body)


def aes(key, data, *flags):
    return subprocess.run(["openssl", "enc", f"-aes-{8 * len(key)}-cbc", "-nopad", "-K", key.hex(), "-iv", "0" * 32, *flags],
                          input=data, capture_output=True, check=True).stdout


def dc09_secret(key, account, sequence, event, at):
    """A Contact ID event such as "1301 01 007", encrypted, padded in front as the standard wants."""
    plain = f"|#{account}|{event}]_{at:%H:%M:%S,%m-%d-%Y}".encode()
    plain = b"7" * (16 - len(plain) % 16) + plain
    return dc09_frame(b'"*ADM-CID"%04dL0#%s[%s' % (sequence, account.encode(), aes(key, plain).hex().upper().encode()))


def dc09_clear(account, sequence, event):
    return dc09_frame(f'"ADM-CID"{sequence:04d}L0#{account}[#{account}|{event}]'.encode())


def jt808_frame(message, phone, serial, body=b"", parts=None):
    """parts: (total, number) of a message in several packages."""
    attributes = len(body) | (0x2000 if parts else 0)
    raw = message.to_bytes(2, "big") + attributes.to_bytes(2, "big") + bytes.fromhex(phone.rjust(12, "0"))
    raw += serial.to_bytes(2, "big")
    if parts:
        raw += parts[0].to_bytes(2, "big") + parts[1].to_bytes(2, "big")
    raw += body
    check = 0
    for byte in raw:
        check ^= byte
    raw += bytes([check])
    return b"\x7e" + raw.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def jt808_location(alarm, at, elements=b""):
    """The body of 0x0200: located in Shanghai."""
    local = at.astimezone(CHINA)
    return (alarm.to_bytes(4, "big") + (2).to_bytes(4, "big") + (31230416).to_bytes(4, "big") + (121473701).to_bytes(4, "big")
            + bytes(6) + bytes.fromhex(f"{local:%y%m%d%H%M%S}") + elements)
