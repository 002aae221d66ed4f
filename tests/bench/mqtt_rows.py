"""The row of messages from a broker."""
from harness import Server, column, interleave, run

MESSAGES = 20000


def mqtt_rate(bench, report):
    """QoS 1 messages a second, published through the broker until the last is acknowledged after its sync."""
    port = bench.stack.values["MQTT_PORT"]

    def publish(prefix):
        bench.settle()
        return run("mqtt_client", "publish", port, MESSAGES, prefix, bench.presses(MESSAGES),
                   timeout=120)

    with Server("mqtt_client", "subscribe", port, "bench/v1"):
        publish("onekey/v1")
        ours, floors = interleave(lambda: publish("onekey/v1"), lambda: publish("bench/v1"))
    report.row("mqtt_rate", "1/s", column(ours, "rate"), column(floors, "rate"), (">=", 0.8))
    report.note("mqtt_rate: publisher and broker share the processors with either subscriber")


ROWS = [("mqtt_rate", mqtt_rate)]
