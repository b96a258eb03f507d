"""Page, API and ledger agree on the state of an agent: running, stopped, never in the log, or forgotten."""
import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import free_port, run, wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402


class AgentStatesTest(BrowserTest):
    def health(self):
        return {row["agent"]: row["health"] for row in self.get("/api/v1/fleet")["agents"]}

    def ledger(self):
        status, out, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--format", "json")
        self.assertEqual(status, 0, err)
        return {row["agent"]: row for row in map(json.loads, out.splitlines())}

    def forget(self, agent):
        return run("monitor-analysis", "forget", agent, "--log", f"sqlite:{self.data}/log.db", "--dir", f"{self.data}/monitor",
                   "--data", self.data)

    def test_stopped_agent_stays_stopped_until_it_is_forgotten_or_returns(self):
        server = self.system(("runs", "ends"))
        agent = next(one for one in self.running if "ends" in one.process.args)
        self.assertEqual(agent.stop(), 0)
        agent.says(r"agent stopped batches=\d+ unsent=0")
        self.assertTrue(self.batches("ends")[-1]["final"])
        wait_until(lambda: self.health() == {"runs": "alive", "ends": "stopped"}, "the stop to be reported")
        rows = self.ledger()
        self.assertEqual({name: (row["end"], row["clean"], row["unknown_tail"]) for name, row in rows.items()},
                         {"runs": ("running", None, False), "ends": ("stopped", True, False)})
        table = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db")[1]
        self.assertRegex(table, r"ends .* stopped\n")
        self.assertNotIn("unknown tail", table)
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.chip.stopped b').textContent === '1' && document.querySelector('.is-stopped') !== null")

        status, out, err = self.forget("runs")
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(err, r"runs is alive: .*Stop it first")
        status, out, err = self.forget("nobody")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("nobody was never seen", err)
        status, out, err = self.forget("ends")
        self.assertEqual(status, 0, err)
        self.assertIn("ends is forgotten", out)
        wait_until(lambda: self.health() == {"runs": "alive"}, "the agent to be forgotten")
        self.assertEqual([row["agent"] for row in self.get("/api/v1/config")["agents"]], ["runs"])
        self.assertEqual({row["agent"] for row in self.get("/api/v1/ledger")["incarnations"]}, {"runs"})
        self.browser.wait("document.querySelector('.is-stopped:not([hidden])') === null")
        wait_until(lambda: self.range("ends") == ([], []), "its history to be deleted", 60)
        self.start_agent("ends", server, "--simulate")
        wait_until(lambda: self.health() == {"runs": "alive", "ends": "alive"}, "the agent to come back")
        self.no_faults()

    def test_overview_lists_problems_and_links_to_details(self):
        self.system()
        self.configure("cut-off", "--interval", "1")
        self.start_agent("cut-off", f"127.0.0.1:{free_port()}", "--simulate")
        agents = lambda: {row["agent"]: row for row in self.get("/api/v1/fleet")["agents"]}  # noqa: E731
        never = "it is alive, but none of its data has ever reached the log"
        self.assertEqual(agents()["agent-001"]["problems"], [])
        os.makedirs(f"{self.data}/monitor/config", exist_ok=True)
        with open(f"{self.data}/monitor/config/agent-001.json", "w", encoding="utf-8") as document:
            document.write('{"interval": "never"}')
        found = wait_until(lambda: (lambda all: all if "cut-off" in all and all["agent-001"]["problems"] else None)(agents()),
                           "the problems", 60)
        self.assertEqual((found["cut-off"]["health"], found["cut-off"]["why"], found["cut-off"]["seen"]), ("spooling", never, None))
        self.assertIn("configuration refused: ", found["agent-001"]["problems"][0])
        trouble = self.get("/api/v1/status")["trouble"]
        self.assertEqual(len(trouble), 2, trouble)
        self.assertIn(f"agent cut-off: {never}", trouble)
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.chip.problems b').textContent === '2'")
        lines = self.browser.wait("(() => { const lines = [...document.querySelectorAll('.wrongs li')]; return lines.length === 2 && lines.map((one) => one.textContent); })()")
        self.assertIn("agent-001: configuration refused: ", lines[0])
        self.assertIn(f"cut-off: {never}", lines[1])
        self.assertEqual(self.browser.do("axe"), [])
        self.shot("overview-problems")
        self.browser.eval("document.querySelector('.wrongs li .links a').click()")
        self.browser.wait("location.hash === '#/config?agent=agent-001' && document.body.textContent.includes('Effective configuration of agent-001')")
        self.browser.open(self.url("agent?agents=agent-001"))
        self.browser.wait("[...document.querySelectorAll('.fact .links a')].map((one) => one.getAttribute('href')).join(' ') ==="
                          " '#/config?agent=agent-001 #/messages?agent=agent-001 #/ledger?agent=agent-001'")
        self.browser.wait("document.querySelector('.fact').textContent.includes('configuration refused')")
        self.no_faults()

    def test_does_not_list_agents_of_another_log_in_the_same_folder(self):
        self.system(("here-before",))
        for program in self.running:
            program.stop()
        os.remove(f"{self.data}/log.db")
        shutil.rmtree(f"{self.data}/monitor/status", ignore_errors=True)
        server = self.start_server()
        self.configure("new", "--interval", "1")
        self.start_agent("new", server, "--simulate")
        self.serve()
        wait_until(lambda: self.health() == {"new": "alive"}, "the agent of this log alone")


if __name__ == "__main__":
    unittest.main()
