"""Hostile configuration: invalid documents of every kind, on files and on a real etcd, and kills while a valid document
is applied. The agent keeps its configuration and reports the reason."""
import json
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from checksums import crc32c  # noqa: E402
from interleaved import ticks_of  # noqa: E402
from keys import ROOT, KeysInEtcd, KeysInFiles  # noqa: E402
from programs import ProgramTest, wait_until  # noqa: E402

OWN = ROOT + "config/a"
GOOD = {"interval": 0.01, "metrics": ["memory"], "send_every": 1}
MOST = 262144  # bytes of a document

# Raw texts that are invalid for every field: not JSON, or of a type that no field accepts.
NO_JSON = {
    "NaN": "NaN", "infinity": "Infinity", "beyond a double": "1e999", "minus beyond": "-1e999", "hexadecimal": "0x10",
    "leading zeros": "007", "plus": "+5", "no digits before": ".5", "no digits after": "5.", "single quotes": "'5'", "undefined": "undefined",
    "Python's true": "True", "lone surrogate": '"\\ud800"', "bad escape": '"\\q"', "control character": '"a\u0001b"', "open text": '"abc',
    "open list": "[1", "open object": '{"a": 1', "comma at the end": "[1,]", "comment": "5 /* five */", "two values": "1 2",
    "deep lists": "[" * 5000 + "]" * 5000, "deep objects": '{"a":' * 5000 + "1" + "}" * 5000, "template": "{{ interval }}",
}
WRONG = {
    "interval": ["0", "-1", "1e300", "-1e300", "1e-300", str(10**400), str(-10**400), "9223372036854775808", "true", "[]", "{}", '""', '"5 parsecs"',
                 '"1e99999999s"', '"-5s"', '"5s5"', '" 5s"', '"\\u0000"', '"5\\u0000s"', '"' + "9" * 5000 + 's"', '"9ms"', '"25h"'],
    "send_every": ["-1", "1e300", str(10**400), "true", "[]", "{}", '""', '"x"', '"-1s"', '"NaN"', '"2h"'],
    "metrics": ["5", "true", "{}", '"cpu"', "[[]]", "[null]", "[5]", "[{}]", '[""]', '["CPU"]', '["cpu", "cpu"]', '["cpu\\u0000"]', '["../../etc/passwd"]',
                '["%s%n"]', '[{"name": 5}]', '[{"name": "cpu", "interval": 0}]', '[{"name": "cpu", "per_core": "yes"}]',
                '[{"name": "cpu", "name": "memory"}]', '[{"name": "disk read", "include": ["' + "x" * 300 + '"]}]',
                '[{"name": "disk read", "include": [' + ",".join(['"x"'] * 65) + "]}]", '[{"name": "disk read", "exclude": [5]}]',
                '[{"name": "disk read", "include": "sda"}]', "[" + ",".join(['"cpu"'] * 20000) + "]"],
    "plugins": ["5", "{}", '"filter"', "[5]", "[null]", "[{}]", '[""]', '["nothing"]', '["../x.so"]', '["/etc/passwd"]', '[{"name": "filter"}]',
                '[{"name": "filter", "config": 5}]', '[{"name": "filter", "config": {"drop": 5}}]',
                '[{"name": "scale", "config": {"match": "x", "factor": "NaN"}}]', '[{"name": "scale", "config": {"match": "x", "factor": 1e999}}]',
                '[{"name": "rate_limit", "config": {"ticks": -1}}]', '[{"name": "rate_limit", "config": {"ticks": 1e99}}]',
                '[{"name": "deduplication", "config": {"tolerance": -1}}]', '[{"name": "deduplication", "config": {"scope": "planet"}}]',
                '[{"name": "agent.plugins.nothing.Nothing"}]'],
    "labels": ["5", "[]", '"x"', '{"a": 5}', '{"a": []}', '{"a": {"b": "c"}}', '{"": "x"}', '{"a": "' + "x" * 100000 + '"}',
               "{" + ",".join(f'"l{i}": "x"' for i in range(5000)) + "}"],
    "groups": ["5", '"web"', "{}", "[5]", "[null]", '[""]', '["a b"]', '["../x"]', '["a/b"]', '["' + "g" * 129 + '"]',
               "[" + ",".join(f'"g{i}"' for i in range(17)) + "]", '["\\u0000"]', '["g\\n"]'],
    "log_level": ["5", "true", "[]", "{}", '""', '"loud"', '"DEBUGG"'],
    "spool": ["5", "[]", '"x"', '{"max": 0}', '{"max": -1}', '{"max": "1 furlong"}', '{"max": 1e300}', '{"max": ' + str(10**400) + "}", '{"max": true}',
              '{"full": "burn"}', '{"full": 5}', '{"nothing": 1}'],
    "unknown": ["5"], "intervall": ["5"], "__proto__": ["{}"], "": ["5"], "interval\\u0000": ["5"], "INTERVAL": ["5"], "interval ": ["5"],
}


