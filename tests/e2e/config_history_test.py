"""The history of documents, and the commands that use it, on files and on a real etcd: history, diff, rollback, edit, apply,
export, and entries added to lists."""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from keys import KeysInEtcd, KeysInFiles  # noqa: E402
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402
from terminal import Terminal  # noqa: E402

DEFAULT_METRICS = ["cpu", "memory", "disk read", "disk write", "net in", "net out"]


class Shared:
    """Cases for both stores."""

    missing = missing_file = 74

    def config(self, *arguments, status=0, **options):
        got, out, err = run("monitor-config", *self.where, *arguments, **options)
        self.assertEqual(got, status, f"{arguments}: {out}{err}")
        return out, err

    def document(self, *which):
        return json.loads(self.config("get", *which)[0])

    def changes(self, *which):
        """All changes, newest first."""
        return [json.loads(line) for line in self.config("history", *which, "--format", "json")[0].splitlines()]

    def editor(self, name, script):
        """A program in the place of an editor."""
        path = f"{self.data}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, 0o755)
        return {"EDITOR": path, "TMPDIR": self.scratch()}

    def scratch(self):
        os.makedirs(f"{self.data}/tmp", exist_ok=True)
        return f"{self.data}/tmp"

    def kept(self):
        """The edited texts that were kept."""
        texts = []
        for name in sorted(os.listdir(self.scratch())):
            with open(f"{self.scratch()}/{name}", encoding="utf-8") as file:
                texts.append(file.read())
        return texts

    def test_every_change_says_who_when_why_before_and_after(self):
        begin = time.time()
        self.config("set", "--agent-id", "a", "interval=5", "--author", "alice", "--message", "more detail")
        self.config("--agent-id", "a", "--interval", "7")
        self.config("delete", "--agent-id", "a", "--message", "gone\nfor good")
        for flags in (["--group", "web"], ["--defaults"]):
            self.config("set", *flags, "send_every=2", env={"MONITOR_CONFIG_AUTHOR": "ci"})
        self.config("override", "set", "--agent-id", "a", "--for", "10m", "interval=1", "--author", "bob")
        self.config("override", "end", "--agent-id", "a", "--author", "carol")
        deleted, changed, created = self.changes("--agent-id", "a")
        self.assertEqual((created["author"], created["author_kind"], created["message"], created["change"]), ("alice", "stated", "more detail", "create"))
        self.assertIsNone(created["before"])
        self.assertEqual(created["after"], {"interval": 5})
        self.assertEqual((changed["before"], changed["after"]), ({"interval": 5}, {"interval": 7}))
        self.assertEqual(changed["author_kind"], "system user")
        self.assertRegex(changed["author"], r"^\S+@\S+$")
        self.assertEqual((deleted["change"], deleted["before"], deleted["after"], deleted["message"]), ("delete", {"interval": 7}, None, "gone\nfor good"))
        self.assertTrue(all(one["recorded"] for one in (created, changed, deleted)))
        for one in (created, changed, deleted):
            self.assertLessEqual(abs(time.mktime(time.strptime(one["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - begin), 60, one)
        self.assertEqual([one["author"] for one in self.changes("--agent-id", "a", "--override", "manual")], ["carol", "bob"])
        self.assertEqual(self.changes("--group", "web")[0]["author"], "ci")
        everything = self.changes()
        self.assertEqual(len(everything), 7)
        self.assertEqual(everything[0]["key"], "/monitor/overrides/agents/a/manual")
        out, _ = self.config("history", "--agent-id", "a")
        self.assertRegex(out, r"alice \(stated\) +created  # more detail")
        self.assertIn("interval 5 -> 7", out)
        out, _ = self.config("history", "--agent-id", "a", "--diff")
        self.assertIn('-    "interval": 5\n+    "interval": 7\n', out)
        self.assertEqual(len(self.config("history", "--limit", "2")[0].splitlines()), 3)
        self.config("history", "--agent-id", "nobody", status=1)

    def test_changes_by_hand_have_an_unknown_author(self):
        self.put("/monitor/config/a", '{"interval": 3}')
        self.assertEqual([(one["recorded"], one["author"]) for one in self.changes("--agent-id", "a")], [(False, None)])
        self.config("set", "--agent-id", "a", "interval=4", "--author", "alice")
        self.put("/monitor/config/a", '{"interval": 9}')
        newest, mine, first = self.changes("--agent-id", "a")
        self.assertEqual((newest["recorded"], newest["before"], newest["after"]), (False, {"interval": 4}, {"interval": 9}))
        self.assertEqual((mine["author"], mine["before"]), ("alice", {"interval": 3}))
        self.assertFalse(first["recorded"])
        self.assertIsNotNone(first["found_at"], "the next change has noticed it")
        self.config("set", "--agent-id", "a", "interval=10")
        out, _ = self.config("history", "--agent-id", "a")
        self.assertIn("found", out)
        self.assertIn("unknown", out)
        self.assertEqual([one["after"]["interval"] for one in self.changes("--agent-id", "a")], [10, 9, 4, 3])

    def test_history_is_bounded(self):
        for i in range(1, 56):
            self.config("set", "--agent-id", "a", f"interval={i}")
        self.forget_revisions()
        found = self.changes("--agent-id", "a", "--limit", "100")
        self.assertEqual([one["after"]["interval"] for one in found], list(range(55, 4, -1)))
        self.assertEqual(found[0]["before"], {"interval": 54})

    def test_diff_compares_live_file_and_revision(self):
        self.config("set", "--agent-id", "a", "interval=5")
        self.config("set", "--agent-id", "a", "interval=7", 'labels={"rack":"r1"}')
        old = str(self.changes("--agent-id", "a")[1]["revision"])
        out, _ = self.config("diff", "--agent-id", "a", status=1)
        self.assertIn('-    "interval": 5\n', out)
        self.assertEqual(out.splitlines()[1:], self.config("diff", "--agent-id", "a", old, status=1)[0].splitlines()[1:])
        self.assertIn('-    "interval": 7', self.config("diff", "--agent-id", "a", "live", old, status=1)[0])
        with open(f"{self.data}/a.json", "w", encoding="utf-8") as file:
            file.write('{"labels": {"rack": "r1"}, "interval": 7}')
        _, err = self.config("diff", "--agent-id", "a", f"{self.data}/a.json")
        self.assertIn("no difference", err)
        out, _ = self.config("diff", "--agent-id", "a", "-", "--format", "json", stdin='{"interval": 8}', status=1)
        self.assertEqual(json.loads(out)["changes"], [{"path": "/interval", "before": 7, "after": 8}, {"path": "/labels", "before": {"rack": "r1"}, "after": None}])
        self.config("diff", "--agent-id", "a", "12345678", status=self.missing)
        self.config("diff", "--agent-id", "a", "-", stdin="{", status=78)
        self.config("diff", "--agent-id", "a", "live", "previous", "live", status=64)

    def test_diff_of_merged_results(self):
        self.config("set", "--defaults", "interval=5")
        self.config("set", "--agent-id", "a", "interval=7")
        with open(f"{self.data}/defaults.json", "w", encoding="utf-8") as file:
            file.write('{"interval": 6, "send_every": 3}')
        out, _ = self.config("diff", "--agent-id", "a", "--merged", "-", stdin='{"send_every": 2}', status=1)
        self.assertIn('-    "interval": 7', out)
        self.assertIn('+    "interval": 5', out)
        self.put("/monitor/inventory/a", '{"host": "h", "groups": [], "version": "0.2.0", "last_seen": "2026-01-01T00:00:00Z"}')
        out, _ = self.config("diff", "--defaults", "--merged", "--format", "json", f"{self.data}/defaults.json", status=1)
        found = json.loads(out)
        self.assertEqual((found["agent"], found["changes"]), ("a", [{"path": "/send_every", "before": 1, "after": 3}]), "the agent's own interval hides the other")

    def test_rollback_restores_and_is_recorded(self):
        self.config("set", "--agent-id", "a", "interval=5")
        self.config("set", "--agent-id", "a", "interval=7")
        revision = self.changes("--agent-id", "a")[1]["revision"]
        out, _ = self.config("rollback", "--agent-id", "a", "--to-revision", revision, "--dry-run", status=1)
        self.assertIn('+    "interval": 5', out)
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 7})
        self.config("rollback", "--agent-id", "a", "--to-revision", revision)
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 5})
        self.assertEqual(self.changes("--agent-id", "a")[0]["message"], f"rollback to revision {revision}")
        out, _ = self.config("rollback", "--agent-id", "a", "--to-revision", revision)
        self.assertIn("already", out)
        self.config("delete", "--agent-id", "a")
        gone = self.changes("--agent-id", "a")[0]["revision"]
        self.config("rollback", "--agent-id", "a", "--to-revision", revision)
        self.config("rollback", "--agent-id", "a", "--to-revision", gone)
        self.config("get", "--agent-id", "a", status=1)
        _, err = self.config("rollback", "--agent-id", "a", "--to-revision", 10**9, status=self.missing)
        self.assertIn("has no version with revision", err)
        self.config("rollback", "--agent-id", "a", status=64)
        # What is not valid any more is not restored.
        self.put("/monitor/config/b", '{"interval": "never"}')
        self.config("set", "--agent-id", "b", "interval=1")
        bad = self.changes("--agent-id", "b")[1]["revision"]
        _, err = self.config("rollback", "--agent-id", "b", "--to-revision", bad, status=78)
        self.assertIn("not valid any more", err)

    def test_edit_validates_shows_the_difference_and_writes(self):
        self.config("set", "--agent-id", "a", "interval=5")
        out, _ = self.config("edit", "--agent-id", "a", "--message", "by editor", env=self.editor("e", 'sed -i s/5/6/ "$1"'))
        self.assertIn('-    "interval": 5\n+    "interval": 6\n', out)
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 6})
        self.assertEqual(self.changes("--agent-id", "a")[0]["message"], "by editor")
        out, _ = self.config("edit", "--agent-id", "a", env=self.editor("e", "true"))
        self.assertIn("unchanged", out)
        self.assertEqual(self.kept(), [])
        # A new document, and an editor with arguments.
        self.config("edit", "--group", "web", env={"VISUAL": "sed -i 's/^    $/    \"interval\": 2/'", "TMPDIR": self.scratch()})
        self.assertEqual(self.document("--group", "web"), {"interval": 2})

    def test_edit_keeps_the_text_whatever_goes_wrong(self):
        self.config("set", "--agent-id", "a", "interval=5")
        for script, status, said in (('sed -i s/interval/intervall/ "$1"', 78, 'did you mean "interval"'), ('echo "{" > "$1"', 78, "not valid"),
                                     ('sed -i s/5/8/ "$1"; exit 3', 1, "status 3"), ('sed -i s/5/8/ "$1"; kill -INT $$', 130, "signal 2"),
                                     ('rm "$1"', 74, "No such file")):
            _, err = self.config("edit", "--agent-id", "a", env=self.editor("e", script), status=status)
            self.assertIn(said, err)
            self.assertEqual(self.document("--agent-id", "a"), {"interval": 5})
        self.assertEqual(len(self.kept()), 4)
        for script in ("exit 1", "kill -INT $$"):
            self.config("edit", "--agent-id", "a", env=self.editor("e", script), status=1 if "exit" in script else 130)
        self.config("edit", "--agent-id", "a", env={"EDITOR": "/nonexistent/editor", "TMPDIR": self.scratch()}, status=1)
        self.assertEqual(len(self.kept()), 4, "nothing was edited, so nothing is kept")
        self.config("edit", "--agent-id", "a", env={"EDITOR": "true", "TMPDIR": "/nonexistent"}, status=self.missing_file)

    def test_edit_of_two_at_once_loses_nothing(self):
        self.config("set", "--agent-id", "a", "interval=5")
        meanwhile = f'{BIN}/monitor-config {" ".join(self.where)} set --agent-id a send_every=9 --author bob --message "in between" >/dev/null'
        out, err = self.config("edit", "--agent-id", "a", env=self.editor("e", f'sed -i s/5/6/ "$1"\n{meanwhile}'), status=75)
        self.assertIn("bob", err)
        self.assertIn("in between", err)
        self.assertIn('+    "send_every": 9', out)
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 5, "send_every": 9})
        self.assertEqual([json.loads(text) for text in self.kept()], [{"interval": 6}])

    def test_edit_on_a_terminal_asks_and_survives_ctrl_c(self):
        self.config("set", "--agent-id", "a", "interval=5")
        terminal = Terminal(self.data)
        self.addCleanup(terminal.end)
        # The editor takes Ctrl-C as a key, as vi does.
        editor = self.editor("e", "trap 'echo took-it; sed -i s/5/6/ \"$1\"' INT; echo ready; while ! grep -q 6 \"$1\"; do sleep 0.05; done; exit 0")
        # A shell with jobs: Ctrl-C goes to the job alone.
        terminal.start(f"env EDITOR={editor['EDITOR']} TMPDIR={editor['TMPDIR']} PS1='$ ' sh", columns=200)
        command = f"{BIN}/monitor-config {' '.join(self.where)} edit --agent-id a; echo status $?\n"
        terminal.typed(command)
        terminal.shows(r"\nready")
        terminal.keys("C-c")
        terminal.shows(r"took-it.*\+ +\"interval\": 6.*Write this")
        terminal.keys("n", "Enter")
        terminal.shows(r"\nstatus 1")
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 5})
        self.assertEqual(len(self.kept()), 1)
        terminal.typed(command)
        terminal.shows(r"\nready.*\nready")
        terminal.keys("C-c")
        terminal.shows("Write this.*Write this")
        terminal.keys("y", "Enter")
        wait_until(lambda: self.document("--agent-id", "a") == {"interval": 6}, "the document to be written")

    def tree(self, **files):
        """A folder with documents; "groups__web" is groups/web.json."""
        folder = f"{self.data}/fleet"
        shutil.rmtree(folder, ignore_errors=True)
        for name, document in files.items():
            path = f"{folder}/{name.replace('__', '/')}.json"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(document if isinstance(document, str) else json.dumps(document))
        return folder

    def test_apply_is_declarative(self):
        folder = self.tree(defaults={"interval": 5}, groups__web={"send_every": 2}, config__a={"interval": 7})
        out, _ = self.config("apply", "-f", folder, "--dry-run", status=1)
        self.assertIn("3 to create", out)
        self.config("get", "--defaults", status=1)
        out, _ = self.config("apply", "-f", folder, "--author", "ci", "--message", "v1")
        self.assertIn("3 created", out)
        self.assertEqual(self.document("--group", "web"), {"send_every": 2})
        self.assertEqual({(one["author"], one["message"], one["command"]) for one in self.changes()}, {("ci", "v1", "apply")})
        out, _ = self.config("apply", "-f", folder, "--dry-run")
        self.assertIn("3 unchanged", out)
        # The form of the text is no difference.
        self.put("/monitor/config/a", '{"interval":\n 7}')
        self.config("apply", "-f", folder, "--dry-run")
        folder = self.tree(defaults={"interval": 6}, config__a={"interval": 7})
        out, _ = self.config("apply", "-f", folder)
        self.assertIn("extra   /monitor/groups/web", out)
        self.assertEqual(self.document("--group", "web"), {"send_every": 2})
        out, _ = self.config("apply", "-f", folder, "--prune", "--dry-run", status=1)
        self.assertIn("delete  /monitor/groups/web", out)
        self.config("apply", "-f", folder, "--prune")
        self.config("get", "--group", "web", status=1)
        self.assertEqual(self.document("--defaults"), {"interval": 6})
        self.config("override", "set", "--agent-id", "a", "--for", "10m", "interval=1")
        self.config("apply", "-f", folder, "--prune", "--dry-run")

    def test_apply_reports_and_corrects_drift(self):
        folder = self.tree(config__a={"interval": 7}, config__b={"interval": 7}, config__c={"interval": 7})
        self.config("apply", "-f", folder)
        self.config("set", "--agent-id", "a", "interval=1", "--author", "mallory", "--message", "just for a test")
        self.put("/monitor/config/b", '{"interval": 2}')
        out, _ = self.config("apply", "-f", folder, "--dry-run", status=1)
        self.assertRegex(out, r"change  /monitor/config/a  \(drift: last changed .* by mallory \(stated\): just for a test\)")
        self.assertRegex(out, r"change  /monitor/config/b  \(drift: last changed .* by unknown")
        found = [json.loads(line) for line in self.config("apply", "-f", folder, "--dry-run", "--format", "json", status=1)[0].splitlines()]
        self.assertEqual([(one["key"][-1], one["action"], one["drift"] is not None) for one in found], [("a", "change", True), ("b", "change", True), ("c", "same", False)])
        # What the folder has changed itself is no drift.
        folder = self.tree(config__a={"interval": 7}, config__b={"interval": 7}, config__c={"interval": 8})
        out, _ = self.config("apply", "-f", folder, "--keep-drift", status=1)
        self.assertIn("keep    /monitor/config/a", out)
        self.assertEqual([self.document("--agent-id", one)["interval"] for one in "abc"], [1, 2, 8])
        self.config("apply", "-f", folder)
        self.assertEqual([self.document("--agent-id", one)["interval"] for one in "abc"], [7, 7, 8])

    def test_apply_writes_nothing_if_anything_is_wrong(self):
        good = {"interval": 7}
        for files, said in (({"config__a": good, "config__b": {"intervall": 7}}, 'did you mean "interval"'), ({"config__a": good, "groups__w": "{"}, "groups/w.json"),
                            ({"config__a": good, "group__w": good}, "not the place of a document"), ({"config__a": good, "package": good}, "not the place of a document"),
                            ({"config__a": good, "config__b c": good}, "not the place of a document"), ({"config__a": good, "groups__w": {"groups": ["x"]}}, "groups")):
            _, err = self.config("apply", "-f", self.tree(**files), status=78)
            self.assertIn(said, err)
            self.assertIn("nothing was written", err)
            self.config("get", "--agent-id", "a", status=1)
        self.config("set", "--agent-id", "a", "interval=1")
        empty = self.tree(x=good)
        os.unlink(f"{empty}/x.json")
        _, err = self.config("apply", "-f", empty, "--prune", status=78)
        self.assertIn("would delete all", err)
        self.config("apply", "-f", f"{self.data}/nonexistent", status=self.missing_file)
        self.config("apply", status=64)
        self.config("apply", "-f", "-", stdin='{"interval": 5}', status=78)
        self.config("apply", "-f", "-", "--agent-id", "a", stdin='{"interval": 5}')
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 5})
        # The path of a file may say which document it is.
        self.config("apply", "-f", self.tree(groups__web={"interval": 4}) + "/groups/web.json")
        self.assertEqual(self.document("--group", "web"), {"interval": 4})

    def test_export_applies_back_without_a_difference(self):
        self.config("set", "--defaults", "interval=5", 'labels={"zoë":"\\u202e <&> \\"x\\""}')
        self.config("set", "--group", "web", "metrics+=processes")
        self.put("/monitor/config/a", '{"interval":7,\n\n   "plugins": []}')
        bundle, _ = self.config("export")
        self.config("apply", "-f", "-", "--prune", "--dry-run", stdin=bundle)
        self.config("export", "--to", f"{self.data}/out")
        self.config("apply", "-f", f"{self.data}/out", "--prune", "--dry-run")
        with open(f"{self.data}/out/config/a.json", encoding="utf-8") as file:
            self.assertEqual(file.read(), '{"interval":7,\n\n   "plugins": []}')
        # Into an empty store, of the other kind.
        other = ["--dir", f"{self.data}/other"]
        got, out, err = run("monitor-config", *other, "apply", "-f", f"{self.data}/out")
        self.assertEqual(got, 0, out + err)
        self.assertEqual(run("monitor-config", *other, "export")[1], bundle)
        self.config("delete", "--group", "web")
        _, err = self.config("export", "--to", f"{self.data}/out", status=1)
        self.assertIn("groups/web.json", err)
        self.config("export", "--to", f"{self.data}/out", "--prune")
        self.config("apply", "-f", f"{self.data}/out", "--prune", "--dry-run")

    def test_entries_are_added_and_removed(self):
        self.config("set", "--agent-id", "a", "metrics+=processes")
        self.assertEqual(self.document("--agent-id", "a")["metrics"], [*DEFAULT_METRICS, "processes"])
        self.config("set", "--agent-id", "a", "metrics+=processes", "metrics-=disk read", 'metrics-=["net in","net out"]', 'metrics+={"name":"cpu","per_core":true}')
        self.assertEqual(self.document("--agent-id", "a")["metrics"], [{"name": "cpu", "per_core": True}, "memory", "disk write", "processes"])
        self.config("set", "--agent-id", "a", "metrics+=cpu", "metrics-=load")
        self.assertEqual(self.document("--agent-id", "a")["metrics"][0], {"name": "cpu", "per_core": True}, "its options stay")
        # A list begins with what is in effect below.
        self.config("set", "--defaults", "--metrics", "cpu", "memory")
        self.config("set", "--agent-id", "b", "metrics+=load")
        self.assertEqual(self.document("--agent-id", "b"), {"metrics": ["cpu", "memory", "load"]})
        self.config("set", "--group", "web", "metrics-=memory", "plugins+=deduplication")
        self.assertEqual(self.document("--group", "web"), {"metrics": ["cpu"], "plugins": ["deduplication"]})
        self.config("set", "--group", "web", "plugins-=agent.plugins.deduplication.DeduplicationPlugin")
        self.assertEqual(self.document("--group", "web")["plugins"], [])
        self.config("override", "set", "--agent-id", "b", "--for", "10m", "metrics+=swap")
        self.assertEqual(json.loads(self.get("/monitor/overrides/agents/b/manual"))["metrics"], ["cpu", "memory", "load", "swap"])
        for wrong in ("metrics+=cpuu", "interval+=5", "labels+=x", "+=x", "log_level-=x"):
            self.config("set", "--agent-id", "b", wrong, status=64 if wrong.startswith("+") else 78)
        # Two who add at once.
        adders = [subprocess.Popen([f"{BIN}/monitor-config", *self.where, "set", "--agent-id", "c", f"groups+=g{i}"], stdout=subprocess.DEVNULL) for i in range(8)]
        for one in adders:
            self.assertEqual(one.wait(30), 0)
        self.assertEqual(sorted(self.document("--agent-id", "c")["groups"]), [f"g{i}" for i in range(8)])
        self.assertEqual(len(self.changes("--agent-id", "c")), 8)

    def test_refuses_wrong_authors_messages_and_unknown_options(self):
        for arguments, said in ((["--author", "a\nb"], "control characters"), (["--author", "x" * 201], "the limit is 200"),
                                (["--message", "x" * 2001], "the limit is 2000"), (["--message", "\x1b[31m"], "control characters")):
            status, _, err = run("monitor-config", *self.where, "set", "--agent-id", "a", "interval=5", *arguments)
            self.assertEqual(status, 64, err)
            self.assertIn(said, err)
        _, err = self.config("rollback", "--agent-id", "a", "--to-revison", "5", status=64)
        self.assertIn("--to-revision", err)
        for command in ("history", "diff", "rollback", "edit", "apply", "export"):
            out, _ = self.config(command, "--help")
            self.assertIn(f"monitor-config {command}", out)
        for command in ("diff", "rollback", "edit"):
            self.config(command, *(["--to-revision", "1"] if command == "rollback" else []), status=64)


