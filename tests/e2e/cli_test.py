"""Command lines: help, versions, wrong flags, the environment, exit statuses, man pages, completion; monitor-config."""
import functools
import json
import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest, run  # noqa: E402

PROGRAMS = ["monitor", "monitor-agent", "monitor-server", "monitor-analysis", "monitor-config", "monitor-load"]


def subcommands(program, path=()):
    """Returns the paths of all subcommands of this program, from its help."""
    paths = []
    listed = run(program, *path, "--help")[1].partition("Subcommands:\n")[2].partition("\n\n")[0]
    for name in re.findall(r"^  ([a-z-]+)", listed, re.M):
        if program != "monitor" or name in ("up", "help", "version"):
            paths += [(*path, name), *subcommands(program, (*path, name))]
    return paths


class CliTest(ProgramTest):
    def test_every_program_has_help_and_version_and_rejects_unknown_flags(self):
        for program in PROGRAMS:
            status, out, err = run(program, "--help")
            self.assertEqual((status, err), (0, ""), program)
            self.assertIn("Examples:", out)
            status, out, _ = run(program, "--version")
            self.assertEqual(status, 0)
            self.assertRegex(out, rf"^{program} \d+\.\d+\.\d+\n$")
            status, out, err = run(program, "--versoin")
            self.assertEqual((status, out), (64, ""), program)
            self.assertIn("did you mean --version?", err)
            self.assertIn("Usage:", err)

    def test_generates_man_pages_and_completion(self):
        for program in PROGRAMS:
            status, out, _ = run(program, "--generate", "man")
            self.assertEqual(status, 0)
            self.assertTrue(out.startswith(".TH " + program.replace("-", "\\-")), out[:40])
            _, out, _ = run(program, "--generate", "bash")
            checked = subprocess.run(["bash", "-n"], input=out, text=True, capture_output=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stderr)
            self.assertIn("--log-level", out)
        self.assertEqual(run("monitor", "--generate", "pdf")[0], 64)

    def test_help_of_a_subcommand_lists_exactly_its_options(self):
        for program in [*PROGRAMS, "monitor-plugin"]:
            _, top, _ = run(program, "--help")
            self.assertIn("--generate", top)
            for path in subcommands(program):
                command = " ".join([program, *path])
                status, out, err = run(program, *path, "--help")
                self.assertEqual((status, err), (0, ""), command)
                self.assertEqual(run(program, "help", *path), (0, out, ""), command)
                self.assertIn(f"Usage: {command} ", out)
                self.assertIn("--log-level debug|info", out, "inherited options are shown")
                self.assertNotRegex(out, r"\b(TEXT|UINT|INT|FLOAT)\b", command)
                if path[0] in ("help", "version"):
                    continue
                examples = out.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
                self.assertTrue(examples, f"{command} has an example")
                for line in examples:
                    self.assertTrue(line.strip().startswith(command), f"{line} in the help of {command}")
        for command, options in (("monitor-config set", ["--agent-id", "--etcd HOST", "--dir", "--interval", "FIELD=VALUE"]),
                                 ("monitor up", ["--data"]), ("monitor-analysis serve", ["--data"])):
            out = run(*command.split(), "--help")[1]
            for option in options:
                self.assertIn(option, out, command)
        self.assertNotIn("--agent-id", run("monitor-config", "schema", "--help")[1], "options without effect are not shown")

    def test_accepts_help_and_version_as_subcommands(self):
        for program in [*PROGRAMS, "monitor-plugin"]:
            self.assertEqual(run(program, "version"), run(program, "--version"))
            self.assertEqual(run(program, "help"), run(program, "--help"))
        self.assertEqual(run("monitor", "help", "config", "set"), run("monitor-config", "set", "--help"))
        self.assertEqual(run("monitor", "help", "server"), run("monitor-server", "--help"))
        status, _, err = run("monitor-config", "help", "sett")
        self.assertEqual(status, 64)
        self.assertIn("did you mean set?", err)

    def complete(self, program, *words, env=None):
        """Returns bash's completions of the last word. Splits the words at '=' and ':', as bash does."""
        if not hasattr(self, "generated"):
            self.generated = {}
        if program not in self.generated:
            self.generated[program] = run(program, "--generate", "bash")[1]
        function = "_" + program.replace("-", "_")
        script = self.generated[program] + (f'COMP_WORDS=("$0" "$@"); COMP_CWORD=$#; COMP_LINE="$0 $*"; {function}; '
                                            'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, os.path.join(BIN, program), *words], text=True, capture_output=True, check=True,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.stderr, "")
        return [word for word in done.stdout.splitlines() if word]

    def test_completes_subcommands_options_and_values(self):
        complete = functools.partial(self.complete, "monitor-config")
        self.assertEqual(complete("val"), ["validate"])
        self.assertEqual(complete("set", "inter"), ["interval="])
        self.assertEqual(complete("set", "log_level", "=", "de"), ["debug"])
        self.assertEqual(complete("set", "log_level", "="), ["debug", "info", "warning", "error", "off"])
        for field in json.loads(run("monitor-config", "schema")[1])["properties"]:
            self.assertIn(f"{field}=", complete("set", field[:-1]))
            self.assertIn(f"{field}=", complete("override", "set", field[:-1]))
        self.assertEqual(complete("override", ""), ["set", "list", "end", *[w for w in complete("override", "") if w.startswith("--")]])
        self.assertEqual(complete("override", "set", "--fo"), ["--for", "--force"])
        self.assertEqual(complete("schema", "--age"), [])
        self.assertEqual(complete("set", "--agent-i"), ["--agent-id"])
        self.assertEqual(complete("--agent-id", "set", "--in"), ["--interval"], "an option's value is not taken for a subcommand")
        self.assertEqual(complete("list", "--format", ""), ["table", "json"])
        self.assertEqual(complete("schema", "--format", "=", "m"), ["markdown", "metrics"])
        self.assertEqual(complete("get", "--format=j"), ["--format=json"])
        self.assertEqual(complete("--metrics", "cpu", "disk"), ["disk\\ read", "disk\\ write", "disk\\ operations"])
        self.assertEqual(complete("--plugins", "dedu"), ["deduplication"])
        self.assertIn("system.cpu.utilization", self.complete("monitor-analysis", "get-metrics", "--metric", "system.cpu."))
        self.assertEqual(self.complete("monitor-analysis", "ledger", "--form"), ["--format"])
        self.assertEqual(self.complete("monitor-agent", "spool", "ver"), ["verify"])
        self.assertEqual(self.complete("monitor-agent", "--log-level", "w"), ["warning"])

    def test_completes_names_from_the_configuration(self):
        for target in (["--agent-id", "web-1"], ["--agent-id", "db-1"], ["--group", "rack-7"]):
            self.assertEqual(run("monitor-config", "--dir", self.data, *target)[0], 0)
        self.assertEqual(self.complete("monitor-config", "get", "--dir", self.data, "--agent-id", ""), ["db-1", "web-1"])
        self.assertEqual(self.complete("monitor-config", "get", "--dir", self.data, "--group", "r"), ["rack-7"])
        self.assertEqual(self.complete("monitor", "config", "get", "--dir", self.data, "--agent-id", "w"), ["web-1"])
        self.assertEqual(self.complete("monitor", "conf"), ["config"])

    def test_monitor_runs_the_other_programs(self):
        self.assertEqual(run("monitor", "agent", "--version"), run("monitor-agent", "--version"))
        status, _, err = run("monitor", "agnet")
        self.assertEqual(status, 64)
        self.assertIn("did you mean agent?", err)

    def test_every_option_can_be_set_in_the_environment(self):
        status, out, err = run("monitor-agent", "--once", "--data", self.data,
                               env={"MONITOR_AGENT_FORMAT": "json", "MONITOR_AGENT_AGENT_ID": "from-env"})
        self.assertEqual(status, 0, err)
        self.assertEqual(json.loads(out)["agent"], "from-env")

    def test_accepts_options_with_equals_sign_or_space(self):
        for form in (["--format=json"], ["--format", "json"]):
            status, out, _ = run("monitor-agent", "--once", "--data", self.data, "--simulate=3", *form)
            self.assertEqual(status, 0)
            self.assertEqual(len(json.loads(out)["metrics"]), 8)

    def test_rejects_invalid_values(self):
        for arguments, part in ((["--agent-id", "a/b"], "--agent-id"), (["--server", "host:99999"], "--server"),
                                (["--server", ""], "--server"), (["--server", "local host"], "expected HOST:PORT"),
                                (["--etcd", "local host:1"], "--etcd"), (["--etcd-host", "local host"], "--etcd-host"), (["--http", "nowhere:x"], "--http"),
                                (["--group", "../x"], "--group"), (["--log-level", "loud"], "debug, info"),
                                (["--drain-timeout", "-1"], "--drain-timeout")):
            status, _, err = run("monitor-agent", "--data", self.data, *arguments)
            self.assertEqual(status, 64, (arguments, err))
            self.assertIn(part, err)
        for log in ("floppy:x", "sqlite:", "kafka:localhost:9092/topic"):
            status, _, err = run("monitor-server", "--data", self.data, "--log", log)
            self.assertEqual(status, 64, err)
            self.assertIn(f'--log: got "{log}", expected sqlite:PATH', err)
        for size in ("0", "4095KiB", "-1", "much"):
            status, _, err = run("monitor-server", "--data", self.data, f"--memory-limit={size}")
            self.assertEqual(status, 64, (size, err))
            self.assertIn("--memory-limit", err)
        for arguments in (["monitor-server", "--listen", "local host:1"], ["monitor-analysis", "get-metrics", "--kafka", "local host:9092"],
                          ["monitor-server", "--http", "local host:1"], ["monitor-load", "stream", "--server", "local host"],
                          ["monitor", "up", "--web", "local host:1"], ["monitor", "up", "--http", "local host:1"],
                          ["monitor", "up", "--kafka", "local host:1"], ["monitor-config", "list", "--etcd", "local host:1"]):
            status, _, err = run(*arguments, *([] if "load" in arguments[0] else ["--data", self.data]))
            self.assertEqual(status, 64, (arguments, err))
            self.assertIn(f'{arguments[-2]}: ', err)
            self.assertIn("local host", err)
        status, _, err = run("monitor-analysis", "get-metrics", "--data", self.data, "--from", "yesterday")
        self.assertEqual(status, 64, err)

    def test_durations_need_a_unit(self):
        """`--for 24` may mean hours: it must not become 24 seconds."""
        data = ["--data", self.data]
        for option, *command in (
                ("--for", "monitor-server", "token", "create", "--ca-dir", self.data, "--agent", "a"),
                ("--certificate-life", "monitor-server", "--ca-dir", self.data), ("--retention", "monitor-server", *data),
                ("--max-connection-age", "monitor-server", *data), ("--drain-timeout", "monitor-agent", *data),
                ("--for", "monitor-analysis", "api-token", "create", "--name", "a", "--role", "viewer", *data),
                ("--session-idle", "monitor-analysis", "serve", *data), ("--keep-full", "monitor-analysis", "serve", *data),
                ("--missing-after", "monitor-analysis", "ledger", *data), ("--last", "monitor-analysis", "query", *data),
                ("--for", "monitor-config", "override", "set", "--agent-id", "a", "--dir", self.data, "interval=1"),
                ("--ramp", "monitor-load", "stream"), ("--duration", "monitor-load", "stream"), ("--duration", "monitor", "up", *data)):
            with self.subTest(f"{command[0]} {option}"):
                status, _, err = run(*command, option, "24")
                self.assertEqual(status, 64, err)
                self.assertIn(f"{option}: duration: got 24 without a unit", err)
                self.assertIn("24s for seconds", err)
        env = {"MONITOR_SERVER_RETENTION": "24"}
        self.assertEqual(run("monitor-server", *data, env=env)[0], 64)
        status, _, err = run("monitor-analysis", "get-metrics", *data, "--from", "-60")
        self.assertEqual(status, 64, err)
        self.assertIn("an age with its unit (-10m)", err)
        # What the first version promised, and zero.
        for value in ("0.1", "0", "100ms"):
            status, _, err = run("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--timeout", value)
            self.assertNotEqual(status, 64, err)

    def test_the_help_of_a_command_shows_what_it_uses(self):
        for command in (["token", "create"], ["token", "list"], ["token", "revoke"], ["agent", "revoke"], ["token"]):
            out = run("monitor-server", *command, "--help")[1]
            self.assertIn("--ca-dir", out)
            for option in ("--listen", "--tls-cert", "--kafka", "--retention", "--data"):
                self.assertNotIn(option, out, command)
        for option in ("--listen", "--tls-cert", "--ca-dir", "--retention"):
            self.assertIn(option, run("monitor-server", "--help")[1])

    def test_once_prints_a_table_and_logs_to_standard_error(self):
        status, out, err = run("monitor-agent", "--once", "--data", self.data, "--log-format", "json")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"system\.memory\.usage\{system\.memory\.state=used\} +[\d.,]+ [MGT]B")
        for line in err.splitlines():
            self.assertIn("event", json.loads(line))

    def test_once_without_a_value_tells_whether_a_retry_can_help(self):
        for folder in ("whole/proc", "empty/proc"):
            os.makedirs(os.path.join(self.data, folder))
        stat = os.path.join(self.data, "whole/proc/stat")
        with open(stat, "w", encoding="ascii") as out:
            out.write("cpu  10 0 0 10 0 0 0 0 0 0\ncpu0 10 0 0 10 0 0 0 0 0 0\n")  # no time has passed between the readings
        for metrics, tree, status, said in ((["cpu"], "whole", 75, "no metric has a value between the two readings"),
                                            (["cpu"], "empty", 74, "cpu: opening .*stat: No such file"),
                                            ([], "whole", 0, "the configuration selects no metrics")):
            config = os.path.join(self.data, "once.json")
            with open(config, "w", encoding="ascii") as out:
                json.dump({"interval": 0.1, "metrics": metrics}, out)
            got, out, err = run("monitor-agent", "--once", "--config", config, "--data", self.data,
                                "--procfs", os.path.join(self.data, tree, "proc"))
            self.assertEqual((got, out), (status, ""), err)
            self.assertRegex(err, said)

    def test_version_does_not_read_config_files(self):
        self.assertEqual(run("monitor-agent", "--version", "--data", "/nonexistent/x")[0], 0)