def documents():
    """Returns (description, document as bytes). The agent must reject all of them."""
    for name, values in WRONG.items():
        for value in values:
            yield f"{name}: {value[:60]}", f'{{"{name}": {value}}}'.encode()
    for name in ("interval", "metrics", "labels", "plugins"):
        for what, value in NO_JSON.items():
            yield f"{name}: {what}", f'{{"{name}": {value}}}'.encode()
    whole = {
        "empty": b"", "blank": b" \n\t ", "null": b"null", "a number": b"5", "a text": b'"x"', "a list": b"[]", "true": b"true", "NUL bytes": b"\0" * 100,
        "ill-formed UTF-8": b'{"labels": {"a": "\xff\xfe"}}', "an overlong UTF-8": b'{"labels": {"a": "\xc0\xaf"}}', "a surrogate in UTF-8": b'{"labels": {"a": "\xed\xa0\x80"}}',
        "UTF-16": '{"interval": 5}'.encode("utf-16"), "Latin-1": '{"labels": {"a": "é"}}'.encode("latin-1"), "gzip": b"\x1f\x8b\x08" + b"\0" * 50,
        "an executable": b"\x7fELF" + bytes(range(256)), "YAML": b"interval: 5\n", "TOML": b"interval = 5\n", "XML": b"<interval>5</interval>", "a script": b"#!/bin/sh\nrm -rf /\n",
        "JSON lines": b'{"interval": 5}\n{"interval": 6}\n', "a key twice": b'{"interval": 5, "interval": 6}', "a key twice below": b'{"labels": {"a": "x", "a": "y"}}',
        "no quotes": b"{interval: 5}", "half of one": b'{"interval": 5, "metr', "above the limit": b'{"labels": {"a": "' + b"x" * MOST + b'"}}',
        "blanks above the limit": b" " * (MOST + 1) + b"{}", "a megabyte": b'{"labels": {"a": "' + b"x" * 1_000_000 + b'"}}',
        "brackets": b"[" * 200_000, "braces": b"{" * 200_000, "a long number": b'{"interval": ' + b"9" * 200_000 + b"}",
        "a list of a hundred thousand": b'{"metrics": [' + b",".join([b"0"] * 100_000) + b"]}",
        "escapes": b'{"' + b"\\u0041" * 30_000 + b'": 1}', "random bytes": random.Random(1).randbytes(10_000),
    }
    yield from whole.items()


