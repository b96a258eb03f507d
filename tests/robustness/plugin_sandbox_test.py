#!/usr/bin/env python3
"""Attacks of native plugins on the agent and its machine, from the first instruction of the plugin on. Each attack runs
in a real host, with this program as the agent, under several Landlock versions. A host reports that its sandbox is
complete before any code of the plugin runs."""
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

BIN = os.environ["MONITOR_BIN_DIR"]
PLUGINS = os.path.join(os.environ["MONITOR_BUILD_DIR"], "tests", "plugins")
HEADER = struct.Struct("<HHHHIIII")
LOAD, LOADED, FAILED, LAST_WORDS, CONFINED, UNLOAD = 1, 16, 17, 34, 35, 6
SIGNALS = (signal.SIGUSR1, signal.SIGIO, signal.SIGURG, signal.SIGALRM, signal.SIGTERM, signal.SIGHUP)

FILES = ("truncating_open read shadow create unnamed write path async_open creat openat2 truncate unlink rename chmod link mkdir "
         "mkfifo stat statx memfd chdir").split()
AGENT = ("kill kill_all kill_group tkill tgkill sigqueue pidfd pidfd_signal setown setown_ex setsig async notify lease pipe_size "
         "fioasync siocspgrp fiosetown tiocsti memory_read memory_write memory_file ptrace pidfd_getfd limits read_limits "
         "priority affinity agents_clock timer itimer").split()
ITSELF = ("fork vfork clone clone3 namespace_thread exec execveat socket unix_socket netlink socketpair abstract dup_over io_uring "
          "userfaultfd keyctl bpf perf exec_memory exec_null exec_later raise_limits deathsig dumpable ptracer seccomp handler "
          "unshare setns mount personality setuid shared_memory second_open").split()
if os.uname().machine == "x86_64":
    ITSELF += ["x32", "i386"]
# Attacks to run on every Landlock version. The others depend only on the system call filter, which does not vary.
EACH_VERSION = ("truncating_open read shadow create write openat2 truncate memory_file kill setown async memory_write fork socket "
                "unix_socket abstract").split()


def packet(kind, payload, number=1):
    return HEADER.pack(0x504D, 1, kind, 0, 1, number, len(payload), 0) + payload


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


class Host:
    """A monitor-plugin-host that loads a library, and all its messages until it has ended or is ready."""

    def __init__(self, library, version=None, threads=4):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [f"{BIN}/monitor-plugin-host", str(theirs.fileno()), str(os.getpid())]
        if version is not None:
            command = [f"{PLUGINS}/landlock_as", str(version)] + command
        self.said = []
        with ours:
            ours.settimeout(20)
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            pass_fds=[theirs.fileno()], env={})
            theirs.close()
            ours.send(packet(LOAD, struct.pack("<I", 0) + text("p") + text("{}") + text(library) + struct.pack("<I", threads) + text("a")))
            self.read(ours)
        try:
            self.output = self.process.communicate(timeout=20)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.kinds = [kind for kind, _ in self.said]

    def read(self, channel):
        while True:
            try:
                data = channel.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            kind = HEADER.unpack_from(data)[2]
            self.said.append((kind, data[HEADER.size:]))
            if kind in (LOADED, FAILED):
                # Closing the channel makes it finalize the plugin and end; its last messages are still read.
                channel.send(packet(UNLOAD, b""))
                channel.shutdown(socket.SHUT_WR)

    def words(self):
        return b" ".join(data for kind, data in self.said if kind in (FAILED, LAST_WORDS)).decode(errors="replace")

    def landlock(self):
        return next(struct.unpack("<I", data)[0] for kind, data in self.said if kind == CONFINED)