class ConfigTest(ProgramTest):
    def config(self, *arguments, stdin=""):
        return run("monitor-config", "--dir", self.data, *arguments, stdin=stdin)

    def document(self, agent="agent-001"):
        status, out, err = self.config("get", "--agent-id", agent)
        self.assertEqual(status, 0, err)
        return json.loads(out)

    def test_accepts_the_python_versions_command_line(self):
        self.assertEqual(self.config("--agent-id", "agent-001", "--interval", "5", "--metrics", "cpu", "memory", "disk read",
                                     "disk write", "net in", "net out", "--plugins",
                                     "agent.plugins.deduplication.DeduplicationPlugin")[0], 0)
        self.assertEqual(self.document(), {
            "interval": 5, "metrics": ["cpu", "memory", "disk read", "disk write", "net in", "net out"],
            "plugins": ["agent.plugins.deduplication.DeduplicationPlugin"], "send_every": 1})
        self.assertEqual(self.config("--agent-id", "agent-001", "--plugins")[0], 0)
        self.assertEqual(self.document()["plugins"], [])
        self.assertEqual(self.document()["interval"], 5, "unnamed settings are kept")

    def test_writes_all_defaults_without_options(self):
        self.assertEqual(self.config("--agent-id", "agent-001")[0], 0)
        self.assertEqual(set(self.document()), {"interval", "metrics", "plugins", "send_every"})

    def test_set_writes_only_the_named_settings(self):
        self.assertEqual(self.config("set", "--agent-id", "a", "interval=0.5")[0], 0)
        self.assertEqual(self.document("a"), {"interval": 0.5})
        self.assertEqual(self.config("set", "--agent-id", "a")[0], 64)

    def test_does_not_write_invalid_settings(self):
        for arguments, part in ((["--interval", "0"], "10 ms to 24 h"), (["--metrics", "cpuu"], 'did you mean "cpu"?'),
                                (["--plugins", "dedup"], "unknown plugin"), (["set", "intervall=1"], 'did you mean "interval"?')):
            status, _, err = self.config("--agent-id", "a", *arguments)
            self.assertEqual(status, 78, err)
            self.assertIn(part, err)
        self.assertEqual(self.config("get", "--agent-id", "a")[0], 1)
        self.assertEqual(self.config("--agent-id", "a/../b")[0], 64)
        self.assertEqual(self.config("--agent-id", "a", "--group", "b")[0], 64)
        self.assertEqual(self.config("get")[0], 64)

    def test_rejects_numbers_that_are_invalid_in_json(self):
        for value in ("inf", "nan", "0x5", "1e400", "-005"):
            status, _, err = self.config("--agent-id", "a", "--interval", value)
            self.assertEqual(status, 78, (value, err))
            self.assertIn("must be 10 ms to 24 h", err)
        for fields in (["labels=" + '{"a":' * 5000 + "1" + "}" * 5000], ["--metrics", '{"a":' * 5000 + "1" + "}" * 5000]):
            status, _, err = self.config("set", "--agent-id", "a", *fields)
            self.assertEqual(status, 64, err[:300])
            self.assertIn("nested deeper", err)

    def test_lists_and_deletes_documents(self):
        for target in (["--agent-id", "a"], ["--agent-id", "b"], ["--group", "g"], ["--defaults"]):
            self.assertEqual(self.config("set", *target, "interval=1")[0], 0)
        self.assertEqual(self.config("list")[1].split(), ["/monitor/config/a", "/monitor/config/b", "/monitor/defaults", "/monitor/groups/g"])
        self.assertEqual([json.loads(line) for line in self.config("list", "--format", "json")[1].splitlines()],
                         [{"key": "/monitor/config/a", "layer": "agent", "name": "a"}, {"key": "/monitor/config/b", "layer": "agent", "name": "b"},
                          {"key": "/monitor/defaults", "layer": "defaults"}, {"key": "/monitor/groups/g", "layer": "group", "name": "g"}])
        self.assertEqual(json.loads(self.config("get", "--agent-id", "a", "--format", "json")[1]),
                         {"key": "/monitor/config/a", "document": {"interval": 1}})
        nested = '{"interval": ' + "[" * 100_000 + "]" * 100_000 + "}"  # written by another program
        with open(f"{self.data}/config/b.json", "w", encoding="ascii") as file:
            file.write(nested)
        status, out, err = self.config("get", "--agent-id", "b", "--format", "json")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(json.loads(out), {"key": "/monitor/config/b", "text": nested})
        self.assertEqual(self.config("names", "agents")[1].split(), ["a", "b"])
        self.assertEqual(self.config("names", "groups")[1].split(), ["g"])
        self.assertEqual(self.config("delete", "--agent-id", "a")[0], 0)
        self.assertEqual(self.config("delete", "--agent-id", "a")[0], 1)

    def test_set_stores_a_whole_document(self):
        self.assertEqual(self.config("set", "--agent-id", "a", "send_every=2")[0], 0)
        text = '{"interval": 3,\n "metrics": ["cpu"]}\n'
        with open(f"{self.data}/new.json", "w", encoding="utf-8") as file:
            file.write(text)
        for arguments, stdin in (([f"{self.data}/new.json"], ""), (["-"], text)):
            self.assertEqual(self.config("delete", "--agent-id", "a")[0], 0)
            self.assertEqual(self.config("set", "--agent-id", "a", "send_every=2")[0], 0)
            status, out, err = self.config("set", "--agent-id", "a", "--file", *arguments, stdin=stdin)
            self.assertEqual((status, err), (0, ""))
            self.assertIn("/monitor/config/a written", out)
            self.assertEqual(self.config("get", "--agent-id", "a")[1], text, "exactly as written, without the old document")
        self.assertIn("unchanged", self.config("set", "--agent-id", "a", "--file", "-", stdin=text)[1])
        for wrong, part in (('{"intervall": 1}', 'did you mean "interval"?'), ("", "not JSON"), ("[]", "object"),
                            ('{"interval": 1,\n "metrics": ["cpuu"]}', "line 2")):
            status, _, err = self.config("set", "--agent-id", "a", "--file", "-", stdin=wrong)
            self.assertEqual(status, 78, err)
            self.assertIn(part, err)
        self.assertEqual(self.config("set", "--agent-id", "a", "--file", "/nonexistent")[0], 74)
        self.assertEqual(self.config("set", "--agent-id", "a", "--file", "-", "interval=1", stdin=text)[0], 64)
        self.assertEqual(self.config("set", "--agent-id", "a", "--file", "-", "--interval", "1", stdin=text)[0], 64)
        self.assertEqual(self.config("set", "--file", "-", stdin=text)[0], 64)
        self.assertEqual(self.document("a")["interval"], 3)

    def test_validate_reports_path_and_line(self):
        self.assertEqual(self.config("validate", "-", stdin='{"interval": 1}')[0], 0)
        for text, part in (('{"interval": 1,\n "interval": 2}', "line 2: duplicate key"), ("", "not JSON"), ("[" * 100, "nested deeper"),
                           ('{"metrics": [1]}', "/metrics/0, line 1"), (" " * 10_000_000, "10000000 bytes, the limit is 262144")):
            status, _, err = self.config("validate", "-", stdin=text)
            self.assertEqual(status, 78, err)
            self.assertIn(part, err)
        self.assertEqual(self.config("validate", "/nonexistent")[0], 74)

    def test_concurrent_changes_of_different_fields_both_succeed(self):
        self.assertEqual(self.config("--agent-id", "a")[0], 0)
        base = [os.path.join(BIN, "monitor-config"), "set", "--dir", self.data, "--agent-id", "a"]
        authors = [subprocess.Popen([*base, f'labels={{"k{i}":"v"}}' if i % 2 else f"send_every={i}"], stdout=subprocess.DEVNULL)
                   for i in range(2, 12)]
        for author in authors:
            self.assertEqual(author.wait(30), 0)
        document = self.document("a")
        self.assertIn("labels", document)
        self.assertGreaterEqual(document["send_every"], 2)

    def test_watch_prints_changes(self):
        watch = self.start("monitor-config", "--dir", self.data, "watch", "--agent-id", "a")
        watch.prints("absent")
        self.config("set", "--agent-id", "a", "interval=3")
        watch.prints('"interval": 3')
        self.assertEqual(watch.stop(), 0)

    def test_status_does_not_truncate_reasons_in_piped_output(self):
        reason = "interval: got -1; " + "x" * 200 + " the end"
        os.makedirs(f"{self.data}/status")
        for agent in ("a", "b"):
            with open(f"{self.data}/status/{agent}.json", "w", encoding="utf-8") as file:
                json.dump({"agent_id": agent, "error": reason, "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}, file)
        _, out, err = self.config("status")
        self.assertEqual(out.count(reason), 2, out + err)
        # On a terminal, the rows of a fleet are truncated, but the reason of a single agent is not.
        terminal, other = os.openpty()
        self.addCleanup(os.close, terminal)
        shown = {}
        for more in ((), ("--agent-id", "a")):
            subprocess.run([f"{BIN}/monitor-config", "--dir", self.data, "status", *more], stdout=other, check=False, timeout=20)
            shown[more] = os.read(terminal, 65536).decode()
        os.close(other)
        self.assertNotIn("the end", shown[()])
        self.assertIn("interval: got -1", shown[()])
        self.assertIn("the end", shown["--agent-id", "a"])

    def test_schema_is_json(self):
        schema = json.loads(self.config("schema")[1])
        self.assertEqual(schema["properties"]["interval"]["default"], 5)


if __name__ == "__main__":
    unittest.main()
