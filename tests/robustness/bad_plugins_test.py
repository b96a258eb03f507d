#!/usr/bin/env python3
"""Deliberately bad plugins and scripts, each in a real agent with 10 ms ticks. The agent misses no more ticks than
without it, and reports the reason of the failure in log, status and ledger."""
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from interleaved import blocks, judge  # noqa: E402
from plugins import PluginTest  # noqa: E402
from programs import run, wait_until  # noqa: E402

# Fault -> expected reason.
NATIVE = {
    "segfault": r"signal 11", "abort": r"signal 6", "exit": r"ended its process with status 0", "loop": r"did not answer within",
    "sleep": r"did not answer within", "memory": r"signal 11", "new_memory": r"bad_alloc", "stack": r"signal 11",
    "double_free": r"signal 6", "heap_overflow": r"signal (6|11)", "close_all": r"closed its channel", "fork": r"called (clone|fork)",
    "kill_parent": r"called kill", "kill_all": r"called kill", "socket": r"called socket", "exec": r"called execve",
    "passwd": r"called openat", "write_file": r"called openat", "throw": r"I always throw", "throw_int": r"not a std::exception",
    "thread_segfault": r"signal 11", "garbage": r"an invalid message", "flood": r"an invalid message", "uncatchable": r"signal 9",
    "exec_memory": r"no memory for new code",
}
LIARS = {
    "count": r"points in a batch with room", "pointer": r"changed the address", "series": r"series 123456", "own_series": r"does not exist",
    "answer": r"returned 77", "bad_text": r"not UTF-8", "labels": r"billion labels",
}
HARMLESS = ["stdout", "threads"]  # undesirable, but not failures

SPENT = r"budget of instructions is spent"
MEMORY = r"MiB of memory|too large|budget of instructions"
SCRIPTS = {
    "while_true": ("while true do end", SPENT),
    "pcall_loop": ("while true do pcall(function() while true do end end) end", SPENT),
    "xpcall_loop": ("while true do xpcall(function() while true do end end, function() while true do end end) end", SPENT),
    "rep": ('string.rep("x", 1e9)', MEMORY),
    "rep_kept": ('local t = {} for i = 1, 1e9 do t[i] = string.rep("x", 1e6) end', MEMORY),
    "rep_loop": ('for i = 1, 1e9 do local s = string.rep("x", 1e6) end', SPENT),
    "concat": ('local a = "x" while true do a = a .. a end', MEMORY),
    "concat_loop": ('local a = string.rep("x", 5e5) while true do local b = a .. a end', SPENT),
    "table_concat": ('local t = {} for i = 1, 10000 do t[i] = string.rep("x", 1000) end while true do table.concat(t) end', MEMORY),
    "format": ('local s = string.rep("x", 5e5) while true do local t = string.format("%s%s", s, s) end', SPENT),
    "upper": ('local s = string.rep("x", 1e6) while true do local t = string.upper(s) end', SPENT),
    "gsub": ('local s = string.rep("x", 1e6) string.gsub(s, "x", s)', MEMORY),
    "find": ('string.find(string.rep("a", 1e5), string.rep("a*", 30) .. "b")', SPENT),
    "match": ('string.match(string.rep("a", 1e6), ".-.-.-.-.-.-b")', SPENT),
    "frontier": ('string.find(string.rep("b", 1e6), "%f[" .. string.rep("a", 1e6) .. "]x")', SPENT),
    "tonumber": ('local s = string.rep(" ", 1e6) while true do tonumber(s) end', SPENT),
    "gmatch": ('for x in string.gmatch(string.rep("a", 1e6), "(.-)%1(.-)%2b") do end', SPENT),
    "captures": ('string.find("a", string.rep("(", 100))', r"captures"),
    "recursion": ("local function f(n) return 1 + f(n + 1) end f(1)", r"MiB of memory|stack overflow"),
    "recursion_in_c": ('local function f(s) return string.gsub(s, ".", f) end f("a")', r"stack overflow"),
    "coroutines": ("while true do coroutine.wrap(function() for i = 1, 100 do end end)() end", SPENT),
    "coroutine_pcall": ("while true do coroutine.resume(coroutine.create(function() while true do pcall(function() while true do "
                        "end end) end end)) end", SPENT),
    "coroutines_kept": ("local t = {} while true do t[#t + 1] = coroutine.create(function() end) end", MEMORY),
    "coroutines_nested": ("local function f() return coroutine.wrap(f)() end f()", r"stack overflow"),
    "metatable": ("local t = {} setmetatable(t, {__index = function(t, k) return t[k + 1] end}) local x = t[1]", r"stack overflow"),
    "length": ("table.unpack(setmetatable({}, {__len = function() return 1 << 53 end}), 1, 1e8)", r"too many results"),
    "gc": ("setmetatable({}, {__gc = function() while true do end end})", r"__gc"),
    "close": ("local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end", SPENT),
    "tostring": ('string.format("%s", setmetatable({}, {__tostring = function() while true do end end}))', SPENT),
    "sort": ("local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t, function() return true end) end", SPENT),
    "sort_texts": ('local s, t = string.rep("a", 1e6), {} for i = 1, 1e5 do t[i] = s end table.sort(t)', SPENT),
    "tables": ("local t = {} for i = 1, 1e9 do t[i] = {} end", MEMORY),
    "tables_pcall": ("local t = {} while true do pcall(function() while true do t[#t + 1] = {1, 2, 3} end end) end", MEMORY),
    "load": ('load("return 1")()', r"'load'"),
    "io": ('io.open("/etc/passwd")', r"'io'"),
    "os": ("os.exit(1)", r"'os'"),
    "debug": ("debug.getregistry()", r"'debug'"),
    "require": ('require("os")', r"'require'"),
    "dump": ("string.dump(run)", r"'dump'"),
    "collectgarbage": ('collectgarbage("stop")', r"'collectgarbage'"),
    "string_methods": ('getmetatable("").__index = 1', r"nil value"),
    "error_table": ("error({})", r"an error that is a table"),
    "bad_series": ('batch:add{name = string.char(255), value = 1}', r"invalid series"),
    "kept_handle": ("if kept then kept.value = 1 end for p in batch:points() do kept = p end", r"only valid until"),
}

