"""`labels` of the configuration, and changes of them, reach every reader."""
import csv
import io
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import run, wait_until  # noqa: E402
from web import PageTest  # noqa: E402


class LabelsTest(PageTest):
    def label(self, agent, **labels):
        status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", agent, "interval=0.2",
                             'metrics=["cpu", "load"]', f"labels={json.dumps(labels)}")
        self.assertEqual(status, 0, err)

    def printed(self, form, *arguments):
        return run("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--from", "earliest", "--count", 1,
                   "--timeout", 5, "--format", form, "--data", f"{self.data}/reader", *arguments)[1]

    def test_every_reader_shows_labels_and_filters_by_them(self):
        server = self.start_server()
        self.label("a", rack="r12", host="mine")
        self.label("b", rack="r13")
        for name in "ab":
            self.start_agent(name, server, "--simulate")
        self.serve()
        wait_until(lambda: all(a["figures"][0] is not None for a in self.get("/api/v1/fleet")["agents"])
                   and len(self.get("/api/v1/fleet")["agents"]) == 2, "values of both")

        header, row = self.printed("table", "--agent", "a").splitlines()[:2]
        self.assertTrue(header.endswith("LABELS"), header)
        self.assertTrue(row.endswith("host=mine,rack=r12"), row)
        chosen = self.printed("table", "--metric", "*{*rack=r12*}")
        self.assertIn("system.cpu.load_average.1m{host=mine,rack=r12}=", chosen)
        tick = json.loads(self.printed("json", "--agent", "b"))
        self.assertTrue(tick["metrics"])
        for metric in tick["metrics"]:
            self.assertEqual(metric["labels"].get("rack"), "r13", metric)
        for record in csv.DictReader(io.StringIO(self.printed("csv", "--agent", "a"))):
            self.assertIn("rack=r12", record["labels"].split(";"))
        self.assertEqual(self.printed("json", "--metric", "*{*rack=r14*}"), "")

        prometheus = self.get("/api/v1/prometheus")
        self.assertRegex(prometheus, r'(?m)^system_cpu_load_average_1m(_ratio)?\{agent="a",exported_host="mine",host="[^"]+",rack="r12"\} ')
        rows = {a["agent"]: a for a in self.get("/api/v1/fleet")["agents"]}
        self.assertEqual(rows["a"]["labels"], {"host": "mine", "rack": "r12"})
        self.assertEqual({v["labels"].get("rack") for v in self.get("/api/v1/agents/b")["values"]}, {"r13"})
        self.assertEqual({s["labels"].get("rack") for s in self.get("/api/ui/v1/series?agent=a")["series"]}, {"r12"})
        found = self.get("/api/v1/range?agent=a&agent=b&metric=*{*rack=r12*}&from=-1h")["series"]
        self.assertEqual({s["agent"] for s in found}, {"a"})
        messages = self.get("/api/v1/messages?metric=*{*rack=r13*}&limit=5")["messages"]
        self.assertEqual({m["agent"] for m in messages}, {"b"})
        # The page and `top` get the labels from the fleet view; the log stores them once per batch.
        self.assertEqual(messages[0]["batch"]["resource"], {"rack": "r13"})

    def test_changed_labels_apply_from_the_next_tick(self):
        server = self.start_server()
        self.label("a", rack="r12")
        self.start_agent("a", server, "--simulate")
        self.serve()
        wait_until(lambda: any(a["labels"] == {"rack": "r12"} for a in self.get("/api/v1/fleet")["agents"]), "the first label")
        self.label("a", rack="r99")
        wait_until(lambda: self.get("/api/v1/agents/a")["labels"] == {"rack": "r99"}, "the second label")
        self.assertEqual({v["labels"]["rack"] for v in self.get("/api/v1/agents/a")["values"]}, {"r99"})
        self.assertNotIn("r12", self.get("/api/v1/prometheus"))

        def range_of(rack):
            found = self.get(f"/api/v1/range?agent=a&metric=system.cpu.utilization{{rack={rack}}}&from=-1h&resolution=full")["series"]
            return found[0]["times"] if found else []

        old, new = range_of("r12"), wait_until(lambda: range_of("r99"), "history with the new label")
        self.assertTrue(old)
        self.assertLess(old[-1], new[0])
        seen = [re.search(r'"rack":"(r\d+)"', line).group(1) for line in run(
            "monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--from", "earliest", "--timeout", 1,
            "--format", "json", "--data", f"{self.data}/reader")[1].splitlines()]
        self.assertEqual(seen, sorted(seen), "r12, then r99")
        self.assertEqual(set(seen), {"r12", "r99"})


if __name__ == "__main__":
    unittest.main()
