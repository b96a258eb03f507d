"""The mutants: (file, text that occurs once in it, replacement). A file without a folder is in src/inputs/proc or
src/inputs."""

VALUES = [
    ("collector.cc", "scaled_quotient(growth, 1'000'000'000,", "scaled_quotient(growth, 1'000'000,"),
    ("base/scaled_quotient.h", "(numerator * 2 + whole) /", "(numerator * 2) /"),
    ("base/scaled_quotient.h", "(numerator * 2 + whole) /", "(numerator * 2 + whole - 1) /"),
    ("collector.cc", "scaled_quotient(std::min(part, whole), 10'000,", "scaled_quotient(std::min(part, whole), 1'000,"),
    ("collector.cc", "scaled_quotient(std::min(part, whole),", "scaled_quotient(part,"),
    ("metrics/catalog/spec.h", "kShareExponent = -4;", "kShareExponent = -3;"),
    ("metrics/catalog/disk.cc", '"By/s"', '"By"'),
    ("metrics/catalog/disk.cc", "Kind::kCounter", "Kind::kGauge"),
    ("collector.h", "growth = usable ? value - last_ : 0;", "growth = usable ? value : 0;"),
]

PROCESSORS = [
    ("cpu.cc", "i != CpuTimes::kIdle && i != CpuTimes::kIowait", "i != CpuTimes::kIowait"),
    ("cpu.cc", "i != CpuTimes::kIdle && i != CpuTimes::kIowait", "i != CpuTimes::kIdle"),
    ("cpu.cc", "growth.modes[i], growth.total);", "growth.modes[i], growth.total + 1);"),
    ("cpu.cc", "add_saturating(growth.total, growth.modes[i]);", "growth.total -= growth.modes[i];"),
    ("cpu.cc", '"interrupt", "softirq", "steal"}', '"softirq", "interrupt", "steal"}'),
    ("cpu.cc", "kJitterSeconds = 3;", "kJitterSeconds = 30'000;"),
    ("cpu.cc", "kJitterSeconds = 3;", "kJitterSeconds = -1;"),
    ("cpu.cc", "= after.modes[i] - before.modes[i];", "= after.modes[i] + before.modes[i];"),
    ("cpu.cc", "kLateShare = 1.25;", "kLateShare = 0.25;"),
    ("cpu.cc", "if (line.core < 0 || per_core_)", "if (line.core < 0 || !per_core_)"),
    ("cpu.cc", "if (line.core >= 0) sum_is_known = sum_is_known && known;", ""),
    ("cpu.cc", "std::to_string(core));", "std::to_string(core + 1));"),
    ("cpu.cc", "if (growth.total == 0) return CpuChange::kStill;", ""),
    ("cpu.cc", "columns < 4 ?", "columns < 8 ?"),
    ("cpu.h", "kUser, kNice, kSystem, kIdle, kIowait,", "kUser, kNice, kIdle, kSystem, kIowait,"),
]

MEMORY = [
    ("memory.cc", "*kib * 1024;", "*kib * 1000;"),
    ("memory.cc", "lines[kBuffers].value_or(0) + lines[kCached]", "lines[kCached]"),
    ("memory.cc", "cache - std::min(cache, lines[kShmem].value_or(0))", "cache"),
    ("memory.cc", "return lines[kFree] ? lines[kFree] : total;", "return total;"),
    ("memory.cc", "if (lines[kAvailable].value_or(0) > 0) return", "if (lines[kAvailable]) return"),
    ("memory.cc", '"SReclaimable:",', '"Slab:",'),
    ("memory.cc", "const uint64_t used = info.total - info.available;", "const uint64_t used = info.available;"),
    ("memory.cc", "*info.swap_total - std::min(*info.swap_free, *info.swap_total);", "*info.swap_free;"),
    ("memory.cc", "std::min(*info.swap_free, *info.swap_total);", "*info.swap_free;"),
    ("memory.cc", "info.available += cache->reclaimable();", "info.available += cache->size;"),
    ("memory.cc", "group->working_set, group->limit);", "group->usage, group->limit);"),
    ("memory.cc", "(utilization_, used, info.total)", "(utilization_, info.total, used)"),
    ("memory.h", "return size - std::min(size, least);", "return size;"),
    ("cgroup_memory.cc", 'v2 ? "inactive_file"', 'v2 ? "active_file"'),
    ("cgroup_memory.cc", ': "total_inactive_file"', ': "inactive_file"'),
    ("cgroup_memory.cc", "*limit - std::min(*limit, *memory);", "*limit;"),
    ("cgroup_memory.cc", "*usage - std::min(*usage, *memory);", "*usage;"),
    (
        "cgroup_memory.cc",
        "auto limit = number(group.limit);\n    if (!limit || *limit >= at_most)",
        "auto limit = number(group.limit);\n    if (!limit || *limit < at_most)",
    ),
]

