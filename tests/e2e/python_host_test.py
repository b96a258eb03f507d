#!/usr/bin/env python3
"""monitor-plugin-host-python: a plugin's class, the request that it sees, and what becomes of the request that it
returns. This program is the agent."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from plugin_host import (CONFINED, FAILED, LOADED, OWN, RESTORE, RESTORED, SAVE, SAVED, PythonHost, real, series, whole)  # noqa: E402

HEAD = "from agent.plugins.base import BasePlugin\nfrom shared import monitoring_pb2\n\n"
# An integer that no double holds, and a NaN with a payload.
BIG = 2 ** 62 + 1
ODD_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000BEEF01))[0]


def body(run, more=""):
    """A plugin whose run() has this body."""
    lines = "".join(f"        {line}\n" for line in run.split("\n"))
    return f"{HEAD}class Plugin(BasePlugin):\n    def run(self, metrics_request):\n{lines}{more}"


class HostTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="monitor-python-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.makedirs(f"{self.folder}/agent/plugins")

    def put(self, source, name="p.py"):
        path = f"{self.folder}/agent/plugins/{name}"
        with open(path, "w" if isinstance(source, str) else "wb") as file:
            file.write(source)
        return path

    def host(self, source, name=None, **options):
        host = PythonHost(self.put(source), name, **options)
        self.addCleanup(host.end)
        return host

    def started(self, source, **options):
        host = self.host(source, **options)
        if host.loaded[0] != LOADED:
            self.fail(f"{host.reason()} {host.end()}")
        host.tell(series(1, "system.cpu.utilization", integer=True, exponent=-4),
                  series(2, "system.memory.usage", unit="By", integer=True),
                  series(3, "x", (("a", "b"), ("c", "d"))),
                  series(4, "n", counter=True, integer=True))
        return host


POINTS = (whole(1, 2537), whole(2, 8_000_000), real(3, ODD_NAN), whole(4, BIG))


class Requests(HostTest):
    def test_the_readme_class_passes_every_request_untouched(self):
        host = self.started(HEAD + "class Plugin(BasePlugin):\n    def initialize(self, config=None):\n        pass\n\n"
                            "    def run(self, metrics_request):\n        return metrics_request\n\n    def finalize(self):\n        pass\n")
        self.assertEqual(host.run(*POINTS), "unchanged")
        self.assertEqual(host.run(), "unchanged")
        self.assertEqual(host.end(), "")

    def test_shows_the_values(self):
        host = self.started(body("""r = metrics_request
print(r.agent_id, r.timestamp, r.cpu_usage, r.memory_used, r.disk_read, r.HasField("net_in"), len(r.metrics))
for m in r.metrics: print(m.name, repr(m.value), m.unit, m.kind, m.labels)
return r"""))
        self.assertEqual(host.run(*POINTS), "unchanged")
        lines = host.end().splitlines()
        self.assertEqual(lines[1:], ["system.cpu.utilization 0.2537 1 gauge {}", "system.memory.usage 8000000 By gauge {}",
                                     "x nan 1 gauge {'a': 'b', 'c': 'd'}", f"n {BIG} 1 counter {{}}"])
        first = lines[0].split()
        self.assertEqual((first[0], float(first[1]), float(first[3]), first[4:]), ("agent-7", 1e9, 8.0, ["0.0", "False", "4"]))
        self.assertAlmostEqual(float(first[2]), 25.37)

    def test_untouched_values_keep_every_bit(self):
        cases = {"return metrics_request": None,
                 "list(metrics_request.metrics); return metrics_request": None,
                 "for m in metrics_request.metrics: m.value = m.value; m.name = m.name; m.labels\nreturn metrics_request": None,
                 "import copy; return copy.deepcopy(metrics_request)": None,
                 "new = monitoring_pb2.MetricsRequest()\nnew.CopyFrom(metrics_request)\nreturn new": None,
                 "new = monitoring_pb2.MetricsRequest(agent_id=metrics_request.agent_id)\nfor m in metrics_request.metrics: new.metrics.append(m)\nreturn new": None,
                 "for m in metrics_request.metrics: m.labels['team'] = 'ops'\nreturn metrics_request": "labels"}
        for run, changed in cases.items():
            with self.subTest(run=run):
                host = self.started(body(run))
                said = host.run(*POINTS)
                if changed is None:
                    self.assertEqual(said, "unchanged")
                else:
                    self.assertEqual([said[i + 8:i + 16] for i in range(0, 64, 16)], [point[8:] for point in POINTS])
                    self.assertEqual([host.defined[OWN | i][3:] for i in range(4)],
                                     [(False, True, -4), (False, True, 0), (False, False, 0), (True, True, 0)])
                    self.assertEqual(host.defined[OWN | 2][1], (("a", "b"), ("c", "d"), ("team", "ops")))
                    self.assertEqual(host.dropped, 0)

    def test_changes_drops_and_adds_points(self):
        host = self.started(body("""r = metrics_request
