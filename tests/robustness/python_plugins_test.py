#!/usr/bin/env python3
"""Hostile plugins in Python: in a real agent, which misses no tick for them, and reports the reason of each failure; and
attacks on the agent and its machine, each in a host of its own, with this program as the agent."""
import os
import resource
import shutil
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from plugin_host import CONFINED, LOADED, PythonHost, series, whole  # noqa: E402
from plugins import PluginTest  # noqa: E402
from programs import wait_until  # noqa: E402

SOURCE = """import array, asyncio, builtins, collections, concurrent.futures, ctypes, fcntl, gc, importlib, inspect, io, json, logging
import mmap, multiprocessing, os, pickle, random, re, resource, select, shutil, signal, socket, struct, subprocess, sys, tempfile
import threading, time, traceback, types, urllib.request, weakref
from agent.plugins.base import BasePlugin
from shared import monitoring_pb2

class P(BasePlugin):
    def run(self, metrics_request):
{body}
        return metrics_request
"""
LATE = r"did not answer within"
# What run() does -> the reason of the failure.
FAULTS = {
    "fork": ("while True: os.fork()", r"called (clone|fork)"),
    "forkpty": ("import pty; pty.fork()", r"called|PermissionError|OSError"),
    "os_exit": ("os._exit(0)", r"ended its process with status 0"),
    "sys_exit": ("sys.exit(1)", r"SystemExit: 1"),
    "exit_in_thread": ("threading.Thread(target=os._exit, args=(7,)).start(); time.sleep(9)", r"ended its process with status 7"),
    "loop": ("while True: pass", LATE),
    "loop_in_c": ("sum(iter(int, 1))", LATE),
    "regex": ("re.match('(a*)*b', 'a' * 64)", LATE),
    "power": ("10 ** 10 ** 10", LATE + "|MemoryError"),
    "sleep": ("time.sleep(99)", LATE),
    "catches_all": ("while True:\n            try: time.sleep(9)\n            except BaseException: pass", LATE),
    "segfault": ("ctypes.string_at(0)", r"signal 11"),
    "wild_write": ("ctypes.memset(0x1000, 1, 8)", r"signal 11"),
    "abort": ("os.abort()", r"signal 6"),
    "bad_object": ("ctypes.cast(id(self), ctypes.POINTER(ctypes.c_long))[1] = 0; del self.x", r"signal 11|AttributeError|did not answer|it closed"),
    "bytecode": ("def f(): pass\n        f.__code__ = f.__code__.replace(co_code=b'd\\xff' * 40, co_stacksize=1); f()", r"signal|Error|did not answer"),
    "memory": ("x = b'x' * (10 << 30)", r"MemoryError"),
    "memory_slowly": ("x = []\n        while True: x.append(bytearray(1 << 20))", r"MemoryError|" + LATE),
    "memory_objects": ("x = []\n        while True: x = [x, {}]", r"MemoryError|signal|did not answer"),
    "recursion": ("def f(): f()\n        f()", r"RecursionError"),
    "recursion_in_c": ("sys.setrecursionlimit(10 ** 9)\n        def f(): f()\n        f()", r"signal 11|MemoryError|did not answer"),
    "recursion_of_reprs": ("x = []\n        for _ in range(10 ** 5): x = [x]\n        repr(x)", r"RecursionError"),
    "close_all": ("os.closerange(0, 100)", r"closed its channel|signal|ended its process|did not answer"),
    "close_channel": ("os.close(3)", r"closed its channel|ended its process|did not answer"),
    "garbage": ("os.write(3, b'x' * 100)", r"an invalid message"),
    "forged_result": ("import struct; os.write(3, struct.pack('<HHHHIIII', 0x504D, 1, 18, 0, 1, 2, 4, 0) + b'\\xff' * 4)", r"it sent"),
    "forged_confined": ("os.write(3, struct.pack('<HHHHIIII', 0x504D, 1, 35, 0, 1, 0, 4, 0) + b'\\0' * 4)", r"unexpected report"),
    "channel_flood": ("while True: os.write(3, struct.pack('<HHHHIIII', 0x504D, 1, 33, 0, 1, 0, 9, 0) + b'\\1\\0\\0\\0\\1\\0\\0\\0x')",
                      r"unsolicited messages|did not answer"),
    "kill_parent": ("os.kill(os.getppid(), 9)", r"called kill"),
    "kill_all": ("os.kill(-1, 9)", r"called kill"),
    "kill_group": ("os.killpg(0, 9)", r"called kill"),
    "alarm": ("signal.alarm(1)", r"called (alarm|setitimer)"),
    "timer": ("signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)", r"called setitimer"),
    "sigsys": ("signal.signal(signal.SIGSYS, signal.SIG_IGN)", r"OSError|PermissionError"),
    "raise_signal": ("signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.raise_signal(signal.SIGTERM)", r"signal 15"),
    "system": ("if os.system('id'): raise OSError('refused')", r"called|signal 31"),
    "subprocess": ("subprocess.run(['/bin/true'])", r"PermissionError|called"),
    "exec": ("os.execv('/bin/true', ['true'])", r"called execve"),
    "multiprocessing": ("multiprocessing.Process(target=print).start()", r"called|PermissionError|ModuleNotFoundError"),
    "open": ("open('/etc/passwd')", r"PermissionError"),
    "write": ("open('/tmp/monitor-bad-python', 'w')", r"PermissionError"),
    "tempfile": ("tempfile.TemporaryFile()", r"PermissionError|FileNotFoundError"),
    "listdir": ("os.listdir('/')", r"PermissionError"),
    "remove": ("os.remove('/tmp/x')", r"PermissionError|called"),
    "chmod": ("os.chmod('/tmp', 0o777)", r"PermissionError|called"),
    "socket": ("socket.create_connection(('127.0.0.1', 1))", r"PermissionError"),
    "url": ("urllib.request.urlopen('http://127.0.0.1:1/')", r"PermissionError|URLError"),
    "asyncio": ("asyncio.run(asyncio.sleep(0))", r"PermissionError"),
    "ptrace": ("ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)", r"called ptrace"),
    "memory_of_agent": ("ctypes.CDLL(None).process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)", r"called process_vm_readv"),
    "limits": ("resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (8, 8))", r"PermissionError|OSError"),
    "priority": ("os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)", r"called"),
    "monkeypatch": ("for name in dir(builtins):\n            try: setattr(builtins, name, None)\n            except Exception: pass\n        metrics_request.metrics", r"."),
    "breaks_the_glue": ("import __main__; __main__.Glue.run = lambda *a: 5", r"changed the host"),
    "breaks_results": ("monitoring_pb2.result_of = lambda *a: [10 ** 30]; return monitoring_pb2.MetricsRequest()", r"not in the tick"),
    "breaks_series": ("monitoring_pb2.result_of = lambda *a: [(77, 1.0, -1)]; return monitoring_pb2.MetricsRequest()", r"does not exist"),
    "no_gc": ("gc.set_threshold(0); sys.setswitchinterval(100); threading.Thread(target=lambda: exec('while True: pass'), daemon=True).start()\n"
              "        time.sleep(0.01)", LATE),
    "many_threads": ("for _ in range(1000): threading.Thread(target=time.sleep, args=(9,)).start()", r"threads: it has|RuntimeError|MemoryError|did not answer"),
    "million_points": ("metrics_request.metrics = [monitoring_pb2.Metric('a', 1)] * 10 ** 6", r"1000000 points"),
    "bad_text": ("metrics_request.metrics.add(name='\\udcff', value=1)", r"UnicodeEncodeError"),
    "nan_name": ("metrics_request.metrics.add(name=float('nan'), value=1)", r"must be a str"),
    "endless_list": ("class L(list):\n            def __iter__(self):\n                while True: yield monitoring_pb2.Metric('a', 1)\n"
                     "        metrics_request._metrics = L()", r"MemoryError|did not answer"),
    "endless_str": ("class E(Exception):\n            def __str__(self):\n                while True: pass\n        raise E", LATE),
    "shared_memory": ("m = mmap.mmap(-1, 1 << 30)", r"PermissionError"),
    "new_code": ("m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)", r"PermissionError"),
}
# Undesirable, but no failures.
NOISE = {
    "stdout": "for _ in range(2000): print('x' * 1000)",
    "stderr": "os.write(2, b'\\xff\\0\\x1b[2J' * 1000)",
    "threads": "threading.Thread(target=time.sleep, args=(9,), daemon=True).start() if not hasattr(self, 't') else None; self.t = 1",
    "busy_thread": "self.t = getattr(self, 't', None) or (threading.Thread(target=lambda: [time.sleep(0.0001) for _ in range(10 ** 9)], daemon=True), 1)\n"
                   "        self.t[0].start() if not self.t[0].is_alive() else None",
    "log": "for _ in range(1000): logging.warning('x' * 100)",
}
GROUP = 8  # plugins in one chain
SHORT = ("fork os_exit sys_exit loop segfault memory recursion close_all garbage kill_parent subprocess open socket monkeypatch breaks_the_glue "
         "million_points").split()