class Files(Shared, KeysInFiles, ProgramTest):

    def setUp(self):
        super().setUp()
        self.where = ["--dir", f"{self.data}/monitor"]

    def get(self, key):
        with open(self.path(key), encoding="utf-8") as file:
            return file.read()

    def forget_revisions(self):
        pass


class EtcdStore(Shared, KeysInEtcd, ProgramTest):

    def setUp(self):
        super().setUp()
        self.where = ["--etcd", self.etcd.address]
        # etcd remembers the documents of earlier tests until it is compacted. A revision is compacted once.
        self.etcd.put("/elsewhere", "another revision")
        self.etcd.ctl("compact", str(self.etcd.revision()))

    def get(self, key):
        return self.etcd.get(key)

    def forget_revisions(self):
        self.etcd.ctl("compact", str(self.etcd.revision()))

    def test_the_history_outlives_compaction(self):
        for i in (1, 2, 3):
            self.config("set", "--agent-id", "a", f"interval={i}", "--author", f"author-{i}")
        revisions = [one["revision"] for one in self.changes("--agent-id", "a")]
        self.forget_revisions()
        self.assertEqual([(one["revision"], one["author"]) for one in self.changes("--agent-id", "a")], list(zip(revisions, ["author-3", "author-2", "author-1"], strict=True)))
        self.config("rollback", "--agent-id", "a", "--to-revision", revisions[-1])
        self.assertEqual(self.document("--agent-id", "a"), {"interval": 1})

    def test_the_author_is_etcds_user_and_old_roles_still_write(self):
        self.etcd.ctl("user", "add", "root:secret")
        self.etcd.ctl("user", "grant-role", "root", "root")
        self.etcd.ctl("role", "add", "old")
        self.etcd.ctl("role", "grant-permission", "old", "read", "/monitor/", "/monitor0")
        self.etcd.ctl("role", "grant-permission", "old", "readwrite", "/monitor/config/", "/monitor/config0")
        self.etcd.ctl("user", "add", "olga:secret")
        self.etcd.ctl("user", "grant-role", "olga", "old")
        self.etcd.ctl("auth", "enable")
        try:
            with open(f"{self.data}/password", "w", encoding="ascii") as file:
                file.write("secret")
            os.chmod(f"{self.data}/password", 0o600)
            as_root = ["--etcd-user", "root", "--etcd-password-file", f"{self.data}/password"]
            self.config("set", "--agent-id", "a", "interval=1", *as_root)
            self.config("set", "--agent-id", "a", "interval=2", "--author", "alice", *as_root)
            _, err = self.config("set", "--agent-id", "a", "interval=3", "--etcd-user", "olga", "--etcd-password-file", f"{self.data}/password")
            self.assertIn("not recorded", err)
            found = self.changes("--agent-id", "a", *as_root)
            self.assertEqual([(one["author"], one["author_kind"], one["account"]) for one in found],
                             [(None, "unknown", None), ("alice", "stated", "root"), ("root", "etcd user", None)])
            self.config("init-roles", "a", *as_root)
            self.assertIn("/monitor-history/", self.etcd_ctl_as_root("role", "get", "monitor-author"))
        finally:
            self.etcd_ctl_as_root("auth", "disable")
            for user in ("root", "olga"):
                self.etcd.ctl("user", "delete", user)
            self.etcd.ctl("role", "delete", "old")

    def etcd_ctl_as_root(self, *arguments):
        return self.etcd.ctl("--user", "root:secret", *arguments)


