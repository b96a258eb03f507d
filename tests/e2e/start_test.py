"""Startup in difficult environments: closed descriptors, an output that cannot be written, few descriptors, no HOME,
ports in use, a full or read-only disk. A program that cannot work ends with one line that names the remedy."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, LIMIT, ProgramTest, run, wait_until  # noqa: E402


def shell(command, limit=60, env=None):
    """Runs a shell command with the programs in PATH. Returns its status and standard error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
    environment["PATH"] = BIN + ":" + environment["PATH"]
    for name, value in (env or {}).items():
        environment.pop(name, None) if value is None else environment.update({name: value})
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, errors="replace", timeout=limit, env=environment, check=False)
    return done.returncode, done.stderr


class FirstMessageTest(ProgramTest):
    def test_sends_what_needs_no_second_reading_at_once_and_rates_with_the_next_tick(self):
        server = self.start_server()
        started = time.time_ns()
        agent = self.start_agent("a", server)
        agent.says("stream to the server established")
        wait_until(lambda: len(self.batches("a")) >= 2, "two batches")
        first, second = self.batches("a")[:2]
        (frame,) = first["frames"]
        names = {series["name"] for series, _ in frame["points"]}
        self.assertLess(frame["time"] - started, 900_000_000, "before the first tick of the schedule")
        self.assertIn("system.memory.utilization", names)
        self.assertFalse({name for name in names if "cpu" in name or name.endswith(".io")}, "no rate is made up")
        self.assertEqual(first["counters"]["ticks_due"], 1)
        self.assertEqual(first["counters"]["points_made"], len(frame["points"]))
        (later,) = second["frames"]
        self.assertLess(abs(later["time"] - frame["time"] - 1_000_000_000), 400_000_000, "the schedule is as before")
        self.assertIn("system.cpu.utilization", {series["name"] for series, _ in later["points"]})


class StandardDescriptorsTest(ProgramTest):
    def test_replaces_closed_standard_descriptors_with_dev_null(self):
        for name, arguments in (("monitor-agent", ["--agent-id", "t", "--server", "127.0.0.1:1", "--config-dir", self.data]),
                                ("monitor-server", ["--port", "0", "--http", "off", "--log", f"sqlite:{self.data}/log.db"])):
            process = subprocess.Popen(["bash", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "bash", os.path.join(BIN, name), *arguments, "--data", self.data],
                                       env={"PATH": os.environ["PATH"]})
            self.addCleanup(process.kill)
            lock = os.path.join(self.data, "agent/t/lock" if name == "monitor-agent" else "log.db-writer")
            wait_until(lambda path=lock: os.path.exists(path) and os.path.getsize(path) > 0, f"{name} to take its lock")
            for fd in ("0", "1", "2"):
                self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null", (name, fd))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(LIMIT), 0)
            with open(lock, encoding="utf-8") as file:
                self.assertRegex(file.read(), r"^process \d+ \(\S+\)\n$", "the lock file names its owner and contains no log lines")

    def test_a_reader_without_standard_output_exits_with_74(self):
        server = self.start_server()
        agent = self.start_agent("a", server, "--simulate")
        agent.says("stream")
        agent.says(r"first values collected series=\d+ points=\d+ tick_us=\d+")
        wait_until(lambda: self.batches(), "a stored batch")
        for command in ("get-metrics --from earliest --timeout 5", "ledger"):
            status, err = shell(f"timeout 20 monitor-analysis {command} --log sqlite:{self.data}/log.db --data {self.data} >&-")
            self.assertEqual(status, 74, err)
            self.assertIn("standard output is closed", err)

    def test_timeout_stops_a_reader_cleanly(self):
        """timeout(1) signals the process and then its process group, so the process gets the signal twice."""
        self.start_server()
        status, err = shell(f"timeout 1 monitor-analysis get-metrics --log sqlite:{self.data}/log.db --data {self.data}")
        self.assertEqual(status, 124, err)
        self.assertNotIn("second signal", err)
        self.assertIn("get-metrics ended", err)

    def test_every_program_exits_with_74_if_its_output_cannot_be_written(self):
        where = f"--dir {self.data}/monitor"
        self.assertEqual(run("monitor-config", "--agent-id", "a", "--interval", "5", "--dir", f"{self.data}/monitor")[0], 0)
        commands = [f"monitor-config {c}" for c in (f"get --agent-id a {where}", f"list {where}", f"explain --agent-id a {where}", "schema",
                                                    f"status {where}", "schema --format markdown")]
        commands += [f"{p} --help" for p in ("monitor", "monitor-agent", "monitor-server", "monitor-analysis", "monitor-config", "monitor-load",
                                             "monitor-plugin")]
        commands += [f"{p} --generate man" for p in ("monitor-agent", "monitor-config")]
        commands += ["monitor-agent --version", "monitor-plugin list", f"monitor-agent --once --simulate --data {self.data}",
                     f"monitor up --duration 20s --simulate --interval 0.2 --data {self.data}/up --web off"]
        for command in commands:
            status, err = shell(command + " >/dev/full")
            self.assertEqual(status, 74, f"{command}\n{err}")
            self.assertIn("No space left on device", err, command)
            self.assertNotIn("internal error", err, command)

    def test_a_closed_pipe_is_not_a_failure(self):
        status, err = shell("set -o pipefail; monitor-config schema | head -c 10 >/dev/null")
        self.assertEqual((status, err), (0, ""))