del r.metrics[0]
r.metrics[0].value += 1
r.metrics[1].value = 2.5
r.metrics[2].value = 0.5
r.metrics.add(name="new.one", value=3, labels={"k": "v"})
r.metrics.append(monitoring_pb2.Metric(name="new.two", value=4.0, unit="By", kind="counter"))
return r"""))
        for _ in range(2):
            said = host.run(*POINTS)
            self.assertEqual(host.dropped, 1)
            points = [struct.unpack_from("<II8s", said, i) for i in range(0, len(said), 16)]
            self.assertEqual(len(points), 5)
            self.assertEqual(struct.unpack("<q", points[0][2])[0], 8_000_001)
            self.assertEqual([struct.unpack("<d", one[2])[0] for one in points[1:]], [2.5, 0.5, 3.0, 4.0])
            self.assertEqual([one[0] for one in points[:2]], [2, 3], "the series have not changed")
            names = [host.defined.get(one[0]) for one in points]
            self.assertEqual(names[2], ("n", (), "1", True, False, 0), "a double in place of an integer makes a series of doubles")
            self.assertEqual(names[3:], [("new.one", (("k", "v"),), "1", False, False, 0), ("new.two", (), "By", True, False, 0)])
        self.assertEqual(len(host.defined), 3)

    def test_sets_fields_of_the_readme(self):
        host = self.started(body("metrics_request.cpu_usage = 50\nmetrics_request.net_in = 1.5\nreturn metrics_request"))
        said = host.run(*POINTS)
        self.assertEqual(struct.unpack_from("<d", said, 8)[0], 0.5)
        self.assertEqual(struct.unpack_from("<d", said, 72)[0], 1.5e6)
        self.assertEqual(host.defined[OWN | 1][:3], ("system.network.io.rate", (("network.io.direction", "receive"),), "By/s"))

    def test_drops_by_none_and_by_an_empty_list(self):
        for run in ("return None", "pass", "metrics_request.metrics = []\nreturn metrics_request", "del metrics_request.metrics[:]; return metrics_request"):
            said = self.started(body(run)).run(*POINTS)
            self.assertIn(said, ("dropped", b""), run)

    def test_a_metric_of_an_older_tick_can_be_sent_again(self):
        host = self.started(body("""old = getattr(self, "old", None)