DISKS = [
    ("disk.cc", "kSector = 512;", "kSector = 4096;"),
    ("disk.cc", "fields.skip(2);", "fields.skip(1);"),
    ("disk.cc", "fields.skip(3);", "fields.skip(2);"),
    ("disk.cc", "disk.written_bytes = *written_sectors", "disk.written_bytes = *read_sectors"),
    ("disk.cc", '"disk read") wanted[0]', '"disk read") wanted[1]'),
    ("disk.h", '{"read", "write"}', '{"write", "read"}'),
    ("block_topology.cc", '== "1";', '== "0";'),
    ("block_topology.cc", "counts = is_path == paths_count_", "counts = is_path != paths_count_"),
    ("block_topology.cc", '= {"nbd", ', '= {"nbx", '),
    ("block_topology.cc", "'/', '!'", "'/', '/'"),
    (
        "block_topology.cc",
        "line.read_bytes != 0 || line.written_bytes != 0",
        "line.read_bytes == 0 && line.written_bytes == 0",
    ),
    ("block_topology.cc", "if (!is_folder(folder)) continue;", ""),
    ("block_topology.cc", 'facts.link.find("/virtual/block/") !=', 'facts.link.find("/virtual/block/") =='),
]

INTERFACES = [
    ("net.cc", "fields.skip(4);", "fields.skip(5);"),
    ("net.cc", "colon = line.rfind(':')", "colon = line.find(':')"),
    ("net.cc", "interface.sent_bytes = *sent;", "interface.sent_bytes = *received;"),
    ("net.cc", '"net in") wanted[0]', '"net in") wanted[1]'),
    ("net.cc", "line_number < 2", "line_number < 3"),
    ("net.h", '{"receive", "transmit"}', '{"transmit", "receive"}'),
    ("net_topology.cc", "if (master != nullptr && master->has_device) return false;", ""),
    ("net_topology.cc", "below->has_device && below->master != name;", "below->has_device && below->master == name;"),
    ("net_topology.cc", "if (facts.is_bridge || facts.is_bridge_port", "if (facts.is_bridge_port"),
    ("net_topology.cc", "type == ARPHRD_LOOPBACK ||", ""),
    ("net_topology.cc", " || facts.is_representor)", ")"),
    ("net_topology.cc", 'if (!take("vf")) take("sf");', 'take("vf");'),
    ("net_topology.cc", '  take("c");\n', ""),
    ("net_topology.cc", "if (!facts.has_device || facts.is_monitor", "if (facts.has_device || facts.is_monitor"),
]

FLOWS = [
    ("throughput_counter.cc", "total ? *total + sum.growth : sum.counted;", "sum.counted;"),
    ("throughput_counter.cc", "sum.unknown == 0 && ", ""),
    ("throughput_counter.cc", "const uint64_t growth = value - before;", "const uint64_t growth = value;"),
    ("throughput_counter.cc", "if (value < before) {", "if (false) {"),
    ("throughput_counter.cc", "wanted_[direction].include.empty() && !device.role.in_sum", "!device.role.in_sum"),
    ("throughput_counter.cc", "in && !matches_any(", "in && matches_any("),
]

REST = [
    ("load.cc", "*whole * 100 + digit(0) * 10", "*whole * 10 + digit(0) * 10"),
    ("load.cc", "digit(0) * 10 + digit(1)", "digit(0) + digit(1) * 10"),
    ("load.cc", 'kMinutes = {"1m", "5m", "15m"}', 'kMinutes = {"1m", "15m", "5m"}'),
    ("load.cc", "static_cast<int64_t>(*whole * 100);", "static_cast<int64_t>(*whole);"),
    ("metrics/catalog/uptime.cc", "kHundredths", "-3"),
    ("pressure.cc", "growth * 1000,", "growth * 100,"),
    ("pressure.cc", '"io", "irq"}', '"io"}'),
    ("pressure.cc", 'kTypes = {"some", "full"}', 'kTypes = {"full", "some"}'),
    ("pressure.cc", "totals.full = value;", "totals.some = value;"),
    ("paging.cc", "*values[bytes] * 1024;", "*values[bytes] * 1000;"),
    ("paging.cc", "std::max(minor, minor_faults_)", "minor"),
    ("paging.cc", "if (restarted) flows_[0].delta = {};", ""),
    ("paging.cc", "per_second(growth, elapsed)", "per_second(value, elapsed)"),
]

