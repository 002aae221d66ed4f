"""Rows of code alone, without a socket or a disk."""
from harness import run


def meter_update(_bench, report):
    """A reading into the silence detector, one million meters in an order that no cache foresees."""
    result = run("meter_update", timeout=180)
    rounds = [value for key, value in result.items() if key.startswith("round")]
    report.row("meter_update_ns", "ns", rounds, goal=("<=", 400))
    report.row("meter_bytes", "B", [result["bytes"]], goal=("<=", 600))


ROWS = [("meter_update", meter_update)]