self.old = list(metrics_request.metrics)
return metrics_request if old is None else monitoring_pb2.MetricsRequest(metrics=old)"""))
        self.assertEqual(host.run(*POINTS[:2]), "unchanged")
        said = host.run(whole(1, 1), whole(2, 1))
        self.assertEqual([struct.unpack_from("<q", said, at)[0] for at in (8, 24)], [2537, 8_000_000])
        self.assertEqual(host.dropped, 2)

    def test_refuses_bad_results_with_a_reason(self):
        add = "metrics_request.metrics.add(%s)\nreturn metrics_request"
        cases = {
            "return 5": r"returned a int, not a metrics request",
            "return {}": r"returned a dict", "return True": "returned a bool", "return b''": "returned a bytes",
            "return type(metrics_request)": "returned a type",
            "metrics_request.agent_id = 'other'; return metrics_request": "agent_id or timestamp",
            "metrics_request.timestamp = 5; return metrics_request": "agent_id or timestamp",
            "metrics_request.metrics.append(5); return metrics_request": "contains a int, not a Metric",
            "metrics_request.metrics.append(metrics_request); return metrics_request": "contains a MetricsRequest",
            "metrics_request._metrics = 7; return metrics_request": "is a int, not a list",
            add % "name=float('nan'), value=1": "name of a metric must be a str; got a float",
            add % "name=None, value=1": "must be a str", add % "name=b'x', value=1": "got a bytes",
            add % "name='', value=1": "invalid series", add % "name='x' * 5000, value=1": "invalid series",
            add % "name='\\ud800', value=1": "UnicodeEncodeError",
            add % "name='x', value='1'": "must be a number; got a str", add % "name='x', value=None": "got a NoneType",
            add % "name='x', value=[1]": "got a list", add % "name='x', value=10 ** 400": "OverflowError",
            add % "name='x', value=1, kind='histogram'": "must be gauge or counter",
            add % "name='x', value=1, kind=1": "kind of a metric must be a str",
            add % "name='x', value=1, unit=5": "unit of a metric must be a str",
            add % "name='x', value=1, labels={1: 'a'}": "must be str; got a int",
            add % "name='x', value=1, labels={'a': None}": "must be str; got a NoneType",
            add % "name='x', value=1, labels={'a': '\\udfff'}": "UnicodeEncodeError",
            add % "name='x', value=1, labels={str(i): 'a' for i in range(1000)}": "invalid series",
            add % "name='x', value=1, nosuch=2": "unexpected keyword",
            "metrics_request.metrics[1].value = 2 ** 63; return metrics_request": "does not fit into 64 bits",
            "metrics_request.metrics = metrics_request.metrics * 250001; return metrics_request": r"returned 1000004 points, the limit is 20004",
            "for i in range(6000): metrics_request.metrics.add(name=f'n{i}', value=1)\nreturn metrics_request": None,
            "for i in range(30000): metrics_request.metrics.add(name=f'n{i}', value=1)\nreturn metrics_request": "30004 points",
            "metrics_request.metrics[0].labels = 5; return metrics_request": "TypeError",
            "raise ValueError('a reason\\nin two lines')": r"ValueError: a reason.in two lines \(p.py, line \d+\)",
            "raise SystemExit(3)": "SystemExit: 3", "raise KeyboardInterrupt": "KeyboardInterrupt",
            "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd": "cannot be described",
            "return self.nosuch": "AttributeError.*nosuch",
        }
        for run, expected in cases.items():
            with self.subTest(run=run):
                host = self.started(body(run))
                said = host.run(*POINTS)
                if expected is None:
                    self.assertEqual(len(said), 16 * 6004)
                    continue
                self.assertIsInstance(said, str, "it must be refused")
                self.assertRegex(said, expected)
                self.assertNotIn("\n", said)
                self.assertLess(len(said), 1025)
                self.assertIsNone(host.process.poll(), "the host is intact")
                self.assertEqual(host.run(*POINTS), said)


class Life(HostTest):
    def test_a_plugin_learns_its_configuration_and_says_when_it_ends(self):
        source = HEAD + ("class Plugin(BasePlugin):\n    def initialize(self, config=None):\n        print('config', config)\n"
                         "    def run(self, r):\n        return r\n    def finalize(self):\n        print('bye')\n")
        for config, shown in (("{}", "None"), ('{"a": [1, 2.5, "\\u00e9", null]}', "{'a': [1, 2.5, 'é', None]}")):
            host = self.started(source, config=config)
            self.assertEqual(host.kinds[0], CONFINED)
            self.assertEqual(host.end().splitlines(), [f"config {shown}", "bye"])

    def test_state_passes_as_text_bytes_or_json(self):
        for state in ("'a\\ud800'", "b'\\x00\\xff'", "{'n': [1, 2.5, None]}", "17"):
            with self.subTest(state=state):
                source = body("return metrics_request", f"    def save(self):\n        return {state}\n    def restore(self, state):\n"
                              f"        assert state == {state} and type(state) is type({state}), state\n        print('restored')\n")
                kind, saved = self.started(source).ask(SAVE)
                self.assertEqual(kind, SAVED, saved)
                host = self.started(source)
                self.assertEqual(host.loaded[1][-12:], struct.pack("<III", 1, 0, 0), "it has a state")
                self.assertEqual(host.ask(RESTORE, saved), (RESTORED, b""))
                self.assertEqual(host.end().strip(), "restored")

    def test_bad_states_are_refused(self):
        for state, expected in (("object()", "not JSON serializable"), ("'x' * (5 << 20)", "more than 4 MiB"), ("1 / 0", "ZeroDivisionError")):
            host = self.started(body("return metrics_request", f"    def save(self):\n        return {state}\n    def restore(self, state):\n        pass\n"))
            kind, reason = host.ask(SAVE)
            self.assertEqual(kind, FAILED)
            self.assertIn(expected, reason.decode())
        self.assertEqual(host.ask(RESTORE, b"zz")[0], FAILED)
        host = self.started(body("return metrics_request"))
        self.assertEqual(host.loaded[1][-12:], struct.pack("<III", 0, 0, 0), "it has no state")

    def test_imports_what_its_statements_name(self):
        os.makedirs(f"{self.folder}/agent/plugins/tools")
        for name, text in (("helper.py", "from .tools import deep\nVALUE = deep.VALUE\n"), ("tools/__init__.py", "from . import deep\n"),
                           ("tools/deep.py", "import shared.settings\nVALUE = shared.settings.TOPIC\n")):
            self.put(text, name)
        os.makedirs(f"{self.folder}/shared")
        for name, text in (("settings.py", "TOPIC = 'monitoring-data'\n"), ("monitoring_pb2.py", "raise Exception('not this one')\n")):
            with open(f"{self.folder}/shared/{name}", "w", encoding="ascii") as file:
                file.write(text)
        self.put("raise Exception('not this one')\n", "base.py")
        self.put("raise Exception('not this one')\n", "__init__.py")
        host = self.started("import collections, datetime, json, logging, math, re, statistics, threading, time, traceback\n"
                            "from agent.plugins import helper\nimport agent.plugins.helper as again\n" +
                            body("""assert again.VALUE == "monitoring-data"