class BadPlugins(PluginTest):
    def put_fault(self, name, body):
        self.put_python(name, SOURCE.format(body="        " + body))

    def go_through(self, names):
        """The plugins are shadows: each fails for itself, and all ticks reach the log."""
        server = self.start_server()
        self.document([], interval=0.25)
        agent = self.run_agent(server)
        for at in range(0, len(names), GROUP):
            group = names[at:at + GROUP]
            for name in group:
                self.put_fault(name, FAULTS[name][0])
            self.document([{"name": f"agent.plugins.{name}.P", "shadow": True, "deadline": 0.5} for name in group], interval=0.25)
            for name in group:
                with self.subTest(fault=name):
                    status = self.until_status(f"agent.plugins.{name}.P", lambda s: s["failed"] > 0, f"{name} to fail")
                    self.assertRegex(status["error"], FAULTS[name][1])
                    agent.says(rf"plugin (failed|quarantined).*plugin=agent.plugins.{name}.P.*({FAULTS[name][1]})")
        self.document([], interval=0.25)
        wait_until(lambda: not self.hosts(agent), "all hosts to end")
        self.assertEqual(self.metric(agent, "ticks_missed_total"), 0)
        self.assertEqual(agent.stop(), 0)
        agent.says(r"agent stopped .*unsent=0")
        self.assertFalse(os.path.exists("/tmp/monitor-bad-python"))
        self.assertNotIn("root:", "\n".join(agent.err))
        self.assertTrue(self.batches("a"))

    def test_hostile_plugins_cost_no_ticks(self):
        self.go_through(SHORT)

    def test_every_hostile_plugin_costs_no_ticks(self):
        self.go_through([name for name in FAULTS if name not in SHORT])

    def test_noisy_plugins_cost_no_ticks(self):
        self.document([], interval=0.25)
        agent = self.run_agent()
        for name, body in NOISE.items():
            self.put_fault(name, body)
        self.document([{"name": f"agent.plugins.{name}.P", "shadow": True, "deadline": 5} for name in NOISE], interval=0.25)
        for name in NOISE:
            self.until_status(f"agent.plugins.{name}.P", lambda s: s["ticks"] > 4, f"{name} to run")
        self.document([], interval=0.25)
        wait_until(lambda: not self.hosts(agent), "all hosts to end")
        self.assertEqual(self.metric(agent, "ticks_missed_total"), 0)

    def test_a_spinning_plugin_is_quarantined_by_its_limit(self):
        self.put_fault("spins", "if not hasattr(self, 't'):\n            self.t = threading.Thread(target=lambda: exec('while True: pass'), daemon=True); self.t.start()")
        self.document([{"name": "agent.plugins.spins.P", "cpu": 0.05, "deadline": 5}])
        agent = self.run_agent()
        status = self.until_status("agent.plugins.spins.P", lambda s: s["state"] == "quarantined", "the plugin to be stopped")
        self.assertRegex(status["error"], r"^cpu: it used \d+\.\d\d processors over 1\ds, its limit is 0\.05$")

    def test_faults_at_other_times_cost_at_most_a_tick(self):
        """In initialize() and at the import the plugin is refused; in save(), restore() and finalize() only the state is lost."""
        name = "agent.plugins.p.P"
        versions = iter(range(1000))

        def put(**faults):
            methods = {"initialize": "pass", "save": "return 'x'", "restore": "pass", "finalize": "pass", **faults}
            arguments = {"initialize": "self, config=None", "restore": "self, state"}
            self.put_python("p", f"# {next(versions)}\nimport os, time\nfrom agent.plugins.base import BasePlugin\n{faults.get('on_import', '')}\n"
                            "class P(BasePlugin):\n    def run(self, r): return r\n" +
                            "".join(f"    def {one}({arguments.get(one, 'self')}): {methods[one]}\n" for one in ("initialize", "save", "restore", "finalize")))

        def until_replaced():
            """Waits until the newest version runs, and has had some ticks."""
            replaced = next(replacements)
            wait_until(lambda: self.metric(agent, "plugin_replaced_total") >= replaced and
                       self.metric(agent, f'plugin_state{{plugin="{name}",state="running"}}') == 1, "the plugin to run")
            ticks = self.metric(agent, "plugin_ticks_total")
            wait_until(lambda: self.metric(agent, "plugin_ticks_total") > ticks + 3, "ticks")

        put()
        self.document([name])
        agent = self.run_agent(self.start_server())
        agent.says(rf"plugin loaded plugin={name}")
        replacements = iter(range(1, 100))
        for when, how, said in (("initialize", "os._exit(3)", "configuration refused.*status 3"), ("initialize", "1 / 0", "configuration refused.*ZeroDivisionError"),
                                ("on_import", "os._exit(4)", "configuration refused.*status 4"), ("on_import", "os.fork()", "configuration refused.*called"),
                                ("restore", "1 / 0", "cannot be restored: ZeroDivisionError"),
                                ("restore", "os._exit(6)", "cannot be restored: it ended its process with status 6"),
                                ("save", "1 / 0", "cannot be saved: ZeroDivisionError"), ("save", "os._exit(5)", "cannot be saved: it ended its process with status 5"),
                                ("finalize", "1 / 0", "finalize failed: ZeroDivisionError"), ("finalize", "time.sleep(9)", "continues with its predecessor's state")):
            with self.subTest(when=when, how=how):
                put(**{when: how})
                if when in ("initialize", "on_import"):
                    agent.says(said)
                    continue
                until_replaced()
                if when in ("save", "finalize"):
                    put()
                    until_replaced()
                agent.says(said)
        self.assertLessEqual(self.metric(agent, "plugin_failures_total"), 2)
        self.document([])
        wait_until(lambda: not self.hosts(agent), "all hosts to end")
        self.assertEqual(agent.stop(), 0)