class SurroundingsTest(ProgramTest):
    def up(self, *arguments, prefix="", env=None, limit=60):
        command = f"{prefix} timeout 30 monitor up --data {self.data}/d --simulate {' '.join(arguments)} >/dev/null"
        return shell(command, limit, env)

    def test_runs_with_64_descriptors(self):
        status, err = self.up("--duration 2s", "--port 0 --http off --web 127.0.0.1:0", prefix="ulimit -n 64;")
        self.assertEqual(status, 0, err)

    def test_error_without_home_names_the_option(self):
        if os.geteuid() == 0:  # a user without a home and without rights elsewhere
            command = "setpriv --reuid 64999 --regid 64999 --clear-groups monitor-agent --once --simulate"
            shutil.copytree(BIN, f"{self.data}/bin", ignore=shutil.ignore_patterns("*_test"))
            os.chmod(self.data, 0o755)
            status, err = shell(f"PATH={self.data}/bin:$PATH; cd /; {command}", env={"HOME": None, "XDG_STATE_HOME": None})
        else:
            status, err = shell("monitor-agent --once --simulate", env={"HOME": None, "XDG_STATE_HOME": None})
            if status == 0:  # the password database has a home directory
                return
        self.assertEqual(status, 64, err)
        self.assertRegex(err, r"HOME is not set; set one with --data")

    def test_a_second_instance_finds_free_ports(self):
        running, places = [], []
        for folder in ("1", "2"):
            up = self.start("monitor", "up", "--data", f"{self.data}/{folder}", "--simulate", "--interval", "0.5")
            places.append((up.says(r"server listens on (\S+)").group(1), up.says(r"web page: (\S+)").group(1)))
            up.prints(r"^\d{4}-")
            running.append(up)
        self.assertNotEqual(places[0][0], places[1][0])
        self.assertNotEqual(places[0][1], places[1][1])
        for up in reversed(running):
            self.assertEqual(up.stop(signal.SIGINT), 0)

    def test_error_about_a_read_only_folder_names_the_option(self):
        folder = f"{self.data}/ro"
        os.mkdir(folder)
        status, err = shell(f"unshare -m sh -c 'mount -t tmpfs -o ro,size=1m none {folder} && monitor up --data {folder}'")
        self.assertEqual(status, 74, err)
        self.assertRegex(err, r"Read-only file system; choose another folder with --data")

    def test_a_full_disk_fails_without_damage(self):
        folder = f"{self.data}/full"
        os.mkdir(folder)
        fill = f"mount -t tmpfs -o size=300k none {folder} && dd if=/dev/zero of={folder}/fill bs=1k status=none;"
        status, err = shell(f"unshare -m sh -c '{fill} monitor up --simulate --duration 4s --data {folder} --port 0 --http off "
                            f"--web 127.0.0.1:0 >/dev/null; code=$?; ls {folder} >&2; exit $code'")
        self.assertEqual(status, 74, err)
        self.assertIn("free space on that disk", err)
        shown = [line for line in err.splitlines() if "cannot write the metric log" in line]
        self.assertEqual(len(shown), err.count("monitor-server ended with"), "each occurrence of the error is shown once")
        self.assertNotIn("damaged", err)

    def test_simulate_does_not_read_the_host(self):
        # Without /proc and /sys, only simulated values can be printed.
        nothing = ["--procfs", f"{self.data}/none", "--sysfs", f"{self.data}/none", "--data", self.data, "--format", "json"]
        for form in (["--simulate"], ["--simulate=7"], ["--simulate", "7"]):
            status, out, err = run("monitor-agent", "--once", *form, *nothing)
            self.assertEqual(status, 0, err)
            self.assertIn("system.cpu.utilization", out, form)
        status, out, err = run("monitor-agent", "--once", *nothing, env={"MONITOR_AGENT_SIMULATE": "3"})
        self.assertEqual(status, 0, err)
        self.assertIn("system.cpu.utilization", out)
        self.assertNotIn("system.cpu.utilization", run("monitor-agent", "--once", *nothing)[1])

    def test_error_about_a_port_states_the_range(self):
        for program, arguments in (("monitor-server", ["--port", "99999"]), ("monitor", ["up", "--port", "99999"])):
            status, _, err = run(program, *arguments, "--data", self.data)
            self.assertEqual(status, 64, err)
            self.assertRegex(err, r"--port.*99999.*65535", program)