datetime.datetime.strptime("2026-11-30", "%Y-%m-%d").strftime("%A")
"x".encode("utf-16").decode("utf-16")
try: 1 / 0
except ZeroDivisionError: logging.exception("caught"); logging.debug("quiet")
time.sleep(0.001); time.localtime()
done = []
thread = threading.Thread(target=lambda: done.append(1)); thread.start(); thread.join()
try:
    import imaginary
except ImportError as e: print(e)
try: open("/etc/passwd")
except PermissionError: print("no files")
return metrics_request if done else None"""))
        self.assertEqual(host.run(*POINTS), "unchanged", host.reason())
        logged = [line for _, line in host.logged]
        self.assertEqual(logged[0], "caught")
        self.assertIn("    try: 1 / 0", logged, "a traceback shows the plugin's lines")
        self.assertEqual(host.logged[0][0], 3)
        said = host.end()
        self.assertIn("No module named 'imaginary'; a plugin can import what its import statements name", said)
        self.assertIn("no files", said)

    def test_refuses_what_is_not_a_plugin_with_a_reason(self):
        good = body("return metrics_request")
        for source, name, expected in (
                (good, "agent.plugins.p.Other", "has no class Other; it has Plugin"),
                ("Plugin = 5\n", None, "Plugin in .*p.py is not a class"),
                ("class Plugin:\n    pass\n", None, r"has no method run\(metrics_request\)"),
                ("class Plugin:\n    run = 5\n", None, "has no method run"),
                ("class Plugin(:\n", None, r"SyntaxError: .*p.py, line 1"),
                ("import nosuch\n" + good, None, "ModuleNotFoundError: No module named 'nosuch'"),
                ("from agent.plugins.base import Nothing\n" + good, None, "ImportError"),
                (good.replace("def run", "def __init__(self, a): pass\n    def run"), None, "TypeError: .*__init__"),
                (HEAD + "class Plugin(BasePlugin):\n    def initialize(self, config=None):\n        raise ValueError('no good')\n    def run(self, r): return r\n",
                 None, r"ValueError: no good \(p.py, line 6\)"),
                ("raise SystemExit\n" + good, None, "SystemExit"),
                (b"\xff\xfe\x00" + good.encode(), None, "SyntaxError|ValueError"),
                (b"x = 1\0\n" + good.encode(), None, "SyntaxError|ValueError"),
                ("(" * 100000 + good, None, "SyntaxError|nested"),
                ("x = " + "-" * 200000 + "1\n" + good, None, "nested|MemoryError|RecursionError"),
                ("#" * (1 << 20) + "\n" + good, None, "more than 1 MiB"),
                (good, "agent.plugins.other.Plugin", None)):
            with self.subTest(source=source[:60], name=name):
                host = self.host(source, name)
                if expected is None:
                    self.assertEqual(host.loaded[0], LOADED, "the file that the agent names counts")
                    continue
                self.assertEqual(host.loaded[0], FAILED, host.said[-1:])
                self.assertRegex(host.loaded[1].decode(), expected)
        os.remove(f"{self.folder}/agent/plugins/p.py")
        self.assertIn("No such file", PythonHost(f"{self.folder}/agent/plugins/p.py").loaded[1].decode())
        self.assertIn("written in Python only", PythonHost(self.put(good), kind=0).loaded[1].decode())
        self.assertIn("native plugins and scripts only", PythonHost(self.put(good), program="monitor-plugin-host").loaded[1].decode())

    def test_prints_go_to_the_agents_log_in_lines(self):
        host = self.started(body("print('one'); import sys; sys.stderr.write('two\\n'); print('\\ud800'); return metrics_request"))
        host.run(*POINTS)
        self.assertEqual(host.end().splitlines(), ["one", "two", "\\ud800"])

    def test_program_can_be_asked_what_it_is(self):
        program = os.path.join(os.environ["MONITOR_BIN_DIR"], "monitor-plugin-host-python")
        self.assertIn("Do not start it by hand", subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout)
        self.assertEqual(subprocess.run([program, "3", "1"], capture_output=True, check=False).returncode, 64)


if __name__ == "__main__":
    unittest.main()