PROCESSES = [
    ("process_stat.cc", "kKernelThread = 0x0020'0000;", "kKernelThread = 0x0040'0000;"),
    ("process_stat.cc", "text.rfind(')')", "text.find(')')"),
    ("process_stat.cc", "fields.skip(6);", "fields.skip(5);"),
    ("process_stat.cc", "fields.skip(1);  // vsize", "fields.skip(0);"),
    ("process_stat.cc", "saturating_add(*user, *system)", "*user"),
    ("process_stat.cc", "case 't':", ""),
    ("process_stat.cc", "(*flags & kWorkqueueWorker) != 0", "false"),
    ("process_stat.cc", 'name == "write_bytes:"', 'name == "cancelled_write_bytes:"'),
    ("process_table.cc", "process.start_ticks < latest_start_", "process.start_ticks > latest_start_"),
    ("process_table.cc", "old->start_ticks == process.start_ticks", "true"),
    ("process_table.cc", "parent->io_growth[i] -= child.io[i];", "parent->io_growth[i] += child.io[i];"),
    ("process_table.cc", "if (parent->io_growth[i] >= child.io[i])", ""),
    ("process_table.cc", "if (with_io && !process.kernel_thread)", "if (with_io)"),
    ("process_table.cc", "process.ranked_before = before->ranked;", ""),
    ("process_table.cc", "process.cpu_ticks >= before->cpu_ticks;", "true;"),
    ("process_table.cc", 'read_file(pid, "statm")', 'read_file(pid, "stat")'),
    ("process_groups.cc", "if (glob_match(pattern, table.command(process)))", "if (glob_match(table.command(process), pattern))"),
    ("process_groups.cc", "io_refused = io_refused || process.io_refused;", ""),
    ("process_groups.cc", "(group.io_known == 0 && group.processes > 0)", "false"),
    ("process_table.h", "processes_.front().pid != 1", "false"),
    ("top_list.cc", "a.first > b.first", "a.first < b.first"),
    ("top_list.cc", "reading_ - one.ranked_at > kReadingsKept", "reading_ - one.ranked_at >= kReadingsKept"),
    ("top_list.cc", "credit_ -= kMinute;", "credit_ -= 0;"),
    ("top_list.cc", "elapsed * entries, kMinute * entries", "elapsed * entries, 2 * kMinute * entries"),
    ("top_list.cc", "make_room(kMostRankings * places)", "make_room(places)"),
    ("top_list.h", "kReadingsKept = 12;", "kReadingsKept = 11;"),
    ("processes.cc", "ticks_per_second * processors;", "ticks_per_second;"),
    ("processes.cc", "(used * kSteps * 2 + whole)", "(used * kSteps * 2)"),
    ("processes.cc", "if (process.kernel_thread) return;", ""),
    ("processes.cc", "times(pages, units_.page_bytes)", "times(pages, 1024)"),
    ("processes.cc", "if (!table_.is_partial()) add_states(out);", "add_states(out);"),
]

CONTAINERS = [
    ("container_path.cc", "std::ranges::replace(uid, '_', '-');", ""),
    ("container_path.cc", "kIdDigits = 64;", "kIdDigits = 63;"),
    ("container_path.cc", 'if (leaf.starts_with("qemu\\\\x2d")) return std::nullopt;', ""),
    ("cgroup_figures.cc", "kNanosPerMicro = 1000;", "kNanosPerMicro = 1024;"),
    ("cgroup_figures.cc", "*both - std::min(*both, *out.memory);", "*both;"),
    ("cgroup_figures.cc", 'folder_entries(folder + "/slaves").empty();', "true;"),
    ("cgroup_figures.cc", 'device.starts_with("1:") || ', ""),
    ("cgroup_figures.cc", '"total_inactive_file"', '"inactive_file"'),
    ("cgroup_figures.cc", '"nr_throttled");\n    out.throttled_ns = nanos', '"nr_bursts");\n    out.throttled_ns = nanos'),
    ("containers.cc", "kCpuSteps, period)", "kCpuSteps, 100'000)"),
    ("containers.cc", "*figures.memory - std::min(*figures.memory, *figures.inactive_file);", "*figures.memory;"),
    ("containers.cc", "container.periods = container.throttled = {};", ""),
    ("containers.cc", "  delta = {};\n  return false;", "  return false;"),
    ("containers.cc", "if (known >= most_) break;", ""),
    ("container_labels.h", "kReadEvery = 30'000'000'000;", "kReadEvery = 300'000'000'000;"),
    ("container_labels.cc", "add_of(written_, container.pod_uid);", ""),
]

