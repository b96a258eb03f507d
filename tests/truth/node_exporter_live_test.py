#!/usr/bin/env python3
"""Compares the agent's collectors on the live kernel with Debian's prometheus-node-exporter, scraped just before and just after
each reading: a counter must lie between the two scrapes, and a gauge within what it moves meanwhile. The table of
docs/metrics.md lists the same metrics. The kernel of the test may lack some of them; both programs then must."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from driver import LIVE, ROOT, Driver  # noqa: E402

PROGRAM = shutil.which("prometheus-node-exporter")
SELECTION = [
    {"name": name, "counters": True} if name not in ("sockets", "kernel", "hugepages", "slab", "memory", "load", "swap", "sensors") else name
    for name in ("tcp", "udp", "ip", "sockets", "interrupts", "kernel", "vmstat", "hugepages", "slab", "memory", "load", "swap", "sensors", "paging", "processes")
] + [{"name": "disk read", "counters": True, "per_device": True}, {"name": "disk write", "counters": True, "per_device": True}]
SELECTION += [{"name": name, "counters": True} for name in ("disk operations", "conntrack", "softnet")]
SELECTION += [{"name": name, "counters": True, "per_interface": True} for name in ("net in", "net out", "net errors")]
D, T = "network.io.direction", "network.type"


def both(name, ours, four, six, **labels):
    extra = "".join(f",{k}={v}" for k, v in labels.items())
    prefix = extra[1:] + "," if extra else ""
    return [(name, f"{ours}{{{prefix}{T}=ipv4}}", four, 1), (name, f"{ours}{{{prefix}{T}=ipv6}}", six, 1)]


# (kind, our series, node_exporter's series, what to multiply its value with)
PAIRS = [
    ("counter", f"system.network.tcp.segments{{{D}=receive}}", "node_netstat_Tcp_InSegs", 1),
    ("counter", f"system.network.tcp.segments{{{D}=transmit}}", "node_netstat_Tcp_OutSegs", 1),
    ("counter", "system.network.tcp.retransmits", "node_netstat_Tcp_RetransSegs", 1),
    ("counter", "system.network.tcp.connections.opened{network.tcp.open=active}", "node_netstat_Tcp_ActiveOpens", 1),
    ("counter", "system.network.tcp.connections.opened{network.tcp.open=passive}", "node_netstat_Tcp_PassiveOpens", 1),
    ("counter", "system.network.tcp.errors", "node_netstat_Tcp_InErrs", 1),
    ("counter", "system.network.tcp.resets{network.tcp.reset=sent}", "node_netstat_Tcp_OutRsts", 1),
    ("counter", "system.network.tcp.listen.overflows", "node_netstat_TcpExt_ListenOverflows", 1),
    ("counter", "system.network.tcp.listen.drops", "node_netstat_TcpExt_ListenDrops", 1),
    ("counter", "system.network.tcp.timeouts", "node_netstat_TcpExt_TCPTimeouts", 1),
    ("counter", "system.network.tcp.syncookies{network.tcp.syncookie=sent}", "node_netstat_TcpExt_SyncookiesSent", 1),
    ("counter", "system.network.tcp.syncookies{network.tcp.syncookie=received}", "node_netstat_TcpExt_SyncookiesRecv", 1),
    ("counter", "system.network.tcp.syncookies{network.tcp.syncookie=failed}", "node_netstat_TcpExt_SyncookiesFailed", 1),
    ("counter", f"system.network.udp.datagrams{{{D}=receive,{T}=ipv4}}", "node_netstat_Udp_InDatagrams", 1),
    ("counter", f"system.network.udp.datagrams{{{D}=transmit,{T}=ipv4}}", "node_netstat_Udp_OutDatagrams", 1),
    ("counter", f"system.network.udp.datagrams{{{D}=receive,{T}=ipv6}}", "node_netstat_Udp6_InDatagrams", 1),
    ("counter", f"system.network.udp.datagrams{{{D}=transmit,{T}=ipv6}}", "node_netstat_Udp6_OutDatagrams", 1),
    *both("counter", "system.network.udp.errors", "node_netstat_Udp_InErrors", "node_netstat_Udp6_InErrors"),
    *both("counter", "system.network.udp.unreachable", "node_netstat_Udp_NoPorts", "node_netstat_Udp6_NoPorts"),
    *both("counter", "system.network.udp.buffer.errors", "node_netstat_Udp_RcvbufErrors", "node_netstat_Udp6_RcvbufErrors", **{D: "receive"}),
    *both("counter", "system.network.udp.buffer.errors", "node_netstat_Udp_SndbufErrors", "node_netstat_Udp6_SndbufErrors", **{D: "transmit"}),
    ("gauge", "system.network.socket.count{network.transport=tcp,network.type=ipv4}", "node_sockstat_TCP_inuse", 1),
    ("gauge", "system.network.socket.count{network.transport=udp,network.type=ipv4}", "node_sockstat_UDP_inuse", 1),
    ("gauge", "system.network.socket.count{network.transport=raw,network.type=ipv4}", "node_sockstat_RAW_inuse", 1),
    ("gauge", "system.network.socket.count{network.transport=tcp,network.type=ipv6}", "node_sockstat_TCP6_inuse", 1),
    ("gauge", "system.network.socket.count{network.transport=udp,network.type=ipv6}", "node_sockstat_UDP6_inuse", 1),
    ("gauge", "system.network.socket.count{network.transport=raw,network.type=ipv6}", "node_sockstat_RAW6_inuse", 1),
    ("gauge", "system.network.socket.allocated", "node_sockstat_sockets_used", 1),
    ("gauge", "system.network.tcp.socket.count{network.tcp.socket=orphaned}", "node_sockstat_TCP_orphan", 1),
    ("gauge", "system.network.tcp.socket.count{network.tcp.socket=time_wait}", "node_sockstat_TCP_tw", 1),
    ("gauge", "system.network.tcp.socket.count{network.tcp.socket=allocated}", "node_sockstat_TCP_alloc", 1),
    ("gauge", "system.network.socket.memory.usage{network.transport=tcp}", "node_sockstat_TCP_mem_bytes", 1),
    ("gauge", "system.network.socket.memory.usage{network.transport=udp}", "node_sockstat_UDP_mem_bytes", 1),
    ("counter", "system.cpu.context_switches", "node_context_switches_total", 1),
    ("counter", "system.cpu.interrupts", "node_intr_total", 1),
    ("gauge", "system.process.runnable", "node_procs_running", 1),
    ("gauge", "system.process.blocked", "node_procs_blocked", 1),
    ("counter", "system.process.created", "node_forks_total", 1),
    ("gauge", "system.kernel.file_handles.usage", "node_filefd_allocated", 1),
    ("gauge", "system.kernel.file_handles.limit", "node_filefd_maximum", 1),
    ("gauge", "system.kernel.entropy", "node_entropy_available_bits", 1),
    ("counter", "system.memory.oom_kills", "node_vmstat_oom_kill", 1),
    ("counter", "system.paging.faults{system.paging.fault.type=major}", "node_vmstat_pgmajfault", 1),
    ("counter", "system.paging.operations{system.paging.direction=in}", "node_vmstat_pswpin", 1),
    ("counter", "system.paging.operations{system.paging.direction=out}", "node_vmstat_pswpout", 1),
    ("counter", "system.paging.io{system.paging.direction=in}", "node_vmstat_pgpgin", 1024),
    ("counter", "system.paging.io{system.paging.direction=out}", "node_vmstat_pgpgout", 1024),
    ("gauge", "system.memory.linux.hugepages.limit", "node_memory_HugePages_Total", 1),
    ("gauge", "system.memory.linux.hugepages.usage{system.memory.linux.hugepages.state=free}", "node_memory_HugePages_Free", 1),
    ("gauge", "system.memory.linux.hugepages.reserved", "node_memory_HugePages_Rsvd", 1),
    ("gauge", "system.memory.linux.hugepages.surplus", "node_memory_HugePages_Surp", 1),
    ("gauge", "system.memory.linux.hugepages.page_size", "node_memory_Hugepagesize_bytes", 1),
    ("gauge", "system.memory.linux.slab.usage{system.memory.linux.slab.state=reclaimable}", "node_memory_SReclaimable_bytes", 1),
    ("gauge", "system.memory.linux.slab.usage{system.memory.linux.slab.state=unreclaimable}", "node_memory_SUnreclaim_bytes", 1),
    ("gauge", "system.memory.limit", "node_memory_MemTotal_bytes", 1),
    ("gauge", "system.network.conntrack.count", "node_nf_conntrack_entries", 1),
    ("gauge", "system.network.conntrack.limit", "node_nf_conntrack_entries_limit", 1),
    ("gauge", "system.cpu.load_average.1m", "node_load1", 1),
    ("gauge", "system.cpu.load_average.5m", "node_load5", 1),
    ("gauge", "system.cpu.load_average.15m", "node_load15", 1),
]
# What a gauge may move between two scrapes, besides what they show: it can rise and fall.
MOVES = {"system.network.socket.memory.usage": 64 << 20, "system.memory.linux.slab.usage": 64 << 20, "system.process.runnable": 64, "system.process.blocked": 64,
         "system.network.socket.count": 50, "system.network.socket.allocated": 50, "system.network.tcp.socket.count": 50, "system.kernel.file_handles.usage": 3000, "system.network.conntrack.count": 200}


def parts(ours, theirs, label, value):
    """Series of each device that node_exporter shows."""
    return [("counter", f"{ours[0]}{{{','.join(sorted([ours[1], f'{label}={name}']))}}}", f'{theirs}{{device="{name}"}}', 1) for name in value]


class NodeExporterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if PROGRAM is None:
            raise AssertionError("prometheus-node-exporter is not installed: tools/packages install all")
        cls.folder = tempfile.TemporaryDirectory()
        cls.log = open(os.path.join(cls.folder.name, "log"), "w+", encoding="utf-8")
        cls.process = subprocess.Popen([PROGRAM, "--web.listen-address=127.0.0.1:0", "--log.level=info"], stderr=cls.log, stdout=cls.log)
        cls.address = None
        deadline = time.monotonic() + 30
        while cls.address is None and time.monotonic() < deadline and cls.process.poll() is None:
            cls.address = cls.listening()
            time.sleep(0.02)
        if cls.address is None:
            raise AssertionError("prometheus-node-exporter does not listen")

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait()
        cls.log.close()
        cls.folder.cleanup()

    @classmethod
    def listening(cls):
        """The port of the process, by its sockets."""
        inodes = set()
        for fd in os.listdir(f"/proc/{cls.process.pid}/fd"):
            try:
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{cls.process.pid}/fd/{fd}"))
            except OSError:
                continue
            if found:
                inodes.add(found[1])
        with open("/proc/net/tcp", encoding="ascii") as file:
            for line in file.read().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    return f"http://127.0.0.1:{int(fields[1].split(':')[1], 16)}/metrics"
        return None

    def scrape(self):
        with urllib.request.urlopen(self.address, timeout=30) as reply:
            text = reply.read().decode()
        return {name: float(value) for name, value in re.findall(r"^(node_\S+) (\S+)$", text, re.M)}

    def test_equal_within_a_tick(self):
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=SELECTION)
            before = self.scrape()
            ours = driver.values()
            after = self.scrape()
        devices = [m[1] for m in (re.fullmatch(r'node_disk_read_bytes_total\{device="([^"]+)"\}', name) for name in before) if m]
        cards = [m[1] for m in (re.fullmatch(r'node_network_receive_bytes_total\{device="([^"]+)"\}', name) for name in before) if m]
        pairs = list(PAIRS)
        for direction, word in (("read", "read"), ("write", "written")):
            pairs += parts(("system.disk.io", f"disk.io.direction={direction}"), f"node_disk_{word}_bytes_total", "system.device", devices)
            pairs += parts(("system.disk.operations", f"disk.io.direction={direction}"), f"node_disk_{direction}s_completed_total", "system.device", devices)
            pairs += parts(("system.disk.merged", f"disk.io.direction={direction}"), f"node_disk_{direction}s_merged_total", "system.device", devices)
            pairs += parts(("system.disk.operation_time", f"disk.io.direction={direction}"), f"node_disk_{direction}_time_seconds_total", "system.device", devices)
        for direction in ("receive", "transmit"):
            for metric, word in (("system.network.io", "bytes"), ("system.network.errors", "errs"), ("system.network.packet.dropped", "drop")):
                pairs += parts((metric, f"{D}={direction}"), f"node_network_{direction}_{word}_total", "network.interface.name", cards)
        compared, wrong = set(), []
        for kind, series, theirs, scale in pairs:
            if series not in ours or theirs not in before:
                # Devices that only one of the two lists: loop devices, the loopback, partitions.
                if (series in ours) != (theirs in before) and "{device=" not in theirs:
                    wrong.append(f"{series} ({series in ours}), {theirs} ({theirs in before}): only one has it")
                continue
            low, high = sorted((before[theirs] * scale, after[theirs] * scale))
            moves = MOVES.get(series.partition("{")[0], 0) if kind == "gauge" else 0
            moves = max(moves, 0.02 * high) if "load_average" in series else moves
            if not low - moves - 1e-6 * abs(low) <= ours[series] <= high + moves + 1e-6 * abs(high):
                wrong.append(f"{series}: {ours[series]}, node_exporter {low} to {high}")
            compared.add(series.partition("{")[0])
        print(f"{len(compared)} metrics compared")
        self.assertEqual(wrong, [])
        self.assertGreater(len(compared), 30, sorted(compared))

    def test_the_table_lists_what_is_compared(self):
        with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
            text = file.read().partition("### Beside node_exporter")[2]
        listed = set(re.findall(r"^\| `(system\.[a-z0-9._]+)`", text, re.M))
        compared = {series.partition("{")[0] for _, series, _, _ in PAIRS} | {"system.disk.io", "system.disk.operations", "system.disk.merged", "system.disk.operation_time", "system.network.io", "system.network.errors", "system.network.packet.dropped"}
        self.assertEqual(listed, compared)


if __name__ == "__main__":
    unittest.main(verbosity=2)