class FullDisk(ProgramTest):
    def test_a_full_disk_changes_nothing_and_says_so(self):
        folder = f"{self.data}/small"
        os.makedirs(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=1000,mode=700", "tmpfs", folder], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("only root can mount a small disk")
        try:
            where = ["--dir", f"{folder}/monitor"]
            self.assertEqual(run("monitor-config", *where, "set", "--agent-id", "a", "interval=5")[0], 0)
            with open(f"{folder}/filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(b"x" * 4096) == 4096:
                    pass
            status, _, err = run("monitor-config", *where, "set", "--agent-id", "a", "interval=7")
            self.assertEqual(status, 74, err)
            self.assertIn("nothing was written", err)
            self.assertEqual(json.loads(run("monitor-config", *where, "get", "--agent-id", "a")[1]), {"interval": 5})
            self.assertEqual(len(run("monitor-config", *where, "history", "--agent-id", "a", "--format", "json")[1].splitlines()), 1)
            os.unlink(f"{folder}/filler")
            self.assertEqual(run("monitor-config", *where, "set", "--agent-id", "a", "interval=7")[0], 0)
            self.assertEqual(len(run("monitor-config", *where, "history", "--agent-id", "a", "--format", "json")[1].splitlines()), 2)
        finally:
            subprocess.run(["umount", folder], check=True)


if __name__ == "__main__":
    unittest.main()
