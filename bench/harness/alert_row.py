"""The row of alerts: from the moment at which an alert's condition has held for its `for`, by the time of the data, to the
request at a receiver's webhook."""
import http.client
import json
import os
import socket
import statistics
import tempfile
import time

from pairs import Line, Target, compare, measure
from processes import Ended, start
from programs import run
from reading_rows import nanoseconds
from webhook import Webhook

ALERTS = 8  # each fires every PERIOD seconds, one after the other
PERIOD = 4
FOR = 1  # seconds
TICK = "100ms"


def summary(delays_ms):
    ordered = sorted(delays_ms)
    return {"p50": statistics.median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]}


class Alerts:
    def __init__(self, options):
        self.seconds = options.seconds(60, 12)

    def floor(self):
        """A bare loop that tells the receiver at these moments: what the receiver itself takes."""
        with Webhook() as receiver:
            connection = http.client.HTTPConnection("127.0.0.1", receiver.server.server_port)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            step = PERIOD * 10**9 // ALERTS
            moment = (time.time_ns() // step + 1) * step
            end = moment + self.seconds * 10**9
            while moment < end:
                time.sleep(max(0, (moment - time.time_ns()) / 1e9))
                connection.request("POST", "/", json.dumps({"moment": moment}), {"Content-Type": "application/json"})
                connection.getresponse().read()
                moment += step
            connection.close()
            return summary([(came - body["moment"]) / 1e6 for came, body in receiver.got])

    def ours(self):
        with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Webhook() as receiver:
            rules = "".join(f"  - alert: A{i}\n    expr: (vector(time()) + {PERIOD - i * PERIOD / ALERTS:g}) % {PERIOD} < 2\n"
                            f"    for: {FOR}s\n" for i in range(ALERTS))
            write(f"{folder}/rules.yml", f"groups:\n- name: g\n  interval: 100ms\n  rules:\n{rules}")
            write(f"{folder}/notify.yml", "route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 100ms}\n"
                  f"receivers: [{{name: r, webhook_configs: [{{url: '{receiver.url}'}}]}}]\n")
            up = start("monitor", "up", "--data", f"{folder}/data", "--port", "0", "--http", "off", "--web", "127.0.0.1:0",
                       "--simulate", "--interval", TICK, "--rules", f"{folder}/rules.yml", "--notify", f"{folder}/notify.yml")
            with Ended(up):
                up.says("web page: ")
                send_each_tick(f"{folder}/data")
                time.sleep(5)  # until the first evaluations have passed
                begin = time.time_ns()
                time.sleep(self.seconds)
                assert up.stop() == 0
            return summary(list(delays_ms(receiver.got, begin)))


def send_each_tick(data):
    """By default, a batch has the ticks of a second, which would count as a delay of the alert."""
    agent, = (name.removesuffix(".json") for name in os.listdir(f"{data}/monitor/config"))
    status, _, err = run("monitor-config", "set", "--data", data, "--agent-id", agent, "send_every=0")
    assert status == 0, err


def delays_ms(told, begin):
    """Of each alert that began to fire after `begin`. Its condition became true at a known moment of the data's time."""
    for came, body in told:
        for alert in body["alerts"]:
            fired = nanoseconds(alert["startsAt"])
            if alert["status"] != "firing" or fired < begin:
                continue
            number = int(alert["labels"]["alertname"][1:])
            phase = number * PERIOD * 10**9 // ALERTS
            period = PERIOD * 10**9
            began = (fired - FOR * 10**9 - phase) // period * period + phase
            yield (came - began) / 1e6 - FOR * 1000


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def alert(options):
    case = Alerts(options)
    blocks = measure(case.floor, case.ours, [], *options.blocks())
    yield Line("alert", "beyond `for`, to the webhook, median", "ms", compare(blocks, "p50"))
    yield Line("alert", "beyond `for`, to the webhook, p99", "ms", compare(blocks, "p99"), [Target(1000, of="ours", unit="ms")])