# --- Attacks from the plugin's first line on

SIGNALS = (signal.SIGUSR1, signal.SIGIO, signal.SIGURG, signal.SIGALRM, signal.SIGTERM, signal.SIGHUP)
CALLS = {  # system calls by number on x86-64; their arguments, in which T is the target's path and A the agent's process
    "openat": "257, -100, T, 0", "openat_truncates": "257, -100, T, 0o1000", "open_path": "257, -100, T, 0o10000000", "openat2": "437, -100, T, H, 24",
    "creat": "85, T, 0o644", "truncate": "76, T, 0", "unlink": "87, T", "rename": "82, T, N", "chmod": "90, T, 0o777", "link": "86, T, N",
    "symlink": "88, T, N", "mkdir": "83, N, 0o755", "mknod": "133, N, 0o10644, 0", "statx": "332, -100, T, 0, 0x200, H", "stat": "262, -100, T, H, 0x1000",
    "memfd": "319, b'x', 0", "chdir": "80, b'/tmp'", "chroot": "161, b'/tmp'",
    "kill": "62, A, 10", "kill_all": "62, -1, 10", "tkill": "200, A, 10", "tgkill": "234, A, A, 10", "sigqueue": "129, A, 10, H", "pidfd": "434, A, 0",
    "pidfd_signal": "424, 3, 10, 0, 0", "pidfd_getfd": "438, 3, 0, 0", "setown": "72, 3, 8, A", "setsig": "72, 3, 10, 10", "async": "72, 3, 4, 0o20000",
    "notify": "72, 3, 1026, 2", "pipe_size": "72, 1, 1031, 4096", "fioasync": "16, 3, 0x5452, H", "tiocsti": "16, 0, 0x5412, b'x'",
    "memory_read": "310, A, H, 1, H, 1, 0", "memory_write": "311, A, H, 1, H, 1, 0", "ptrace": "101, 0x4206, A, 0, 0", "limits": "302, A, 7, L, 0",
    "read_limits": "302, A, 7, 0, H", "priority": "141, 0, A, 19", "affinity": "203, A, 8, L", "agents_clock": "228, (~A << 3) | 2, H",
    "timer": "222, 1, H, H", "itimer": "38, 0, H, 0", "fork": "57", "vfork": "58", "clone": "56, 17, 0, 0, 0, 0", "clone3": "435, H, 88",
    "execve": "59, b'/bin/true', 0, 0", "execveat": "322, -100, b'/bin/true', 0, 0, 0", "socket": "41, 2, 1, 0", "unix_socket": "41, 1, 1, 0",
    "netlink": "41, 16, 3, 0", "socketpair": "53, 1, 2, 0, H", "connect": "42, 3, H, 16", "dup2": "33, 1, 3", "io_uring": "425, 1, H", "userfaultfd": "323, 0",
    "keyctl": "250, 0, -3, 1", "bpf": "321, 0, 0, 0", "perf": "298, H, 0, -1, -1, 0", "exec_memory": "9, 0, 4096, 7, 0x22, -1, 0",
    "exec_null": "9, 0, 4096, 5, 2, 0, 0", "raise_limits": "302, 0, 7, L, 0", "deathsig": "157, 1, 0", "dumpable": "157, 4, 1", "ptracer": "157, 0x59616d61, -1",
    "seccomp": "317, 0, 0, 0", "unshare": "272, 0x10000000", "setns": "308, 3, 0", "mount": "165, b'none', b'/tmp', b'tmpfs', 0, 0", "setuid": "105, 0",
    "personality": "135, 0x400000", "shmget": "29, 0, 4096, 0o1777", "x32": "0x40000000 | 257, -100, T, 0", "landlock": "446, 3, 0",
}
PYTHON = {  # the same by Python's own means; each must raise an exception, or end the process
    "read": "open(T).read()", "write": "open(T, 'a').write('x')", "shadow": "open('/etc/shadow').read()", "memory_file": "open(f'/proc/{A}/mem', 'rb+')",
    "own_code": "open('/proc/self/exe', 'rb')", "list": "os.listdir('/')", "scandir": "list(os.scandir('/tmp'))", "dlopen": "ctypes.CDLL('libresolv.so.2')",
    "dlopen_path": "ctypes.CDLL(T.decode())", "import_file": "sys.path.insert(0, '/tmp'); importlib.import_module('monitor_evil')",
    "loader": "importlib.machinery.SourceFileLoader('x', T.decode()).load_module()",
    "zip": "importlib.import_module('zipimport').zipimporter(T.decode())", "mmap_file": "mmap.mmap(os.open(T, os.O_RDONLY), 10)",
    "exec_map": "mmap.mmap(-1, 4096, prot=7)", "subprocess": "subprocess.run(['/bin/true'], check=True)", "popen": "os.popen('id').read() or 1 / 0",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})", "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "abstract": "socket.socket(socket.AF_UNIX).connect('\\0monitor-test')", "from_fd": "socket.socket(fileno=3).connect('\\0monitor-test')",
    "handler": "signal.signal(signal.SIGSYS, signal.SIG_IGN)",
    "xcpu": "signal.signal(signal.SIGXCPU, signal.SIG_IGN)", "rlimit": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "parents_limit": "resource.prlimit(A, resource.RLIMIT_NOFILE, (8, 8))", "nice": "os.nice(-5)",
    "audit": "open(T, 'w')", "chown": "os.chown(T, 0, 0)", "utime": "os.utime(T)", "pipe": "os.pipe()", "pty": "os.openpty()", "memfd": "os.memfd_create('x')",
}
ATTACK = """import ctypes, importlib.machinery, importlib, mmap, os, pty, resource, select, signal, socket, subprocess, sys
T, N, A = {target!r}, {target!r} + b".new", os.getppid()
H = ctypes.create_string_buffer(256)
L = (ctypes.c_ulong * 2)(8, 8)
call = ctypes.CDLL(None, use_errno=True).syscall
call.restype = ctypes.c_long

def argument(one):
    return ctypes.c_long(one) if isinstance(one, int) else one

def attack():
{body}

{at_import}
class Plugin:
    def initialize(self, config=None):
{at_initialize}
    def run(self, metrics_request):
{at_run}
        return metrics_request
"""


