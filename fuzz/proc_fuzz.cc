// Files of the kernel, or of a filesystem that imitates them: every parser of the collectors.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "inputs/proc/cgroup_figures.h"
#include "inputs/proc/container_labels.h"
#include "inputs/proc/cpu.h"
#include "inputs/proc/disk.h"
#include "inputs/proc/field_flows.h"
#include "inputs/proc/filesystem_sum.h"
#include "inputs/proc/load.h"
#include "inputs/proc/md_arrays.h"
#include "inputs/proc/memory.h"
#include "inputs/proc/net.h"
#include "inputs/proc/pressure.h"
#include "inputs/proc/process_stat.h"
#include "inputs/proc/tcp_states.h"
#include "inputs/proc/user_names.h"

namespace {

// Groups' paths, and the files that describe containers.
void containers(std::string_view text) {
  using namespace monitor::agent;
  (void)container_of(text);
  std::string id;
  (void)parse_pod_log_name(text, id);
  (void)parse_downward_labels(text);
  (void)parse_label_file(text);
  (void)parse_docker_name(text);
  (void)cgroup_field(text, "usage_usec");
  (void)parse_cpu_max(text);
  const auto some = [](std::string_view device) { return device.size() % 2 == 1; };
  (void)parse_io_stat(text, some);
  (void)parse_blkio(text, some);
}

void fields(std::string_view text) {
  using namespace monitor::agent;
  namespace config = monitor::config;
  static constexpr std::array<FieldFlow, 2> kTable = {
      {{"a", "Tcp InSegs", "system.network.tcp.segments"}, {"a", "vmstat oom_kill", "system.memory.oom_kills"}}};
  FieldFlows flows(kTable);
  flows.configure({config::MetricSelection{"a"}});
  flows.begin();
  read_paired_lines(text, flows);
  read_named_lines(text, "vmstat", flows);
  TcpStateCounts counts{};
  count_tcp_lines(text, counts);
  (void)count_tcp_messages(text, counts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::agent;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<CpuLine> cpus;
  std::vector<DiskLine> disks;
  std::vector<InterfaceLine> interfaces;
  CpuGrowth growth;
  if (parse_stat(text, cpus).ok() && cpus.size() > 1) {
    (void)cpu_growth(cpus[0].times, cpus[1].times, 1'000'000'000, cpus.size() - 1, growth);
  }
  (void)net_dev_shape(text);
  (void)diskstats_shape(text);
  (void)parse_meminfo(text);
  (void)parse_diskstats(text, disks);
  (void)parse_net_dev(text, interfaces);
  (void)parse_loadavg(text);
  (void)parse_uptime(text);
  (void)parse_mdstat(text);
  (void)parse_pressure(text);
  (void)parse_process_io(text);
  (void)parse_fork_counts(text);
  (void)parse_passwd(text);
  if (const auto process = parse_process_stat(text)) {
    // The name is a part of the text.
    if (process->command.data() < text.data() || process->command.size() > size) __builtin_trap();
  }
  containers(text);
  fields(text);
  const auto mounts = visible_mounts(parse_mountinfo(text));
  const auto remote = remote_points(mounts);
  std::vector<MeasuredMount> measured;
  for (const Mount& mount : mounts) {
    (void)is_remote(mount, remote);
    measured.push_back({mount, kind_of(mount), true, MountFacts{4096, size, size / 2, size / 3}});
  }
  (void)sum_of(measured, mounts);
  return 0;
}
