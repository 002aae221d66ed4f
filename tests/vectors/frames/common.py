"""Checksums and lines, as the descriptions of the protocols have them."""


def crc16(data, polynomial, initial, reflected, final=0):
    """Bit by bit, as a description gives it: the polynomial as it is written there."""
    crc = initial
    for byte in data:
        for bit in range(8):
            given = byte >> (bit if reflected else 7 - bit) & 1
            if reflected:
                crc = crc >> 1 ^ (polynomial if (crc ^ given) & 1 else 0)
            else:
                crc = (crc << 1 & 0xFFFF) ^ (polynomial if (crc >> 15 ^ given) & 1 else 0)
    return crc ^ final


def line(what, frame, *expect, **more):
    """A frame of a stream or datagram; `expect` are signals."""
    if isinstance(frame, bytes):
        return {"what": what, "frame": frame.hex(), "encoding": "hex", **more,
                "expect": list(expect)}
    return {"what": what, "frame": frame, "encoding": "text", **more, "expect": list(expect)}


def signal(kind, *flags, **members):
    return {"kind": kind, **members, **({"flags": list(flags)} if flags else {})}


def bcd(digits):
    return bytes.fromhex(digits)