class BuildScriptsTest(unittest.TestCase):
    """`tools/build` and `tools/packages` with fakes for the programs that they call."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="monitor-scripts-")
        self.addCleanup(shutil.rmtree, self.root, True)
        source = os.path.join(os.path.dirname(__file__), "..", "..", "tools")
        os.makedirs(f"{self.root}/tools")
        os.makedirs(f"{self.root}/fake")
        for name in ("build", "packages", "progress"):
            shutil.copy(os.path.join(source, name), f"{self.root}/tools/{name}")

    def fake(self, name, script):
        path = f"{self.root}/fake/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/usr/bin/env bash\n" + script)
        os.chmod(path, 0o755)

    def call(self, *command):
        environment = {**os.environ, "PATH": f"{self.root}/fake:{os.environ['PATH']}"}
        done = subprocess.run(["bash", *command], cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_configures_a_stale_build_folder_from_scratch(self):
        self.fake("cmake", 'echo "cmake $*" >>calls; case "$*" in *--fresh*|--build*) exit 0;; *) echo "CMake Error: generator differs"; exit 1;; esac')
        self.assertEqual(self.call("tools/build", "run")[0], 0)
        with open(f"{self.root}/calls", encoding="utf-8") as file:
            calls = file.read().splitlines()
        self.assertEqual(calls, ["cmake --preset release -DMONITOR_TESTS=OFF", "cmake --fresh --preset release -DMONITOR_TESTS=OFF",
                                 "cmake --build --preset release --target programs"])

    def test_a_failed_build_reports_the_error_and_the_next_step(self):
        for output, advice in (("x.cc:1: error: no such thing", "remove build/release"),
                               ("c++: fatal error: Killed signal terminated program cc1plus", "CMAKE_BUILD_PARALLEL_LEVEL=1"),
                               ("fatal error: writing: No space left on device", "free some space")):
            self.fake("cmake", f'case "$*" in --build*) echo "[1/9] Building x"; echo "{output}"; exit 1;; esac')
            status, out, err = self.call("tools/build", "run")
            self.assertEqual((status, out), (70, ""))
            self.assertIn(output, err)
            self.assertRegex(err, rf"(?m)^Next: .*{re.escape(advice)}")
            self.assertIn("build/logs/build.log", err)

    def test_progress_is_sparse_without_a_terminal(self):
        self.fake("cmake", 'for i in $(seq 400); do echo "[$i/400] Building CXX object $i"; done')
        status, out, err = self.call("tools/build", "run")
        self.assertEqual((status, out), (0, ""))
        self.assertLess(len(err.splitlines()), 8, err)
        self.assertRegex(err, r"building: done in \d+ s")

    def test_an_unreachable_mirror_is_reported_with_a_remedy(self):
        self.fake("dpkg-query", "exit 1")
        self.fake("sudo", '[ "$1" = -v ] || exec "$@"')
        self.fake("apt-get", 'echo "Err:1 http://mirror Temporary failure resolving mirror"; echo "E: Unable to fetch"; '
                             'case "$*" in *install*) exit 100;; esac')
        status, out, err = self.call("tools/packages", "install", "run")
        self.assertEqual((status, out), (69, ""))
        self.assertRegex(err, r"(?m)^Next: this machine cannot reach its package mirror")
        self.assertIn("build/logs/packages.log", err)

    def test_a_build_without_tests_needs_none_of_their_dependencies(self):
        """The programs can be configured on a machine with GoogleTest but without grpc++."""
        folder = f"{self.root}/pkgconfig"
        os.mkdir(folder)
        paths = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], capture_output=True, text=True, check=True).stdout
        for path in paths.strip().split(":"):
            for name in os.listdir(path) if os.path.isdir(path) else []:
                if not name.startswith(("grpc", "gtest", "gmock")):
                    os.symlink(os.path.join(path, name), f"{folder}/{name}")
        source = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
        environment = {**os.environ, "PKG_CONFIG_LIBDIR": folder}
        done = subprocess.run(["cmake", "-S", source, "-B", f"{self.root}/out", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"], env=environment,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
