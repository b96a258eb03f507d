"""The documentation is correct: the README's commands work, generated pages match the programs' output, links and
listed paths exist."""
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, Program, ProgramTest, free_port, run, wait_until  # noqa: E402


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def metrics(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as reply:
        return reply.read().decode()


def shell_blocks(text):
    return re.findall(r"(?m)^```sh\n(.*?)^```", text, re.S)


class DocsTest(ProgramTest):
    def test_readme_commands_work(self):
        """Runs the commands unchanged and in order, and keeps long-running programs running. Only the ports and HOME
        are changed, through the environment."""
        port = free_port()
        home = {"HOME": self.data}
        env = {**home, "MONITOR_SERVER_PORT": str(port), "MONITOR_SERVER_HTTP": "off", "MONITOR_AGENT_SERVER": f"localhost:{port}"}
        stays = ("monitor-server ", "monitor-agent --agent-id", "get-metrics", "monitor-analysis serve")
        ran = 0
        follower = None
        for block in shell_blocks(read("README.md")):
            if block.strip() in ("./run", "./test"):
                continue
            ran += 1
            if any(word in block for word in stays):
                program = Program("/bin/bash", "-c", "exec " + block.strip(), env=env, cwd=ROOT)
                self.running.append(program)
                if "monitor-server" in block:
                    program.says("listening service=grpc")
                elif "serve" in block:
                    program.says("listening service=web")
                elif "get-metrics" in block:
                    follower = program
                    program.prints(r"^\d{4}-")
                else:
                    program.says("stream to the server established")
            else:
                done = subprocess.run(["/bin/bash", "-c", block], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
                                      env={k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")} | home)
                self.assertEqual(done.returncode, 0, block + done.stderr)
        self.assertGreaterEqual(ran, 5)
        rows = len(follower.out)
        follower.prints(r"^\d{4}-.* - ", count=1)  # the interval is 1 s now, and disk and net are no longer collected
        self.assertGreater(len(follower.out), rows)
        # docs/payload.md has commands for the same log.
        if shutil.which("sqlite3"):
            for block in shell_blocks(read("docs/payload.md")):
                done = subprocess.run(["/bin/bash", "-c", block], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
                                      env={**os.environ, **home})
                self.assertEqual(done.returncode, 0, block + done.stderr)

    def test_quickstart_commands_of_one_machine_work(self):
        """In place of `./run`, a `monitor up` of this user is running."""
        up = self.start("monitor", "up", "--data", self.data, "--port", 0, "--http", "127.0.0.1:0", "--web", "127.0.0.1:0")
        up.says("web page: ")
        up.prints(r"^\d{4}-")
        section = re.search(r"(?ms)^## One machine$.*?(?=^## )", read("docs/quickstart.md")).group(0)
        blocks = [block for block in shell_blocks(section) if block.strip() != "./run"]
        self.assertGreaterEqual(len(blocks), 3)
        for block in blocks:
            done = subprocess.run(["/bin/bash", "-c", block], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
                                  env={k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")})
            self.assertEqual(done.returncode, 0, block + done.stdout + done.stderr)

    def test_configuration_reference_is_generated(self):
        reference = run("monitor-config", "schema", "--format", "markdown")[1]
        self.assertIn(reference.strip(), read("docs/configuration.md"),
                      "docs/configuration.md: paste the output of `monitor-config schema --format markdown`")

    def test_own_metrics_are_listed(self):
        port = free_port()
        agent = self.start("monitor-agent", "--agent-id", "a", "--data", self.data, "--http", f"127.0.0.1:{port}",
                           "--server", "127.0.0.1:1", "--config-dir", self.data)
        agent.says("no stream to the server")
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", 0, "--http", "127.0.0.1:0", "--data", self.data)
        page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", "127.0.0.1:0")
        pages = [f"127.0.0.1:{port}", page.says(r"service=web address=(\S+)").group(1), server.says(r"service=http address=(\S+)").group(1)]
        listed = read("docs/operations.md") + read("docs/notifications.md")
        # The metrics of notifications exist from the moment on at which this instance notifies.
        wait_until(lambda: "\nmonitor_notify_active 1" in metrics(pages[1]), "the page to notify")
        names = set()
        for page in pages:
            names |= set(re.findall(r"(?m)^# TYPE (\S+)", metrics(page)))
        self.assertGreater(len(names), 20)
        self.assertIn("monitor_notify_groups", names)
        # A row may abbreviate: `monitor_agent_ticks_due_total`, `_ticks_missed_total`.
        endings = [ending for ending in re.findall(r"`(_[a-z_]+)`", listed)]
        missing = [n for n in sorted(names) if not re.search(f"`{n}[`{{]", listed) and not any(n.endswith(e) for e in endings)]
        self.assertEqual(missing, [], "neither docs/operations.md nor docs/notifications.md lists them")

    def test_links_and_paths_exist(self):
        pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
        for folder in ("docs", "docs/decisions"):
            pages += [f"{folder}/{f}" for f in os.listdir(f"{ROOT}/{folder}") if f.endswith(".md")]
        checked = 0
        for page in pages:
            text = re.sub(r"(?ms)^ *```.*?^ *```", "", read(page))
            for target in re.findall(r"\]\(([^)#]+)", text):
                if "://" in target:
                    continue
                checked += 1
                self.assertTrue(os.path.exists(os.path.join(ROOT, os.path.dirname(page), target)), f"{page} -> {target}")
            for path in re.findall(r"`((?:src|proto|tests|tools|docs|fuzz)/[A-Za-z0-9_./-]+)`", text):
                checked += 1
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)), f"{page} names {path}")
        self.assertGreater(checked, 20)

    def test_the_walk_of_a_sample_names_functions_that_exist(self):
        walk = re.search(r"(?ms)^## The path of one sample$.*?(?=^## )", read("docs/architecture.md")).group(0)
        named = re.findall(r"`(src/[a-z_/]+\.cc)`\s+`((?:[A-Z]\w+::)?\w+)`", walk)
        self.assertGreater(len(named), 10)
        for path, function in named:
            self.assertRegex(read(path), rf"\b{function}\(", f"docs/architecture.md: {path} has no {function}")

    def test_decision_records_have_one_form_and_an_index_row(self):
        sections = ["Status", "Context", "Decision", "Consequences", "Alternatives"]
        index = dict(re.findall(r"(?m)^\| \[\d{3}\]\(([^)]+)\) \| (.+) \|$", read("docs/decisions/README.md")))
        records = sorted(f for f in os.listdir(f"{ROOT}/docs/decisions") if f != "README.md")
        self.assertEqual(sorted(index), records, "docs/decisions/README.md needs one row for each record")
        numbers = [f[:3] for f in records]
        self.assertEqual(numbers, sorted(set(numbers)), "two records share a number")
        for name in records:
            text = read(f"docs/decisions/{name}")
            title = re.match(rf"# {name[:3]}: (.+)\n\n", text)
            self.assertTrue(title, f"{name}: the first line must be `# {name[:3]}: Title`")
            self.assertEqual(re.findall(r"(?m)^\*\*(\w+)\.\*\*", text), sections, name)
            status = re.search(r"(?m)^\*\*Status\.\*\* (Accepted|Superseded)\.", text)
            self.assertTrue(status, f"{name}: the status must be `Accepted.` or `Superseded.`, then optional text")
            self.assertTrue(index[name].startswith(f"{title[1]} | {status[1]} | "), f"{name}: title or status differ in the index")


if __name__ == "__main__":
    unittest.main()
