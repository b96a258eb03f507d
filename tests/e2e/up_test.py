"""`monitor up`: starts all programs on this machine with one command, and stops them."""
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import frames as h2  # noqa: E402
from programs import BIN, ProgramTest, free_port, run, wait_until  # noqa: E402


def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                text = stat.read()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append((int(entry), text[text.index("(") + 1 : text.rindex(")")]))
    return found


class UpTest(ProgramTest):
    def up(self, *arguments):
        return self.start("monitor", "up", "--data", self.data, "--port", "0", "--http", "off", "--web", "127.0.0.1:0", *arguments)

    def test_prints_values_within_five_seconds_and_ends_cleanly_on_ctrl_c(self):
        start = time.monotonic()
        up = self.up()
        row = up.prints(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*\s+\S+\s+(\d+\.\d)\s+(\d+\.\d)\s+([\d,]+) / ([\d,]+)", limit=5)
        self.assertLess(time.monotonic() - start, 5)
        total = int(row.group(4).replace(",", ""))
        with open("/proc/meminfo", encoding="ascii") as meminfo:
            kib = int(re.search(r"MemTotal:\s+(\d+)", meminfo.read()).group(1))
        self.assertEqual(total, round(kib / 1024))
        self.assertIn("CPU %", up.out[0])
        children = [pid for pid, _ in children_of(up.process.pid)]
        self.assertEqual(len(children), 4)
        start = time.monotonic()
        self.assertEqual(up.stop(signal.SIGINT), 0)
        self.assertLess(time.monotonic() - start, 5)
        for pid in children:
            self.assertFalse(os.path.exists(f"/proc/{pid}"), "no program keeps running")

    def put_away(self, name):
        """Another log takes the place of the data folder's."""
        os.makedirs(f"{self.data}/{name}", exist_ok=True)
        for file in os.listdir(self.data):
            if file.startswith("log.db"):
                os.rename(f"{self.data}/{file}", f"{self.data}/{name}/{file}")

    def ledger(self, folder):
        log = f"sqlite:{folder}/log.db"
        status, out, err = run("monitor-analysis", "ledger", "--log", log, "--format", "json", "--missing-after", 0)
        return status, [json.loads(line) for line in out.splitlines()], err

    def test_batches_in_another_log_are_elsewhere_and_losses_are_missing(self):
        def up_for_a_while():
            self.assertEqual(self.up("--duration", "4s", "--interval", "0.5").ends(), 0)

        first, second = f"{self.data}/first", f"{self.data}/second"
        up_for_a_while()
        self.put_away("first")
        up_for_a_while()
        self.put_away("second")
        for file in os.listdir(first):
            os.rename(f"{first}/{file}", f"{self.data}/{file}")
        up_for_a_while()

        status, rows, err = self.ledger(second)
        self.assertEqual((status, len(rows)), (0, 2), err)
        own, old = sorted(rows, key=lambda row: row["batches_stored"] == 0)
        self.assertEqual(old["missing"] + own["missing"] + own["elsewhere"], [])
        [[begin, end]] = old["elsewhere"]
        self.assertEqual((begin, old["batches_stored"]), (1, 0))
        self.assertRegex(err, rf"elsewhere={end} ")
        status, out, _ = run("monitor-analysis", "ledger", "--log", f"sqlite:{second}/log.db", "--missing-after", 0)
        self.assertIn(f"in the log {old['other_logs'][0]}", out)
        self.assertIn(f"nothing is missing, {end} went to another log", out)

        status, rows, err = self.ledger(self.data)
        self.assertEqual((status, [row["missing"] for row in rows]), (0, [[]] * 3), err)
        away = next(row for row in rows if row["batches_stored"] == 0)
        self.assertEqual((away["incarnation"], away["elsewhere"]), (own["incarnation"], [[1, own["last_sequence"]]]))

        with contextlib.closing(sqlite3.connect(f"{second}/log.db")) as db, db:
            one, two = (f"json_extract(headers, '$.sequence') = '{sequence}'" for sequence in (1, 2))
            db.execute(f"UPDATE records SET value = (SELECT value FROM records WHERE {one}) WHERE {two}")
        status, rows, err = self.ledger(second)
        self.assertEqual(status, 1, err)
        lost = next(row for row in rows if row["incarnation"] == own["incarnation"])
        self.assertEqual(lost["missing"], [[2, 2]], "what this log acknowledged and does not have is lost")

    def test_a_second_start_continues_and_stops_after_duration(self):
        for _ in range(2):
            up = self.up("--duration", "3s", "--interval", "1")
            self.assertEqual(up.ends(), 0)
            up.says(r"interval 1 written to \S+\.json")
            self.assertGreaterEqual(sum(bool(re.match(r"\d{4}-", line)) for line in up.out), 2)
        batches = self.batches()
        self.assertEqual(len({b["incarnation"] for b in batches}), 2)
        self.assertEqual(len(up.out) - 1, sum(len(b["frames"]) for b in batches if b["incarnation"] == batches[-1]["incarnation"]),
                         "the second run shows only new ticks")

    def test_other_programs_find_the_running_instance(self):
        up = self.up("--interval", "0.5", "--agent-id", "here", "--simulate")
        up.says(r"web page: http://\S+/ \(changes need the token in " + re.escape(f"{self.data}/web-token"))
        up.prints(r"^\d{4}-")
        for where in ([], ["--data", self.data]):
            status, out, err = run("monitor-analysis", "get-metrics", "--count", "1", "--format", "json", *where)
            self.assertEqual((status, json.loads(out)["agent"]), (0, "here"), err)
            self.assertIn(f"log=sqlite:{self.data}/log.db", err)
            self.assertIn(f"process={up.process.pid}", err)
            status, out, err = run("monitor-analysis", "ledger", *where)
            self.assertEqual(status, 0, err)
            self.assertIn("here", out)
            status, out, err = run("monitor-config", "status", "--format", "json", *where)
            self.assertEqual((status, json.loads(out)["agent"]), (0, "here"), err)
            self.assertIn(f"configuration={self.data}/monitor", err)
        self.assertEqual(run("monitor-config", "list")[1], "/monitor/config/here\n")
        self.assertEqual(json.loads(run("monitor-config", "get", "--agent-id", "here")[1])["interval"], 0.5)
        load = run("monitor-load", "stream", "--agents", "2", "--duration", "0.5s", "--interval", "100ms", "--verify", "--format", "json")
        self.assertEqual(load[0], 0, load[2])
        self.assertTrue(json.loads(load[1]))
        second = self.start("monitor-agent", "--agent-id", "second", "--data", self.data, "--simulate")
        second.says("stream to the server established")
        # Explicit options win.
        other = f"{self.data}/other"
        os.mkdir(other, 0o700)
        self.assertEqual(run("monitor-config", "list", "--dir", other)[:2], (0, ""))
        self.assertEqual(run("monitor-config", "list", "--data", other)[:2], (0, ""))
        self.assertEqual(run("monitor-config", "list", env={"MONITOR_CONFIG_DIR": other})[:2], (0, ""))
        status, _, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{other}/log.db")
        self.assertIn(f"{other}/log.db", err)
        # With two instances, the user must choose one.
        beside = self.start("monitor", "up", "--data", f"{self.data}/beside", "--port", "0", "--http", "off", "--web", "off", "--simulate")
        beside.prints(r"^\d{4}-")
        status, _, err = run("monitor-config", "list")
        self.assertEqual(status, 64)
        self.assertRegex(err, rf"is running more than once, on \S+ and on \S+; choose one with --data")
        self.assertEqual(run("monitor-config", "list", "--data", self.data)[:2], (0, "/monitor/config/here\n"))
        beside.kill()  # it leaves its address file behind
        self.assertEqual(run("monitor-config", "list")[:2], (0, "/monitor/config/here\n"))
        second.stop()
        self.assertEqual(up.stop(), 0)
        self.assertFalse(os.path.exists(f"{self.data}/running.json"))
        # No instance is running: with --data, the programs use the stored log and documents; otherwise the default
        # services, which do not exist in this network namespace.
        self.assertEqual(run("monitor-analysis", "ledger", "--data", self.data)[0], 0)
        self.assertEqual(run("monitor-config", "list", "--data", self.data)[:2], (0, "/monitor/config/here\n"))
        alone = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        status, _, err = run(*alone, f"{BIN}/monitor-config", "list")
        self.assertEqual(status, 69, err)
        self.assertRegex(err, "set --etcd, --dir or --data")
        status, _, err = run(*alone, f"{BIN}/monitor-analysis", "ledger", "--timeout", "1")
        self.assertEqual(status, 69, err)
        self.assertRegex(err, "set --log, --kafka or --data")

    def test_prints_csv(self):
        up = self.up("--duration", "2s", "--format", "csv", "--simulate=7")
        self.assertEqual(up.ends(), 0)
        self.assertEqual(up.out[0], "time,agent,metric,labels,unit,value")
        self.assertTrue(any("system.disk.io.rate,disk.io.direction=read,By/s," in line for line in up.out))

    def test_restarts_a_killed_program(self):
        up = self.up("--interval", "0.2")
        up.prints(r"^\d{4}-")
        for name in ("monitor-server", "monitor-agent", "monitor-analysi"):  # the kernel keeps 15 characters
            # Of the two readers, the printing one was started first.
            pid = wait_until(lambda name=name: sorted(p for p, n in children_of(up.process.pid) if n.startswith(name)), name)[0]
            os.kill(pid, signal.SIGKILL)
            up.says(rf"{name}\S* ended with signal 9; restarting it in 1 s")
            seen = len(up.out)
            up.prints(r"^\d{4}-", count=seen + 3)
        self.assertEqual(up.stop(), 0)

    def test_error_about_a_port_in_use_names_the_option(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            status, out, err = run("monitor", "up", "--data", self.data, "--port", port, "--http", "off")
            self.assertEqual(status, 69, err)
            self.assertIn(str(port), err)
            self.assertIn("--port", err)
            self.assertEqual(out, "")
            status, _, err = run("monitor", "up", "--data", self.data, "--port", "0", "--http", f"127.0.0.1:{port}")
            self.assertEqual(status, 69, err)
            self.assertIn("--http", err)
            status, out, err = run("monitor", "up", "--data", self.data, "--port", "0", "--http", "off", "--web", f"127.0.0.1:{port}")
            self.assertEqual((status, out), (69, ""), err)
            self.assertRegex(err, rf"{port}.*choose another with --web ADDR:PORT, or --web off")
            self.assertNotIn("--http", err)
            # Started alone, the page has its own option and cannot be disabled.
            status, _, err = run("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", f"127.0.0.1:{port}")
            self.assertEqual(status, 69, err)
            self.assertRegex(err, rf"{port}.*choose another with --http ADDR:PORT(?!,)")

    def test_serves_the_page_and_restarts_it(self):
        up = self.up("--interval", "1")
        url = up.says(r"web page: (http://\S+/)").group(1)

        def fleet():
            try:
                with urllib.request.urlopen(f"{url}api/v1/fleet", timeout=5) as answer:
                    return [a for a in json.load(answer)["agents"] if a["figures"][0] is not None]
            except OSError:
                return []

        self.assertEqual(wait_until(fleet, "values on the page")[0]["health"], "alive")
        self.forge_log_lines(url, up.says(r"server listens on (\S+)").group(1))
        page = max(p for p, n in children_of(up.process.pid) if n.startswith("monitor-analysi"))
        os.kill(page, signal.SIGKILL)
        up.says(r"monitor-web ended with signal 9; restarting it in 1 s")
        wait_until(fleet, "the page at the same address")
        for said, address in (("web page: ", url), ("server listens on ", up.says(r"server listens on (\S+)").group(1))):
            self.assertEqual({line.split(said)[1].split()[0] for line in up.err if said in line}, {address}, "only genuine addresses")
        self.assertEqual(up.stop(), 0)
        off = self.start("monitor", "up", "--data", self.data, "--port", "0", "--http", "off", "--web", "off", "--duration", "2s")
        self.assertEqual(off.ends(), 0)
        self.assertFalse(any("web page" in line for line in off.err))

    def forge_log_lines(self, url, server):
        """Makes the programs log untrusted text that looks like their own log lines."""
        forged = "x 2026-11-22T12:00:00.123Z INFO listening service={} address=evil.example:1 ERROR x"
        request = urllib.request.Request(f"{url}api/v1/config/document?key=/monitor/defaults", b"{}", method="PUT",
                                         headers={"Authorization": "Bearer wrong-token-0000", "X-Forwarded-For": forged.format("web")})
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=5)
        host, port = server.rsplit(":", 1)
        agent = socket.create_connection((host, int(port)), timeout=5)
        self.addCleanup(agent.close)
        agent.sendall(h2.PREFACE + h2.settings() + h2.headers(1, h2.request(h2.PUBLISH)) + h2.data(1, h2.hello("evil", forged.format("grpc"))))

        def logged(name, what):
            with open(f"{self.data}/logs/{name}.log", encoding="utf-8") as file:
                return any(what in line and "evil.example" in line for line in file)

        wait_until(lambda: logged("monitor-web", "change refused"), "the page to log it")
        wait_until(lambda: logged("monitor-server", "stream opened agent=evil"), "the server to log it")

    def test_rejects_a_second_instance_on_the_same_data(self):
        up = self.up()
        up.prints(r"^\d{4}-")
        status, _, err = run("monitor", "up", "--data", self.data, "--port", "0", "--http", "off")
        self.assertEqual(status, 75)
        self.assertIn(f"in use by process {up.process.pid}", err)

    def test_rejects_wrong_arguments(self):
        for arguments, part in ((["--interval", "0"], "10 ms to 24 h"), (["--web", "nowhere"], "--web"), (["--duration", "soon"], "--duration"),
                                (["--format", "xml"], "--format"), (["--prot", "1"], "did you mean --port")):
            status, _, err = run("monitor", "up", "--data", self.data, *arguments)
            self.assertEqual(status, 64, err)
            self.assertIn(part, err)

    def test_programs_end_with_a_killed_supervisor(self):
        up = self.up()
        up.prints(r"^\d{4}-")
        children = [pid for pid, _ in children_of(up.process.pid)]
        up.kill()
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "the programs to end")


if __name__ == "__main__":
    unittest.main()