class Hostile:
    def setUp(self):
        super().setUp()
        self.put(OWN, json.dumps(GOOD))
        self.agent = self.start("monitor-agent", "--agent-id", "a", "--server", "127.0.0.1:1", "--data", self.data, "--spool", "memory", "--simulate",
                                "--http", "127.0.0.1:0", *self.agent_where)
        self.http = self.agent.says(r"service=http address=(\S+)").group(1)
        wait_until(lambda: self.status("a").get("applied"), "the first document to be applied")
        self.hash = self.status("a")["hash"]

    def refused(self, what):
        def seen():
            status = self.status("a")
            self.assertEqual(status.get("hash"), self.hash, f"{what}: the applied configuration has changed")
            return status.get("error")

        return wait_until(seen, f"the status to show the reason: {what}", 20)

    def test_rejects_every_kind_of_invalid_document_with_a_reason(self):
        kinds = list(documents())
        self.assertGreaterEqual(len(kinds), 200)
        due, _ = ticks_of(self.http)
        for number, (what, document) in enumerate(kinds):
            self.put(OWN, document)
            error = self.refused(what)
            self.assertLess(len(error), 2000, what)
            self.assertTrue(error.isprintable(), f"{what}: {error!r}")
            # A valid document between them, so that each rejection is tested separately.
            self.put(OWN, json.dumps(GOOD))
            wait_until(lambda: not self.status("a").get("error"), f"{number}: the valid document after {what}", 20)
        # The agent has kept ticking every 10 ms. Another test checks the number of missed ticks.
        wait_until(lambda: ticks_of(self.http)[0] > due + 100, "ticks")
        self.assertIsNone(self.agent.process.poll())
        self.assertEqual(self.agent.stop(), 0)

    def test_applies_the_last_of_a_thousand_writes_per_second(self):
        draw = random.Random(2)
        wrong = [document for _, document in documents() if len(document) < 1000]
        for count in range(1000):
            begun = time.monotonic()
            self.put(OWN, draw.choice(wrong) if draw.random() < 0.5 else json.dumps({**GOOD, "labels": {"n": str(count)}}))
            while time.monotonic() < begun + 0.001:
                pass
        self.put(OWN, json.dumps({**GOOD, "labels": {"n": "last"}}))
        self.agent.says("configuration applied")
        self.put(ROOT + "defaults", json.dumps({"labels": {"m": "x"}}))  # a later write to another key: all keys must be applied
        wait_until(lambda: not self.status("a")["error"] and self.status("a")["hash"] != self.hash, "the last document")
        self.assertEqual(self.agent.stop(), 0)

    def test_ignores_keys_with_invalid_names(self):
        for name in ("config/..", "config/a/b", "config/", "config/a ", "config/" + "x" * 200, "groups/../defaults2", "defaults/x", "overrides/agents/b/x", "nothing"):
            self.put_odd(ROOT + name, '{"interval": 0}')
        self.put(OWN, json.dumps({**GOOD, "labels": {"after": "x"}}))
        wait_until(lambda: self.status("a")["hash"] != self.hash, "the valid document")
        self.assertEqual(self.status("a")["error"], "")
        self.put(ROOT + "defaults", '{"labels": {"after": "x", "more": "x"}}')
        self.agent.says("configuration applied .*defaults")
        self.assertIsNone(self.agent.process.poll())

    def test_a_kill_while_applying_leaves_a_whole_last_good_file(self):
        """The stored last good configuration is complete, and is the one before or after the change."""
        wait_until(lambda: os.path.exists(f"{self.data}/agent/a/last-good.json"), "the first configuration to be stored")
        self.agent.kill()
        draw = random.Random(3)
        before = (-1, 0)
        for turn in range(30):
            agent = self.start("monitor-agent", "--agent-id", "a", "--server", "127.0.0.1:1", "--data", self.data, "--spool", "memory", "--simulate",
                               *self.agent_where)
            agent.says("configuration applied")
            end = time.monotonic() + draw.random() * 0.05
            written = 0
            while time.monotonic() < end:
                written += 1
                self.put(OWN, json.dumps({**GOOD, "labels": {"turn": str(turn), "n": str(written)}}))
            agent.kill()
            document = json.loads(self.last_good()["keys"][OWN])
            self.assertEqual(document["interval"], 0.01)
            labels = document.get("labels", {"turn": "-1", "n": "0"})
            which = (int(labels["turn"]), int(labels["n"]))
            self.assertGreaterEqual(which, before, "the configuration has gone back")
            before = which
        self.assertGreater(before, (5, 0), "no configuration was ever stored")
        agent = self.start("monitor-agent", "--agent-id", "a", "--server", "127.0.0.1:1", "--data", self.data, "--spool", "memory", "--simulate",
                           "--etcd", "127.0.0.1:1")
        agent.says("starting with the last good configuration")
        self.assertEqual(agent.said("damaged"), 0)

    def last_good(self):
        with open(f"{self.data}/agent/a/last-good.json", "rb") as file:
            checksum, body = file.read().split(b"\n", 1)
        self.assertEqual(checksum, f"crc32c {crc32c(body):08x}".encode())
        return json.loads(body)


class Files(Hostile, KeysInFiles, ProgramTest):
    def put_odd(self, key, value):
        if not key.endswith("/") and "/.." not in key and len(key) < 200:
            self.put(key, value)

    def test_rejects_files_that_are_not_documents(self):
        """Something else in place of the document: a folder, a dangling link, ten megabytes, a pipe without a
        writer."""
        path = self.path(OWN)
        makers = {"a folder": os.mkdir, "a link into nowhere": lambda p: os.symlink("/nonexistent/x", p), "a link to itself": lambda p: os.symlink(p, p),
                  "a pipe": os.mkfifo, "ten megabytes": lambda p: open(p, "wb").write(b" " * 10_000_000), "endless": lambda p: os.symlink("/dev/zero", p)}
        for what, make in makers.items():
            os.rename(path, path + ".old")
            make(path)
            self.refused(what) if what != "a link into nowhere" else None
            os.rmdir(path) if what == "a folder" else os.unlink(path)
            self.put(OWN, json.dumps(GOOD))
            wait_until(lambda: not self.status("a").get("error") and not self.status("a").get("deleted"), f"the valid document after {what}", 20)


class OnEtcd(Hostile, KeysInEtcd, ProgramTest):
    def put_odd(self, key, value):
        self.put(key, value)


if __name__ == "__main__":
    unittest.main()