class Sandbox(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="monitor-sandbox-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.target = f"{self.folder}/target"
        with open(self.target, "w", encoding="ascii") as file:
            file.write("what was there")
        os.chmod(self.target, 0o644)
        os.makedirs(f"{self.folder}/agent/plugins")
        self.signals = []
        for number in SIGNALS:
            before = signal.signal(number, lambda got, _: self.signals.append(got))
            self.addCleanup(signal.signal, number, before)
        self.limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def attack(self, name, body, when="import", version=None):
        """Runs one attack, and checks that it had no effect."""
        path = f"{self.folder}/agent/plugins/p.py"
        phases = {f"at_{one}": ("" if one == "import" else "        ") + ("attack()" if one == when else "pass") for one in ("import", "initialize", "run")}
        with open(path, "w", encoding="utf-8") as file:
            file.write(ATTACK.format(target=self.target.encode(), body=body, **phases))
        host = PythonHost(path, version=version)
        if when == "run" and host.loaded[0] == LOADED:
            host.tell(series(1, "x", integer=True))
            host.run(whole(1, 1))
        output = host.end()
        about = f"{name} in {when}, Landlock {version}: {host.said} {output} {host.process.returncode}"
        self.assertIn(CONFINED, host.kinds, about)
        self.assertEqual(host.kinds[0], CONFINED, about)
        self.assertNotIn("done", output, about)
        if "refused" not in output:
            self.assertRegex(f"{host.reason()} status {host.process.returncode}", r"which is not allowed for plugins|status -31", about)
        self.assertEqual(self.signals, [], about)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), self.limits, about)
        self.assertEqual(sorted(os.listdir(self.folder)), ["agent", "target"], about)
        self.assertEqual(os.stat(self.target).st_mode & 0o777, 0o644, about)
        with open(self.target, encoding="ascii") as file:
            self.assertEqual(file.read(), "what was there", about)
        return host

    def by_call(self, name, **options):
        return self.attack(name, f"    print('{name}', 'refused' if call(*map(argument, ({CALLS[name]},))) < 0 else 'done')", **options)

    def by_python(self, name, **options):
        return self.attack(name, f"    try:\n        {PYTHON[name]}\n        print('{name} done')\n    except BaseException as e:\n        print('{name} refused', e)",
                           **options)

    @unittest.skipUnless(os.uname().machine == "x86_64", "numbers of system calls")
    def test_blocks_every_system_call(self):
        for name in CALLS:
            with self.subTest(attack=name):
                self.by_call(name)

    def test_blocks_pythons_own_means(self):
        for name in PYTHON:
            with self.subTest(attack=name):
                self.by_python(name)

    def test_blocks_attacks_at_other_times(self):
        for when in ("initialize", "run"):
            for name in ("read", "write", "subprocess", "udp", "dlopen", "memory_file"):
                with self.subTest(attack=name, when=when):
                    self.by_python(name, when=when)

    def test_blocks_attacks_on_every_landlock_version(self):
        for version in (0, 1, 3):
            for name in ("read", "write", "memory_file", "dlopen", "subprocess"):
                with self.subTest(attack=name, version=version):
                    self.by_python(name, version=version)

    def test_a_thread_is_confined_too(self):
        body = "    import threading\n    def inner():\n        try: open(T); print('done')\n        except OSError: print('refused')\n" \
               "    t = threading.Thread(target=inner); t.start(); t.join()"
        self.attack("thread", body)


if __name__ == "__main__":
    unittest.main()
