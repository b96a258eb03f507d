"""Which field of the kernel's files is which series: (selector, metric, unit, "c" counter or "g" gauge, fields), and of each
field its name ("Tcp RetransSegs"), the labels and what it is multiplied with."""

TABLE = [
    ("tcp", "system.network.connection.count", "{connection}", "g", [
        ("tcp 1", {"network.connection.state": "established", "network.transport": "tcp"}, 1),
        ("tcp 2", {"network.connection.state": "syn_sent", "network.transport": "tcp"}, 1),
        ("tcp 3", {"network.connection.state": "syn_received", "network.transport": "tcp"}, 1),
        ("tcp 4", {"network.connection.state": "fin_wait_1", "network.transport": "tcp"}, 1),
        ("tcp 5", {"network.connection.state": "fin_wait_2", "network.transport": "tcp"}, 1),
        ("tcp 6", {"network.connection.state": "time_wait", "network.transport": "tcp"}, 1),
        ("tcp 7", {"network.connection.state": "closed", "network.transport": "tcp"}, 1),
        ("tcp 8", {"network.connection.state": "close_wait", "network.transport": "tcp"}, 1),
        ("tcp 9", {"network.connection.state": "last_ack", "network.transport": "tcp"}, 1),
        ("tcp 10", {"network.connection.state": "listen", "network.transport": "tcp"}, 1),
        ("tcp 11", {"network.connection.state": "closing", "network.transport": "tcp"}, 1),
    ]),
    ("tcp", "system.network.tcp.segments", "{segment}", "c", [
        ("Tcp InSegs", {"network.io.direction": "receive"}, 1),
        ("Tcp OutSegs", {"network.io.direction": "transmit"}, 1),
    ]),
    ("tcp", "system.network.tcp.retransmits", "{segment}", "c", [
        ("Tcp RetransSegs", {}, 1),
    ]),
    ("tcp", "system.network.tcp.connections.opened", "{connection}", "c", [
        ("Tcp ActiveOpens", {"network.tcp.open": "active"}, 1),
        ("Tcp PassiveOpens", {"network.tcp.open": "passive"}, 1),
    ]),
    ("tcp", "system.network.tcp.connections.failed", "{connection}", "c", [
        ("Tcp AttemptFails", {}, 1),
    ]),
    ("tcp", "system.network.tcp.resets", "{connection}", "c", [
        ("Tcp EstabResets", {"network.tcp.reset": "established"}, 1),
        ("Tcp OutRsts", {"network.tcp.reset": "sent"}, 1),
    ]),
    ("tcp", "system.network.tcp.errors", "{segment}", "c", [
        ("Tcp InErrs", {}, 1),
    ]),
    ("tcp", "system.network.tcp.listen.overflows", "{connection}", "c", [
        ("TcpExt ListenOverflows", {}, 1),
    ]),
    ("tcp", "system.network.tcp.listen.drops", "{connection}", "c", [
        ("TcpExt ListenDrops", {}, 1),
    ]),
    ("tcp", "system.network.tcp.timeouts", "{timeout}", "c", [
        ("TcpExt TCPTimeouts", {}, 1),
    ]),
    ("tcp", "system.network.tcp.syncookies", "{packet}", "c", [
        ("TcpExt SyncookiesSent", {"network.tcp.syncookie": "sent"}, 1),
        ("TcpExt SyncookiesRecv", {"network.tcp.syncookie": "received"}, 1),
        ("TcpExt SyncookiesFailed", {"network.tcp.syncookie": "failed"}, 1),
    ]),
    ("tcp", "system.network.tcp.packet.dropped", "{packet}", "c", [
        ("TcpExt TCPBacklogDrop", {"network.tcp.queue": "backlog"}, 1),
        ("TcpExt TCPRcvQDrop", {"network.tcp.queue": "receive"}, 1),
        ("TcpExt TCPReqQFullDrop", {"network.tcp.queue": "request"}, 1),
        ("TcpExt PruneCalled", {"network.tcp.queue": "pruned"}, 1),
    ]),
    ("udp", "system.network.udp.datagrams", "{packet}", "c", [
        ("Udp InDatagrams", {"network.io.direction": "receive", "network.type": "ipv4"}, 1),
        ("Udp OutDatagrams", {"network.io.direction": "transmit", "network.type": "ipv4"}, 1),
        ("Udp6 InDatagrams", {"network.io.direction": "receive", "network.type": "ipv6"}, 1),
        ("Udp6 OutDatagrams", {"network.io.direction": "transmit", "network.type": "ipv6"}, 1),
    ]),
    ("udp", "system.network.udp.errors", "{packet}", "c", [
        ("Udp InErrors", {"network.type": "ipv4"}, 1),
        ("Udp6 InErrors", {"network.type": "ipv6"}, 1),
    ]),
    ("udp", "system.network.udp.unreachable", "{packet}", "c", [
        ("Udp NoPorts", {"network.type": "ipv4"}, 1),
        ("Udp6 NoPorts", {"network.type": "ipv6"}, 1),
    ]),
    ("udp", "system.network.udp.buffer.errors", "{packet}", "c", [
        ("Udp RcvbufErrors", {"network.io.direction": "receive", "network.type": "ipv4"}, 1),
        ("Udp SndbufErrors", {"network.io.direction": "transmit", "network.type": "ipv4"}, 1),
        ("Udp6 RcvbufErrors", {"network.io.direction": "receive", "network.type": "ipv6"}, 1),
        ("Udp6 SndbufErrors", {"network.io.direction": "transmit", "network.type": "ipv6"}, 1),
    ]),
    ("ip", "system.network.ip.packets", "{packet}", "c", [
        ("Ip InReceives", {"network.io.direction": "receive", "network.type": "ipv4"}, 1),
        ("Ip OutRequests", {"network.io.direction": "transmit", "network.type": "ipv4"}, 1),
        ("Ip6 InReceives", {"network.io.direction": "receive", "network.type": "ipv6"}, 1),
        ("Ip6 OutRequests", {"network.io.direction": "transmit", "network.type": "ipv6"}, 1),
    ]),
    ("ip", "system.network.ip.packet.dropped", "{packet}", "c", [
        ("Ip InDiscards", {"network.io.direction": "receive", "network.type": "ipv4"}, 1),
        ("Ip OutDiscards", {"network.io.direction": "transmit", "network.type": "ipv4"}, 1),
        ("Ip6 InDiscards", {"network.io.direction": "receive", "network.type": "ipv6"}, 1),
        ("Ip6 OutDiscards", {"network.io.direction": "transmit", "network.type": "ipv6"}, 1),
    ]),
    ("ip", "system.network.ip.errors", "{packet}", "c", [
        ("Ip InHdrErrors", {"error.type": "header", "network.type": "ipv4"}, 1),
        ("Ip InAddrErrors", {"error.type": "address", "network.type": "ipv4"}, 1),
        ("Ip InUnknownProtos", {"error.type": "protocol", "network.type": "ipv4"}, 1),
        ("Ip OutNoRoutes", {"error.type": "no_route", "network.type": "ipv4"}, 1),
        ("Ip ReasmFails", {"error.type": "reassembly", "network.type": "ipv4"}, 1),
        ("Ip6 InHdrErrors", {"error.type": "header", "network.type": "ipv6"}, 1),
        ("Ip6 InAddrErrors", {"error.type": "address", "network.type": "ipv6"}, 1),
        ("Ip6 InUnknownProtos", {"error.type": "protocol", "network.type": "ipv6"}, 1),
        ("Ip6 OutNoRoutes", {"error.type": "no_route", "network.type": "ipv6"}, 1),
        ("Ip6 ReasmFails", {"error.type": "reassembly", "network.type": "ipv6"}, 1),
    ]),
    ("ip", "system.network.ip.forwarded", "{packet}", "c", [
        ("Ip ForwDatagrams", {"network.type": "ipv4"}, 1),
        ("Ip6 OutForwDatagrams", {"network.type": "ipv6"}, 1),
    ]),
    ("sockets", "system.network.socket.count", "{socket}", "g", [
        ("TCP inuse", {"network.transport": "tcp", "network.type": "ipv4"}, 1),
        ("TCP6 inuse", {"network.transport": "tcp", "network.type": "ipv6"}, 1),
        ("UDP inuse", {"network.transport": "udp", "network.type": "ipv4"}, 1),
        ("UDP6 inuse", {"network.transport": "udp", "network.type": "ipv6"}, 1),
        ("RAW inuse", {"network.transport": "raw", "network.type": "ipv4"}, 1),
        ("RAW6 inuse", {"network.transport": "raw", "network.type": "ipv6"}, 1),
    ]),
    ("sockets", "system.network.socket.allocated", "{socket}", "g", [
        ("sockets used", {}, 1),
    ]),
    ("sockets", "system.network.tcp.socket.count", "{socket}", "g", [
        ("TCP orphan", {"network.tcp.socket": "orphaned"}, 1),
        ("TCP tw", {"network.tcp.socket": "time_wait"}, 1),
        ("TCP alloc", {"network.tcp.socket": "allocated"}, 1),
    ]),
    ("sockets", "system.network.socket.memory.usage", "By", "g", [
        ("TCP mem", {"network.transport": "tcp"}, 1),
        ("UDP mem", {"network.transport": "udp"}, 1),
    ]),
    ("interrupts", "system.cpu.context_switches", "{switch}", "c", [
        ("stat ctxt", {}, 1),
    ]),
    ("interrupts", "system.cpu.interrupts", "{interrupt}", "c", [
        ("stat intr", {}, 1),
    ]),
    ("interrupts", "system.cpu.softirqs", "{interrupt}", "c", [
        ("softirq 0", {"system.cpu.softirq.type": "hi"}, 1),
        ("softirq 1", {"system.cpu.softirq.type": "timer"}, 1),
        ("softirq 2", {"system.cpu.softirq.type": "net_tx"}, 1),
        ("softirq 3", {"system.cpu.softirq.type": "net_rx"}, 1),
        ("softirq 4", {"system.cpu.softirq.type": "block"}, 1),
        ("softirq 5", {"system.cpu.softirq.type": "irq_poll"}, 1),
        ("softirq 6", {"system.cpu.softirq.type": "tasklet"}, 1),
        ("softirq 7", {"system.cpu.softirq.type": "sched"}, 1),
        ("softirq 8", {"system.cpu.softirq.type": "hrtimer"}, 1),
        ("softirq 9", {"system.cpu.softirq.type": "rcu"}, 1),
    ]),
    ("interrupts", "system.process.runnable", "{process}", "g", [
        ("stat procs_running", {}, 1),
    ]),
    ("interrupts", "system.process.blocked", "{process}", "g", [
        ("stat procs_blocked", {}, 1),
    ]),
    ("kernel", "system.kernel.file_handles.usage", "{file}", "g", [
        ("file-nr used", {}, 1),
    ]),
    ("kernel", "system.kernel.file_handles.limit", "{file}", "g", [
        ("file-nr limit", {}, 1),
    ]),
    ("kernel", "system.kernel.inodes", "{inode}", "g", [
        ("inode-nr used", {}, 1),
    ]),
    ("kernel", "system.kernel.entropy", "bit", "g", [
        ("random entropy_avail", {}, 1),
    ]),
    ("kernel", "system.process.limit", "{thread}", "g", [
        ("limit threads", {}, 1),
    ]),
    ("kernel", "system.thread.count", "{thread}", "g", [
        ("loadavg threads", {}, 1),
    ]),
    ("vmstat", "system.memory.pages.scanned", "{page}", "c", [
        ("vmstat pgscan_kswapd", {"system.memory.reclaim": "background"}, 1),
        ("vmstat pgscan_direct", {"system.memory.reclaim": "direct"}, 1),
    ]),
    ("vmstat", "system.memory.pages.reclaimed", "{page}", "c", [
        ("vmstat pgsteal_kswapd", {"system.memory.reclaim": "background"}, 1),
        ("vmstat pgsteal_direct", {"system.memory.reclaim": "direct"}, 1),
    ]),
    ("vmstat", "system.memory.allocation.stalls", "{operation}", "c", [
        ("vmstat allocstall", {}, 1),
        ("vmstat allocstall_dma", {}, 1),
        ("vmstat allocstall_dma32", {}, 1),
        ("vmstat allocstall_normal", {}, 1),
        ("vmstat allocstall_movable", {}, 1),
        ("vmstat allocstall_device", {}, 1),
    ]),
    ("vmstat", "system.memory.compaction.stalls", "{operation}", "c", [
        ("vmstat compact_stall", {}, 1),
    ]),
    ("vmstat", "system.memory.oom_kills", "{process}", "c", [
        ("vmstat oom_kill", {}, 1),
    ]),
    ("vmstat", "system.memory.refaults", "{page}", "c", [
        ("vmstat workingset_refault_anon", {"system.memory.page.type": "anonymous"}, 1),
        ("vmstat workingset_refault_file", {"system.memory.page.type": "file"}, 1),
        ("vmstat workingset_refault", {"system.memory.page.type": "any"}, 1),
    ]),
    ("vmstat", "system.memory.hugepage.faults", "{page}", "c", [
        ("vmstat thp_fault_alloc", {"system.memory.hugepage.result": "allocated"}, 1),
        ("vmstat thp_fault_fallback", {"system.memory.hugepage.result": "fallback"}, 1),
    ]),
    ("vmstat", "system.memory.numa.allocations", "{page}", "c", [
        ("vmstat numa_hit", {"system.memory.numa.result": "hit"}, 1),
        ("vmstat numa_miss", {"system.memory.numa.result": "miss"}, 1),
        ("vmstat numa_local", {"system.memory.numa.result": "local"}, 1),
        ("vmstat numa_other", {"system.memory.numa.result": "other"}, 1),
    ]),
    ("hugepages", "system.memory.linux.hugepages.limit", "{page}", "g", [
        ("meminfo HugePages_Total", {}, 1),
    ]),
    ("hugepages", "system.memory.linux.hugepages.usage", "{page}", "g", [
        ("meminfo HugePages_Used", {"system.memory.linux.hugepages.state": "used"}, 1),
        ("meminfo HugePages_Free", {"system.memory.linux.hugepages.state": "free"}, 1),
    ]),
    ("hugepages", "system.memory.linux.hugepages.reserved", "{page}", "g", [
        ("meminfo HugePages_Rsvd", {}, 1),
    ]),
    ("hugepages", "system.memory.linux.hugepages.surplus", "{page}", "g", [
        ("meminfo HugePages_Surp", {}, 1),
    ]),
    ("hugepages", "system.memory.linux.hugepages.page_size", "By", "g", [
        ("meminfo Hugepagesize", {}, 1024),
    ]),
    ("slab", "system.memory.linux.slab.usage", "By", "g", [
        ("meminfo SReclaimable", {"system.memory.linux.slab.state": "reclaimable"}, 1024),
        ("meminfo SUnreclaim", {"system.memory.linux.slab.state": "unreclaimable"}, 1024),
    ]),
    ("conntrack", "system.network.conntrack.count", "{connection}", "g", [
        ("conntrack count", {}, 1),
    ]),
    ("conntrack", "system.network.conntrack.limit", "{connection}", "g", [
        ("conntrack limit", {}, 1),
    ]),
    ("conntrack", "system.network.conntrack.failures", "{packet}", "c", [
        ("conntrack insert_failed", {"system.network.conntrack.cause": "insert_failed"}, 1),
        ("conntrack drop", {"system.network.conntrack.cause": "dropped"}, 1),
        ("conntrack early_drop", {"system.network.conntrack.cause": "early_drop"}, 1),
    ]),
    ("conntrack", "system.network.conntrack.invalid", "{packet}", "c", [
        ("conntrack invalid", {}, 1),
    ]),
    ("softnet", "system.network.softnet.processed", "{packet}", "c", [
        ("softnet 0", {}, 1),
    ]),
    ("softnet", "system.network.softnet.dropped", "{packet}", "c", [
        ("softnet 1", {}, 1),
    ]),
    ("softnet", "system.network.softnet.squeezed", "{operation}", "c", [
        ("softnet 2", {}, 1),
    ]),
]
