"""Hostile states of rollouts in the store, and hostile command lines: each is refused with a reason, within seconds and little memory."""
import json
import os
import random
import resource
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest  # noqa: E402

GOOD = {
    "format": 1, "id": "r1", "group": "web", "author": "alice", "message": "why", "document": '{"interval": 1}',
    "content": "0123456789abcdef", "base_revision": 0, "base": "", "steps": ["5%", "20", "100%"], "salt": "web", "spread_by": "rack",
    "wait": "2m", "patience": "10m", "apply": "2m", "keep": "10m", "abort_on": "failed > 0", "judges": ["ticks missed"], "data": "",
    "retry": False, "state": "running", "ending": "failed", "reason": "", "step": 1, "chosen": True,
    "thresholds": {"r1": "0123456789abcdef"}, "started": "2026-11-22T12:00:00.000Z", "step_began": "2026-11-22T12:00:00.000Z",
    "applied": None, "ended": None, "lease": 0, "lease_until": None, "driver": "", "driver_until": None,
    "counts": {"members": 3, "changed": 2, "applied": 1}, "troubles": [{"agent": "web-1", "why": "gone"}],
    "verdicts": [{"judgement": "j", "outcome": "bad", "why": "w", "now": 1.5}],
    "events": [{"time": "2026-11-22T12:00:00.000Z", "event": "started", "text": "by alice"}],
    "past": [{"id": "r0", "state": "failed", "content": "c", "reason": "bad", "started": "2026-11-22T11:00:00Z"}]}
VALUES = [None, True, -1, 2**63, 1e308, -0.0, "", "x", "\x1b[2J\x07", "\u202e\u0000", "a" * 5000, [], [[]], {}, {"a": {"b": []}}, ["5%"] * 60,
          "100%", "9999-99-99T99:99:99Z", "1e400d", "../../etc/passwd", [None] * 100, {str(i): "0" * 16 for i in range(1100)}]
ESCAPES = ("\x1b", "\x07", "\u202e")
STATUSES = (0, 1, 64, 69, 74, 75, 78)


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


class HostileRollouts(ProgramTest):
    def call(self, *arguments, stdin=""):
        done = subprocess.run([os.path.join(BIN, "monitor-config"), *arguments], input=stdin.encode("utf-8", "surrogatepass"), capture_output=True,
                              timeout=20, preexec_fn=limit, env={"PATH": os.environ["PATH"], "HOME": self.data})
        self.assertIn(done.returncode, STATUSES, (arguments, done.stderr[-500:]))
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        for escape in ESCAPES:
            self.assertNotIn(escape, text, arguments)
        if done.returncode != 0:
            self.assertTrue(done.stderr.strip() or done.stdout.strip(), arguments)
        self.assertLess(len(text), 300_000)
        return done.returncode, text

    def store(self, text):
        folder = f"{self.data}/monitor/rollouts"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(f"{self.data}/monitor", 0o700)
        with open(f"{folder}/web.json", "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)

    def states(self):
        random.seed(3)
        for name in GOOD:
            for value in VALUES:
                yield json.dumps({**GOOD, name: value})
        text = json.dumps(GOOD)
        for _ in range(40):
            at = random.randrange(len(text))
            yield text[:at] + random.choice(["", "{", "}", '"', "\\", "\x00", "9" * 400, "\ud800"]) + text[at + random.randrange(3):]
        yield "[" * 100_000
        yield '{"format": 1, "past": ' + "[" * 2000 + "]" * 2000 + "}"
        yield json.dumps({**GOOD, "reason": "x" * 300_000})

    def test_states(self):
        where = ["--dir", f"{self.data}/monitor"]
        self.store(json.dumps(GOOD))
        self.assertEqual(self.call("rollout", "status", "--group", "web", *where)[0], 0)
        count = refused = 0
        states = list(self.states())
        random.seed(4)
        for text in random.sample(states, 320) + states[-43:]:
            self.store(text)
            what = ["status", "list", "abort", "pause"][count % 4]
            group = [] if what == "list" else ["--group", "web"]
            status, said = self.call("rollout", what, *group, *where)
            count += 1
            refused += status != 0
            if status == 78 or "expected" in said:
                self.assertRegex(said, "rollout|state", text[:200])
        self.assertGreaterEqual(count, 350)
        self.assertGreaterEqual(refused, 150)

    def command_lines(self):
        options = ["--canary", "--steps", "--wait", "--patience", "--apply-timeout", "--keep", "--abort-on", "--judge", "--query", "--history",
                   "--salt", "--spread-by", "--format"]
        values = ["", "-1", "0", "0%", "101%", "5%%", "nan", "1e9", "99999999999999999999", "x" * 5000, "\x1b[2J", "24", "5 m", "failed >", "((((" * 300,
                  "http://", "file:///etc/passwd", "{__name__=~\".+\"}[5m]", "1,2,3,2", "100%,100%"]
        for option in options:
            for value in values:
                yield ["rollout", "start", "-", "--group", "web", option, value]
        for group in ["", "..", "a/b", "x" * 200, "\x1b[2J", "web\n"]:
            yield ["rollout", "status", "--group", group]
        for what in ["", "stat", "start", "starts", "--help-all"]:
            yield ["rollout", what]

    def test_command_lines(self):
        os.makedirs(f"{self.data}/monitor", mode=0o700)
        count = 0
        for line in list(self.command_lines())[::2]:
            status, _ = self.call(*line, "--dir", f"{self.data}/monitor", stdin='{"interval": 1}')
            self.assertNotEqual(status, 0, line)  # the group has no agents
            self.assertFalse(os.path.exists(f"{self.data}/monitor/rollouts"), line)
            count += 1
        self.assertGreaterEqual(count, 130)

    def test_documents(self):
        os.makedirs(f"{self.data}/monitor", mode=0o700)
        for text in ["", "{", "[]", "null", '{"interval": -1}', '{"intervall": 1}', '{"groups": ["a"]}', "{" * 1000, '{"labels": {"a": "' + "x" * 200_000 + '"}}']:
            status, said = self.call("rollout", "start", "-", "--group", "web", "--dir", f"{self.data}/monitor", stdin=text)
            self.assertEqual(status, 78, said)
            self.assertIn("nothing was begun", said)


if __name__ == "__main__":
    unittest.main()