class Sandbox(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="monitor-sandbox-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.target = f"{self.folder}/target"
        self.heal()
        with open(f"{PLUGINS}/attacker.so", "rb") as file:
            self.library = file.read()
        self.signals = []
        for number in SIGNALS:
            before = signal.signal(number, lambda got, _: self.signals.append(got))
            self.addCleanup(signal.signal, number, before)
        self.limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def heal(self):
        with open(self.target, "w", encoding="ascii") as file:
            file.write("what was there")
        os.chmod(self.target, 0o644)

    def attack(self, when, what, version=None, target=None):
        """Runs one attack, and checks that it had no effect."""
        order = f"ATTACK-ORDER:{when} {what} {target or self.target}".encode()
        at = self.library.index(b"ATTACK-ORDER:none none")
        path = f"{self.folder}/attacker.so"
        with open(path, "wb") as file:
            file.write(self.library[:at] + order + b"\0" + self.library[at + len(order) + 1:])
        host = Host(path, version)
        about = f"{what} in {when}, Landlock {version}: {host.said} {host.output} {host.process.returncode}"
        self.assertNotIn(" done", host.output, about)
        self.assertNotIn("unknown", host.output, about)
        self.assertIn(CONFINED, host.kinds, about)
        self.assertEqual(host.kinds.index(CONFINED), 0, about)
        self.assertEqual(self.signals, [], about)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), self.limits, about)
        self.assertEqual(sorted(os.listdir(self.folder)), ["attacker.so", "target"], about)
        self.assertEqual(os.stat(self.target).st_mode & 0o777, 0o644, about)
        with open(self.target, encoding="ascii") as file:
            self.assertEqual(file.read(), "what was there", about)
        if f"ATTACK {what} refused" not in host.output and "ATTACK resolver refused" not in host.output:
            self.assertRegex(f"{host.words()} status {host.process.returncode}", r"which is not allowed for plugins|status -31", about)
        return host

    def test_blocks_every_attack_of_a_constructor(self):
        for what in FILES + AGENT + ITSELF:
            with self.subTest(attack=what):
                self.attack("constructor", what)

    def test_blocks_attacks_on_every_landlock_version(self):
        for version in (0, 1, 2, 3):
            for what in EACH_VERSION:
                with self.subTest(attack=what, landlock=version):
                    self.assertEqual(self.attack("constructor", what, version).landlock(), version)

    def test_does_not_truncate_files_in_the_loaders_folders(self):
        """Checks folders that the loader reads, with Landlock versions that cannot forbid truncation, and without
        Landlock."""
        folder = "/usr/local/lib" if os.access("/usr/local/lib", os.W_OK) else self.folder
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix="monitor-test-") as file:
            file.write("kept")
            file.flush()
            for version in (0, 1, 2, 3, None):
                for when in ("constructor", "resolver", "initialize"):
                    with self.subTest(landlock=version, when=when):
                        self.attack(when, "truncating_open", version, file.name)
                        self.assertEqual(os.stat(file.name).st_size, 4)

    def test_confines_every_phase_of_a_plugin(self):
        for when in ("constructor", "initialize", "finalize", "destructor", "thread_end"):
            for what in ("truncating_open", "setown", "kill", "exec_memory"):
                with self.subTest(when=when, attack=what):
                    self.attack(when, what)

    def test_constructors_that_exit_or_close_all_harm_only_their_host(self):
        for what, status in (("exit", 0), ("abort", -signal.SIGABRT)):
            order = f"ATTACK-ORDER:constructor {what} x\0".encode()
            at = self.library.index(b"ATTACK-ORDER:none none")
            path = f"{self.folder}/attacker.so"
            with open(path, "wb") as file:
                file.write(self.library[:at] + order + self.library[at + len(order):])
            host = Host(path)
            self.assertEqual((host.kinds, host.process.returncode), ([CONFINED], status), what)

    def test_does_not_load_a_plugins_own_library(self):
        """Its constructors would run before the sandbox is complete, or the file could be in a folder writable by
        others."""
        for version in (0, None):
            host = Host(f"{PLUGINS}/foreign.so", version)
            self.assertEqual(host.kinds, [FAILED], host.said)
            self.assertRegex(host.words(), r"cannot be loaded: .*foreign\.so: it needs .*companion")

    def test_loads_one_consistent_file_during_replacement(self):
        os.mkfifo(f"{self.folder}/pipe.so")
        for library, reason in ((f"{self.folder}/pipe.so", "is not a regular file"), ("/dev/zero", "is not a regular file"),
                                (f"{self.folder}/none.so", "No such file"), (self.target, "not a 64-bit ELF library")):
            host = Host(library)
            self.assertEqual(host.kinds, [FAILED], library)
            self.assertIn(reason, host.words())
        with open(f"{self.folder}/huge.so", "wb") as file:
            file.truncate(1 << 40)
        self.assertRegex(Host(f"{self.folder}/huge.so").words(), r"has 1099511627776 bytes, the limit is 268435456")

    def test_host_has_the_confinement_that_it_reports(self):
        """Inspects the host from outside during an endless constructor."""
        order = b"ATTACK-ORDER:constructor forever x\0"
        at = self.library.index(b"ATTACK-ORDER:none none")
        path = f"{self.folder}/attacker.so"
        with open(path, "wb") as file:
            file.write(self.library[:at] + order + self.library[at + len(order):])
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, subprocess.Popen([f"{BIN}/monitor-plugin-host", str(theirs.fileno()), "0"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env={}) as process:
            theirs.close()
            ours.settimeout(20)
            ours.send(packet(LOAD, struct.pack("<I", 0) + text("p") + text("{}") + text(path) + struct.pack("<I", 4) + text("a")))
            self.assertEqual(HEADER.unpack_from(ours.recv(65536))[2], CONFINED)
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                status = file.read()
            process.kill()
        for line in (r"Seccomp:\t2", r"NoNewPrivs:\t1", r"CapEff:\t0+", r"CapPrm:\t0+"):
            self.assertRegex(status, rf"(?m)^{line}$")


if __name__ == "__main__":
    unittest.main()