PHASE = 5 if os.environ.get("MONITOR_LONG") else 0.6  # seconds per phase, in the order A B B A
MOST = 40  # blocks of four phases, if there are fewer cases


class BadPlugins(PluginTest):
    def setUp(self):
        super().setUp()
        self.without, self.with_it = [], []  # phases: ticks due, ticks missed

    def counted(self, agent):
        return self.metric(agent, "ticks_due_total"), self.metric(agent, "ticks_missed_total")

    def phase(self, agent, plugins, applied):
        """Returns the ticks due and missed while these plugins are in the chain."""
        self.document(plugins)
        applied()
        before = self.counted(agent)
        time.sleep(PHASE)  # not a wait for a condition: the duration of the measurement
        after = self.counted(agent)
        return after[0] - before[0], after[1] - before[1]

    def measure(self, agent, name, entry, expected):
        """Measures in the order A B B A: without, with, with, without. Returns the reason of the failure, and stores
        the ticks due and missed for judge()."""
        def gone():
            wait_until(lambda: self.plugin_status(name) is None, f"{name} to be gone")

        def there():
            wait_until(lambda: self.plugin_status(name) is not None, f"{name} to be there")

        reason = ""
        self.without.append(self.phase(agent, [], gone))
        self.with_it.append(self.phase(agent, [{**entry, "deadline": 0.25}], there))
        if expected:
            reason = self.until_status(name, lambda s: s["error"], f"{entry} to fail")["error"]
        self.with_it.append(self.phase(agent, [{**entry, "deadline": 0.2}], there))
        self.without.append(self.phase(agent, [], gone))
        return reason

    def measure_all(self, agent, cases):
        """cases: (name, configuration entry, expected reason or None)"""
        for number in blocks(len(cases), max(MOST, 2 * len(cases)), self.without, self.with_it):
            name, entry, expected = cases[number % len(cases)]
            with self.subTest(plugin=name, entry=entry):
                reason = self.measure(agent, name, entry, expected)
                if expected:
                    self.assertRegex(reason, expected)
                    agent.says(rf"plugin (failed|quarantined).*plugin={name}.*({expected})")
        judge(self, self.without, self.with_it)

    def go_through(self, name, cases):
        """cases: fault -> expected reason."""
        server = self.start_server()
        self.document([])
        agent = self.run_agent(server)
        self.measure_all(agent, [(name, {"name": name, "config": {"how": how}}, expected) for how, expected in cases.items()])
        self.assertEqual(agent.stop(), 0)
        agent.says(r"agent stopped .*unsent=0")
        reasons = {(d["stage"], d["reason"]) for d in self.drops(name)}
        self.assertIn(("plugin", "failed"), reasons, "the drop records in the ledger name the plugin")
        out = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--format", "json",
                  "--missing-after", "0")
        self.assertIn(out[0], (0, 1), out[2])
        self.assertIn(f'"plugin":"{name}"', out[1].replace(" ", ""))
        return agent

    def test_bad_native_plugins_cost_no_ticks(self):
        self.put("bad")
        agent = self.go_through("bad", NATIVE)
        text = "\n".join(agent.err)
        self.assertIn("plugin quarantined", text)
        self.assertNotIn("root:", text)
        self.assertFalse(os.path.exists("/tmp/monitor-bad-plugin"))
        points = [point for b in self.batches("a") for f in b["frames"] for point in f["points"]]
        self.assertTrue(points)
        self.assertFalse([series for series, _ in points if "leak" in series["labels"]])

    def test_plugins_that_lie_to_the_host_cost_no_ticks(self):
        self.put("liar")
        self.go_through("liar", LIARS)

    def test_noisy_plugins_cost_no_ticks(self):
        self.put("bad")
        self.document([])
        agent = self.run_agent()
        self.measure_all(agent, [("bad", {"name": "bad", "config": {"how": how}}, None) for how in HARMLESS])
        self.assertEqual(agent.stop(), 0)
        agent.says(r"plugin printed plugin=bad")

    def test_rejects_plugins_that_cannot_start_with_a_reason(self):
        self.put("liar")
        self.document(["liar"])
        agent = self.run_agent()
        self.until_status("liar", lambda s: s["ticks"] > 5, "the first version to run")
        for name, expected in (("newer_major", "newer_major was built for version 2.0 of the plugin interface"),
                               ("liar_size", "a monitor_plugin of 8 bytes")):
            self.put(name)
            self.document(["liar", name])
            agent.says(rf"configuration refused.*{expected}")
            wait_until(lambda e=expected: e in self.status()["error"], "the status to show the reason")
            self.assertEqual(self.plugin_status("liar")["state"], "running")
        self.put("bad")
        for how, expected in (("segfault", "signal 11"), ("sleep", "did not start within"), ("throw", "I always throw")):
            self.document(["liar", {"name": "bad", "config": {"how": how, "when": "initialize"}}])
            agent.says(rf"configuration refused.*{expected}")
        self.document(["liar", {"name": "bad", "config": {"how": "segfault", "no_such_option": 1}}])
        agent.says(r"configuration refused.*no_such_option: unknown option")
        with open(f"{self.folder}/text.so", "w", encoding="ascii") as file:
            file.write("no library")
        self.document(["liar", "text"])
        agent.says(r"configuration refused.*text.*cannot be loaded")
        self.assertEqual(self.plugin_status("liar")["failed"], 0)

    def test_a_fault_during_replacement_costs_at_most_a_tick(self):
        """A fault in save(), restore() or finalize() during a replacement costs the state and at most one tick."""
        self.put("bad")
        self.document([])
        agent = self.run_agent(self.start_server())
        for when, how, said in (("save", "segfault", "cannot be saved: it ended by signal 11"),
                                ("save", "sleep", "cannot be saved: it did not answer within the time limit"),
                                ("save", "throw", "cannot be saved: I always throw"),
                                ("restore", "segfault", "cannot be restored: it ended by signal 11"),
                                ("restore", "sleep", "cannot be restored: it did not restore its state within the time limit"),
                                ("restore", "exit", "cannot be restored: it ended its process with status 0"),
                                ("restore", "throw", "cannot be restored: I always throw"),
                                ("finalize", "segfault", "continues with its predecessor"), ("finalize", "sleep", "continues with its predecessor")):
            with self.subTest(when=when, how=how):
                good = {"name": "bad", "config": {"how": "", "when": f"{when} {how}"}}
                bad = {"name": "bad", "config": {"how": how, "when": when}}
                first, second = (good, bad) if when == "restore" else (bad, good)
                self.document([first])
                wait_until(lambda: self.metric(agent, "plugin_ticks_total") > 5, "the first version to run")
                self.document([second])
                wait_until(lambda: self.metric(agent, "plugin_replaced_total") == 1, "the second version to run")
                agent.says(rf"plugin .*{said}")
                ticks = self.metric(agent, "plugin_ticks_total")
                wait_until(lambda n=ticks: self.metric(agent, "plugin_ticks_total") > n + 5, "ticks to continue")
                self.assertLessEqual(self.metric(agent, "plugin_failures_total"), 1)
                self.document([])
                wait_until(lambda: self.metric(agent, "plugin_ticks_total") == 0, "the plugin to be removed")
        wait_until(lambda: not self.hosts(agent), "the hosts to end")
        self.assertEqual(agent.stop(), 0)

    def test_contains_a_plugin_that_attacks_while_it_is_loaded(self):
        self.document([])
        agent = self.run_agent()

        def limits():
            with open(f"/proc/{agent.process.pid}/limits", encoding="ascii") as file:
                return file.read()

        before = limits()
        self.put("early")
        self.document(["early"])
        agent.says("plugin loaded plugin=early")
        self.assertEqual(limits(), before)
        host, = self.hosts(agent)
        self.document([{"name": "early", "config": {"forbidden": True}}])
        agent.says("plugin failed.*plugin=early.*it called socket")
        self.document(["early"])
        agent.says("plugin replaced plugin=early")
        wait_until(lambda: self.hosts(agent) and host not in self.hosts(agent), "a running host")
        host, = self.hosts(agent)
        # The host is stopped, so it cannot detect by itself that the agent has gone.
        os.kill(host, signal.SIGSTOP)
        agent.process.kill()

        def ended():
            try:
                with open(f"/proc/{host}/status", encoding="ascii") as file:
                    return "\nState:\tZ" in file.read()
            except OSError:
                return True

        wait_until(ended, "the host to end with the agent")

    def test_runs_older_and_newer_minor_versions(self):
        for name in ("abi_1_0", "newer_minor"):
            self.put(name)
        self.document(["newer_minor", "abi_1_0"])
        agent = self.run_agent()
        self.until_status("abi_1_0", lambda s: s["changed"] > 5, "both to run")
        agent.says(r"plugin says plugin=abi_1_0 line=\"built for 1.0\"")

    def test_bad_scripts_do_not_affect_good_ones(self):
        server = self.start_server()
        self.put("good", text="function run(batch) state.n = (state.n or 0) + 1 batch:add{name = 'good.n', value = state.n} end")
        self.document(["good"])
        agent = self.run_agent(server)
        for case, (body, expected) in SCRIPTS.items():
            with self.subTest(case=case):
                self.put(case, text=f"function run(batch)\n{body}\nend\n")
                self.document([{"name": case}, "good"])
                status = self.until_status(case, lambda s: s["failed"] > 0, f"{case} to fail")
                self.assertRegex(status["error"], expected)
                agent.says(rf"plugin (failed|quarantined).*plugin={case}.*({expected})")
        good = self.plugin_status("good")
        self.assertEqual((good["failed"], good["restarts"]), (0, 0), "a bad script does not affect a good one")
        for name, text in (("binary", "\x1bLuaT"), ("endless", "while true do end"), ("empty", "x = 1"), ("wrong", "function run(")):
            self.put(name, text=text)
            self.document([name, "good"])
            agent.says(rf"configuration refused.*plugin {name}:")
        self.assertEqual(agent.stop(), 0)
        named = {d["plugin"] for b in self.batches("a") for d in b["drops"]}
        self.assertLessEqual(set(SCRIPTS), named)
        # Its counter never restarted. Sorted by tick, because fresh batches may overtake the backlog.
        counted = sorted((f["time"], value) for b in self.batches("a") for f in b["frames"] for series, value in f["points"]
                         if series["name"] == "good.n")
        values = [value for _, value in counted]
        self.assertGreater(len(values), 100)
        self.assertEqual(values, sorted(values))

    def test_bad_scripts_cost_no_ticks(self):
        self.document([])
        agent = self.run_agent()
        cases = ("while_true", "rep_kept", "match", "coroutine_pcall", "tables_pcall", "sort")
        for case in cases:
            self.put(case, text=f"function run(batch)\n{SCRIPTS[case][0]}\nend\n")
        # On a busy machine, the deadline may expire before the budget.
        self.measure_all(agent, [(case, {"name": case}, f"{SCRIPTS[case][1]}|did not answer within") for case in cases])


if __name__ == "__main__":
    unittest.main()