SENSORS = [
    ("sensors.cc", "sensor.range - *before + now;", "now;"),
    ("sensors.cc", '.find("/thermal_zone") != std::string::npos) return;', '.find("/thermal_zone") != std::string::npos) (void)0;'),
    ("sensors.cc", 'faulty ? std::nullopt : number_in(sensor.file);', "number_in(sensor.file);"),
    ("sensors.cc", '{"_crit", "high.critical"}, {"_max", "high.degraded"}', '{"_crit", "high.degraded"}, {"_max", "high.critical"}'),
    ("metrics/catalog/steps.h", "kThousandths = -3;", "kThousandths = -2;"),
]

FIELDS = [
    ("field_flows.cc", "kThousandthsPerSecond = 1'000'000'000'000;", "kThousandthsPerSecond = 1'000'000'000;"),
    ("field_flows.cc", "if (!one.sum) one.delta = {};", ""),
    ("field_flows.cc", "saturating_add(series_[index].sum.value_or(0), scaled(value, scale));", "scaled(value, scale);"),
    ("inet.cc", '"TcpExt ListenOverflows"', '"TcpExt ListenDrops"'),
    ("inet.cc", "pages ? *value * page_bytes_ : *value", "*value"),
    ("inet.cc", "name.substr(0, six + 1), name.substr(six + 1)", "name.substr(0, six), name.substr(six + 1)"),
    ("tcp_states.cc", "if (state == kNewSynReceived) state = kSynReceived;", ""),
    ("disk_operations.cc", "kReadMillis = 3,", "kReadMillis = 2,"),
    ("disk_operations.cc", "kMicrosPerMilli = 1000;", "kMicrosPerMilli = 1;"),
    ("disk_operations.cc", "if (i != kPending && now[i] < (*before)[i]) return;", ""),
    ("disk_operations.cc", "kNanosPerMilliUnsigned * 1000, elapsed", "kNanosPerMilliUnsigned, elapsed"),
    ("packets.cc", "value, 16);", "value, 10);"),
    ("packets.cc", "kColumns = 3;", "kColumns = 2;"),
    ("kernel.cc", "*total - std::min(*total, *free)", "*total"),
    ("kernel.cc", "std::min(limit.value_or(*one), *one)", "*one"),
    ("kernel.cc", "fields.skip(1);  // the total", ""),
]

HEALTH = [
    ("md_arrays.cc", "if (!array.active || array.required) return;", "if (array.required) return;"),
    ("md_arrays.cc", 'flags.find("(J)") == std::string_view::npos', "true"),
    ("md_arrays.cc", 'waits == "DELAYED" || waits == "PENDING"', 'waits == "DELAYED"'),
    ("md.cc", "*array.required - std::min(*array.in_sync, *array.required)", "array.failed"),
    ("md.cc", "array.in_sync.value_or(array.used)", "array.used"),
    ("edac.cc", '"{}_noinfo_count"', '"{}_count"'),
    ("edac.cc", ' && !is_numbered(entry, "rank")', ""),
    ("edac.cc", '"ce"), std::string', '"ue"), std::string'),
]

FILESYSTEMS = [  # detected by the recorded mount tables: live_namespaces.py Tables
    ("mount_facts.cc", "facts.blocks - std::min(facts.blocks_free, facts.blocks)", "facts.blocks"),
    (
        "mount_facts.cc",
        "times(facts.blocks_available, facts.block_bytes)",
        "times(facts.blocks_free - facts.blocks_available, facts.block_bytes)",
    ),
    ("mount_facts.cc", "facts.files - std::min(facts.files_free, facts.files)", "facts.files_free"),
    ("mount_facts.cc", "info.f_frsize != 0 ? info.f_frsize : info.f_bsize", "info.f_namelen"),
    ("filesystem_sum.cc", "sum_.used = saturated(sum_.used, usage.used);", "sum_.used = usage.used;"),
    (
        "filesystem_sum.cc",
        "shared.available = std::max(shared.available, usage.available);",
        "shared.available += usage.available;",
    ),
    ("filesystem_sum.cc", "if (is_known(one, &facts)) return;", ""),
    ("filesystem_sum.cc", "if (!facts.directory) return;", ""),
]

MUTANTS = VALUES + PROCESSORS + MEMORY + DISKS + INTERFACES + FLOWS + REST + PROCESSES + CONTAINERS + SENSORS + FIELDS + HEALTH + FILESYSTEMS
