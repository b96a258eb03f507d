"""`monitor-agent health`: an agent that works, waits for its server, hangs, was killed, or never ran."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import Program, ProgramTest, free_port, run, wait_until  # noqa: E402


class HealthTest(ProgramTest):
    def agent(self, agent_id="m1", port=None):
        os.makedirs(f"{self.data}/monitor", exist_ok=True)
        program = Program("monitor-agent", "--agent-id", agent_id, "--data", self.data, "--config-dir", f"{self.data}/monitor", "--server",
                          f"127.0.0.1:{port or free_port()}", "--drain-timeout", "1s")
        self.running.append(program)
        program.says("agent started")
        return program

    def health(self, *options, env=None):
        status, out, err = run("monitor-agent", "health", *(() if env else ("--data", self.data)), *options, env=env)
        self.assertEqual(err, "")
        return status, out

    def test_tells_the_states_of_an_agent_apart(self):
        self.assertEqual(self.health(), (69, f"no agent runs with the data folder {self.data}\n"))
        port = free_port()
        agent = self.agent(port=port)
        status, out = self.health()
        self.assertEqual(status, 0, "a server that is away is no fault of the agent")
        self.assertRegex(out, r"^agent m1: not delivering: no stream to a server.+; (1 batch waits|\d+ batches wait) in the spool\n$")
        self.assertEqual(self.health("--ready")[0], 1)

        server = Program("monitor-server", "--port", port, "--http", "off", "--log", f"sqlite:{self.data}/log.db")
        self.running.append(server)
        wait_until(lambda: self.health("--ready")[0] == 0, "delivery")
        self.assertRegex(self.health("--ready")[1], r"^agent m1: delivering; (1 batch waits|\d+ batches wait) in the spool\n$")

        agent.send(signal.SIGSTOP)
        os.waitid(os.P_PID, agent.process.pid, os.WSTOPPED | os.WNOWAIT)
        status, out = self.health("--timeout", "200ms")
        self.assertEqual(status, 1)
        self.assertIn("does not answer on", out)
        agent.send(signal.SIGCONT)
        self.assertEqual(self.health()[0], 0)

        agent.kill()
        self.assertEqual(self.health()[0], 69, "the socket of a killed agent is left, and nobody listens")
        agent = self.agent(port=port)
        self.assertEqual(self.health()[0], 0)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.health()[0], 69)

    def test_finds_the_agent_by_its_environment_and_its_id(self):
        longest = "x" * 128
        self.agent(longest)
        self.agent("b")
        status, out = self.health()
        self.assertEqual((status, len(out.splitlines())), (0, 2), "all agents of the folder")
        self.assertTrue(self.health("--agent-id", "b")[1].startswith("agent b: "))
        self.assertEqual(self.health("--agent-id", "c")[0], 69)
        # As in a container: only the variables of the agent.
        status, out = self.health(env={"MONITOR_AGENT_DATA": self.data, "MONITOR_AGENT_AGENT_ID": longest})
        self.assertEqual((status, out.split(":")[0]), (0, f"agent {longest}"))

    def test_rejects_wrong_arguments(self):
        for arguments in (("--agent-id", "../m1"), ("--timeout", "0s"), ("--timeout", "soon"), ("--wrong",)):
            status, _, err = run("monitor-agent", "health", "--data", self.data, *arguments)
            self.assertEqual(status, 64, err)


if __name__ == "__main__":
    unittest.main()
