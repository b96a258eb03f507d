"""A thousand valid and invalid changes in all layers, on files and on a real etcd. After each change, the agent's state
must match an independent model. The argument is the number of changes: random_walk_test.py 200."""
import copy
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from keys import ROOT, KeysInEtcd, KeysInFiles  # noqa: E402
from programs import ProgramTest, wait_until  # noqa: E402

STEPS = int(os.environ.get("MONITOR_WALK_STEPS", "1000"))
OWN = ROOT + "config/a"
KEYS = [ROOT + "defaults", ROOT + "groups/g1", ROOT + "groups/g2", ROOT + "groups/g3", OWN, ROOT + "overrides/groups/g1/n",
        ROOT + "overrides/groups/g2/n", ROOT + "overrides/all/k", ROOT + "overrides/agents/a/m", ROOT + "overrides/agents/a/n"]

GOOD = {
    "interval": [1, 2.5, "3s", "1m30s", 86400],
    "send_every": [0, 2, "500ms"],
    "metrics": [["cpu"], ["memory", "disk read"], [{"name": "cpu", "per_core": True, "interval": 7}], []],
    "plugins": [[], ["deduplication"], [{"name": "filter", "config": {"drop": "system.memory.*"}}],
                ["agent.plugins.deduplication.DeduplicationPlugin", {"name": "scale", "config": {"match": "x*", "factor": 2}}]],
    "log_level": ["info", "warning"],
    "labels": [{"site": "x"}, {"site": "y", "rack": "1"}, {"rack": None}],
}
BAD = {
    "interval": [0, -1, "5 parsecs", "9ms", 86401, [], True],
    "send_every": [-1, "x", {}],
    "metrics": [["cpuu"], ["cpu", "cpu"], "cpu", [5], [{"name": "memory", "per_core": True}], [{"name": "cpu", "interval": 0}]],
    "plugins": [["dedup"], [{"name": "filter", "config": {"nonsense": 1}}], [{"config": {}}], 7],
    "log_level": ["loud", 1],
    "labels": [{"site": 5}, "x", {"": "y"}],
}
GARBAGE = ["", "{", "[]", "null", '"text"', "{\"interval\": 1, \"interval\": 2}", "[" * 1000, "{\"interval\": NaN}", "{\"a\": \"\\ud800\"}",
           " " * 300_000]


def patched(target, patch):
    """Applies a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


def fnv(document):
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    result = 14695981039346656037
    for byte in text.encode():
        result = (result ^ byte) * 1099511628211 % 2**64
    return f"{result:016x}"


def valid(document):
    """Returns whether every value of a merged document is valid."""
    for name, value in document.items():
        if name == "labels":
            if not isinstance(value, dict) or any(not isinstance(v, str) or not k for k, v in value.items()):
                return False
        elif name == "groups":
            continue
        elif not any(value == good and isinstance(value, bool) == isinstance(good, bool) for good in GOOD.get(name, [])):
            return False
    return True


class Model:
    def __init__(self):
        self.texts = {}  # key: stored text
        self.documents = {}  # key: the parsed object, or None if it is not an object
        self.hash, self.overrides, self.groups = fnv({}), [], ["g1"]
        self.documented = False
        self.refused = self.deleted = False

    def now_groups(self):
        own = self.documents.get(OWN)
        named = own.get("groups", []) if own else []
        return list(dict.fromkeys(["g1", *named]))

    def watched(self):
        groups = self.now_groups()
        plain = [ROOT + "defaults", *[f"{ROOT}groups/{g}" for g in groups], OWN]
        above = [k for k in sorted(KEYS) if k.startswith(ROOT + "overrides/all/")]
        above += [k for g in groups for k in sorted(KEYS) if k.startswith(f"{ROOT}overrides/groups/{g}/")]
        above += [k for k in sorted(KEYS) if k.startswith(ROOT + "overrides/agents/a/")]
        return [k for k in plain if k in self.texts], [k for k in above if k in self.texts]

    def evaluate(self):
        plain, above = self.watched()
        if not plain and not above and self.documented:
            self.deleted, self.refused = True, False
            return
        self.deleted = False
        self.refused = True
        if any(self.documents[k] is None for k in plain + above):
            return
        if any("groups" in self.documents[k] for k in plain + above if k != OWN):
            return
        merged, layers = {}, []
        for key in plain:
            merged = patched(merged, self.documents[key])
            layers.append(key)
        below = merged
        names = []
        for key in above:
            document = dict(self.documents[key])
            ends = document.pop("expires_at", None)
            if ends is not None and ends < "2026":
                continue
            merged = patched(merged, document)
            names.append(key.removeprefix(ROOT + "overrides/"))
            layers.append(key)
        if not valid(merged) or not valid(below):
            return
        self.refused = False
        self.hash, self.overrides, self.groups, self.documented = fnv(merged), names, self.now_groups(), bool(layers)

    def expects(self, status):
        return (status.get("hash") == self.hash and bool(status.get("error")) == self.refused and status.get("deleted") == self.deleted
                and status.get("overrides") == self.overrides and status.get("groups") == self.groups)


class Walk:
    emptying = False

    def walk(self, seed):
        draw = random.Random(seed)
        model = Model()
        agent = self.start("monitor-agent", "--agent-id", "a", "--group", "g1", "--server", "127.0.0.1:1", "--data", self.data,
                           "--spool", "memory", "--simulate", *self.agent_where)
        agent.says("agent started")
        kinds = dict.fromkeys(("good", "bad", "garbage", "delete", "same"), 0)
        results = {"applied": 0, "refused": 0, "deleted": 0}
        for step in range(STEPS):
            kind, key, text = self.draw(draw, model, step)
            kinds[kind] += 1
            if text is None:
                model.texts.pop(key, None)
                model.documents.pop(key, None)
                self.delete(key)
            else:
                model.texts[key] = text
                model.documents[key] = self.document_of(kind, text) if kind != "same" else model.documents[key]
                self.put(key, text)
            model.evaluate()
            results["deleted" if model.deleted else "refused" if model.refused else "applied"] += 1
            self.arrives(model, f"seed {seed}, step {step}: {kind} {key} {(text or '')[:300]!r}", agent)
        # The walk must have changed the configuration often enough to prove anything.
        if STEPS >= 1000:
            self.assertGreater(min(kinds.values()), 20, kinds)
            self.assertGreater(min(results["applied"], results["refused"]), 100, results)
            self.assertGreater(results["deleted"], 0, results)
        self.assertEqual(agent.stop(), 0)

    @staticmethod
    def document_of(kind, text):
        if kind == "garbage":
            return None
        return json.loads(text)

    def draw(self, draw, model, step):
        key = draw.choice(KEYS)
        if step % 200 == 199:
            return ("delete", draw.choice(sorted(model.texts) or [key]), None)
        refused = model.refused
        kind = draw.choices(("good", "bad", "garbage", "delete", "same"), (55, 12, 6, 20, 7))[0]
        # An invalid document blocks all later changes, so it is soon removed.
        if refused and draw.random() < 0.6:
            wrong = [k for k in model.texts if model.documents[k] is None or not valid({n: v for n, v in model.documents[k].items() if n != "expires_at"})]
            if wrong:
                key = draw.choice(sorted(wrong))
                kind = draw.choice(("good", "delete"))
        # From time to time all keys are deleted, one per step.
        self.emptying = bool(model.texts) and (self.emptying or draw.random() < 0.01)
        if self.emptying:
            return "delete", draw.choice(sorted(model.texts)), None
        if kind == "same" and key not in model.texts or kind == "delete" and key not in model.texts:
            kind = "good"
        if kind == "delete":
            return kind, key, None
        if kind == "same":
            return kind, key, model.texts[key]
        if kind == "garbage":
            return kind, key, draw.choice(GARBAGE)
        names = draw.sample(sorted(GOOD), draw.randint(0, 3))
        document = {name: copy.deepcopy(draw.choice(GOOD[name])) for name in names}
        if draw.random() < 0.1 and names:
            document[names[0]] = None
        if key == OWN and draw.random() < 0.5:
            document["groups"] = draw.sample(["g1", "g2", "g3"], draw.randint(0, 3))
        if key.startswith(ROOT + "overrides") and draw.random() < 0.7:
            document["expires_at"] = draw.choice(["2096-01-01T00:00:00Z", "2016-01-01T00:00:00Z"])
        if kind == "bad":
            where = draw.choice(sorted(BAD))
            document[where] = copy.deepcopy(draw.choice(BAD[where]))
            if draw.random() < 0.2:
                document = {"intervall": 5}
        document.setdefault("labels", {})
        if isinstance(document["labels"], dict):
            document["labels"][f"k{KEYS.index(key)}"] = str(step)
        return kind, key, json.dumps(document)

    def arrives(self, model, what, agent):
        try:
            wait_until(lambda: model.expects(self.status("a")), what, 20)
        except AssertionError as error:
            status = self.status("a")
            wanted = {name: getattr(model, name) for name in ("hash", "refused", "deleted", "overrides", "groups")}
            raise AssertionError(f"{error}\nwanted: {wanted}\nstatus: {status}\nkeys: {json.dumps(model.texts, indent=1)[:3000]}\n"
                                 + "\n".join(agent.err[-5:])) from None


class Files(Walk, KeysInFiles, ProgramTest):
    def test_agent_follows_the_model_through_random_changes(self):
        self.walk(1)


class OnEtcd(Walk, KeysInEtcd, ProgramTest):
    def test_agent_follows_the_model_through_random_changes(self):
        self.walk(2)


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].isdigit():
        STEPS = int(sys.argv.pop(1))
    unittest.main()
