// Figures of the kernel as a whole: context switches and interrupts (/proc/stat), reclaim of memory (/proc/vmstat),
// huge pages and slab (/proc/meminfo), and its limits (/proc/sys). Only the files of selected metrics are read.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/text.h"
#include "inputs/proc/collectors.h"
#include "inputs/proc/field_flows.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

// A field "softirq 3" is the fourth number after the total.
constexpr auto kFlows = std::to_array<FieldFlow>({
    {"interrupts", "stat ctxt", "system.cpu.context_switches"},
    {"interrupts", "stat intr", "system.cpu.interrupts"},
    {"interrupts", "softirq 0", "system.cpu.softirqs", "system.cpu.softirq.type", "hi"},
    {"interrupts", "softirq 1", "system.cpu.softirqs", "system.cpu.softirq.type", "timer"},
    {"interrupts", "softirq 2", "system.cpu.softirqs", "system.cpu.softirq.type", "net_tx"},
    {"interrupts", "softirq 3", "system.cpu.softirqs", "system.cpu.softirq.type", "net_rx"},
    {"interrupts", "softirq 4", "system.cpu.softirqs", "system.cpu.softirq.type", "block"},
    {"interrupts", "softirq 5", "system.cpu.softirqs", "system.cpu.softirq.type", "irq_poll"},
    {"interrupts", "softirq 6", "system.cpu.softirqs", "system.cpu.softirq.type", "tasklet"},
    {"interrupts", "softirq 7", "system.cpu.softirqs", "system.cpu.softirq.type", "sched"},
    {"interrupts", "softirq 8", "system.cpu.softirqs", "system.cpu.softirq.type", "hrtimer"},
    {"interrupts", "softirq 9", "system.cpu.softirqs", "system.cpu.softirq.type", "rcu"},
    {"interrupts", "stat procs_running", "system.process.runnable", "", "", "", "", true},
    {"interrupts", "stat procs_blocked", "system.process.blocked", "", "", "", "", true},
    {"kernel", "file-nr used", "system.kernel.file_handles.usage", "", "", "", "", true},
    {"kernel", "file-nr limit", "system.kernel.file_handles.limit", "", "", "", "", true},
    {"kernel", "inode-nr used", "system.kernel.inodes", "", "", "", "", true},
    {"kernel", "random entropy_avail", "system.kernel.entropy", "", "", "", "", true},
    {"kernel", "limit threads", "system.process.limit", "", "", "", "", true},
    {"kernel", "loadavg threads", "system.thread.count", "", "", "", "", true},
    {"vmstat", "vmstat pgscan_kswapd", "system.memory.pages.scanned", "system.memory.reclaim", "background"},
    {"vmstat", "vmstat pgscan_direct", "system.memory.pages.scanned", "system.memory.reclaim", "direct"},
    {"vmstat", "vmstat pgsteal_kswapd", "system.memory.pages.reclaimed", "system.memory.reclaim", "background"},
    {"vmstat", "vmstat pgsteal_direct", "system.memory.pages.reclaimed", "system.memory.reclaim", "direct"},
    {"vmstat", "vmstat allocstall", "system.memory.allocation.stalls"},
    {"vmstat", "vmstat allocstall_dma", "system.memory.allocation.stalls"},
    {"vmstat", "vmstat allocstall_dma32", "system.memory.allocation.stalls"},
    {"vmstat", "vmstat allocstall_normal", "system.memory.allocation.stalls"},
    {"vmstat", "vmstat allocstall_movable", "system.memory.allocation.stalls"},
    {"vmstat", "vmstat allocstall_device", "system.memory.allocation.stalls"},
    {"vmstat", "vmstat compact_stall", "system.memory.compaction.stalls"},
    {"vmstat", "vmstat oom_kill", "system.memory.oom_kills"},
    {"vmstat", "vmstat workingset_refault_anon", "system.memory.refaults", "system.memory.page.type", "anonymous"},
    {"vmstat", "vmstat workingset_refault_file", "system.memory.refaults", "system.memory.page.type", "file"},
    {"vmstat", "vmstat workingset_refault", "system.memory.refaults", "system.memory.page.type", "any"},
    {"vmstat", "vmstat thp_fault_alloc", "system.memory.hugepage.faults", "system.memory.hugepage.result", "allocated"},
    {"vmstat", "vmstat thp_fault_fallback", "system.memory.hugepage.faults", "system.memory.hugepage.result",
     "fallback"},
    {"vmstat", "vmstat numa_hit", "system.memory.numa.allocations", "system.memory.numa.result", "hit"},
    {"vmstat", "vmstat numa_miss", "system.memory.numa.allocations", "system.memory.numa.result", "miss"},
    {"vmstat", "vmstat numa_local", "system.memory.numa.allocations", "system.memory.numa.result", "local"},
    {"vmstat", "vmstat numa_other", "system.memory.numa.allocations", "system.memory.numa.result", "other"},
    {"hugepages", "meminfo HugePages_Total", "system.memory.linux.hugepages.limit", "", "", "", "", true},
    {"hugepages", "meminfo HugePages_Used", "system.memory.linux.hugepages.usage",
     "system.memory.linux.hugepages.state", "used", "", "", true},
    {"hugepages", "meminfo HugePages_Free", "system.memory.linux.hugepages.usage",
     "system.memory.linux.hugepages.state", "free", "", "", true},
    {"hugepages", "meminfo HugePages_Rsvd", "system.memory.linux.hugepages.reserved", "", "", "", "", true},
    {"hugepages", "meminfo HugePages_Surp", "system.memory.linux.hugepages.surplus", "", "", "", "", true},
    {"hugepages", "meminfo Hugepagesize", "system.memory.linux.hugepages.page_size", "", "", "", "", true, 1024},
    {"slab", "meminfo SReclaimable", "system.memory.linux.slab.usage", "system.memory.linux.slab.state", "reclaimable",
     "", "", true, 1024},
    {"slab", "meminfo SUnreclaim", "system.memory.linux.slab.usage", "system.memory.linux.slab.state", "unreclaimable",
     "", "", true, 1024},
});

class KernelCollector final : public Collector {
 public:
  explicit KernelCollector(const Roots& roots)
      : stat_(roots.procfs + "/stat"),
        vmstat_(roots.procfs + "/vmstat"),
        meminfo_(roots.procfs + "/meminfo"),
        loadavg_(roots.procfs + "/loadavg"),
        file_nr_(roots.procfs + "/sys/fs/file-nr"),
        inode_nr_(roots.procfs + "/sys/fs/inode-nr"),
        entropy_(roots.procfs + "/sys/kernel/random/entropy_avail"),
        threads_max_(roots.procfs + "/sys/kernel/threads-max"),
        pid_max_(roots.procfs + "/sys/kernel/pid_max") {}

  void configure(const std::vector<config::MetricSelection>& selections) override { flows_.configure(selections); }
  bool wanted() const override { return flows_.wanted(); }
  void adopt(const Collector& from) override { flows_.adopt(static_cast<const KernelCollector&>(from).flows_); }
  void forget_series() override { flows_.forget_series(); }

  // A file that cannot be read leaves out its figures; the first one's error is returned if none could be read.
  Status collect(const Timestamp& now, TickBuilder& out) override {
    flows_.begin();
    read_ = 0;
    error_ = {};
    if (flows_.wants("interrupts")) with(stat_, [this](std::string_view text) { take_stat(text); });
    if (flows_.wants("vmstat")) {
      with(vmstat_, [this](std::string_view text) { read_named_lines(text, "vmstat", flows_); });
    }
    if (flows_.wants("hugepages") || flows_.wants("slab")) {
      with(meminfo_, [this](std::string_view text) { take_meminfo(text); });
    }
    if (flows_.wants("kernel")) take_limits();
    if (read_ == 0) return error_;
    flows_.finish(now, out);
    return {};
  }

 private:
  template <typename Take>
  void with(KernelFile& file, Take take) {
    const auto text = file.read();
    if (text) {
      ++read_;
      take(*text);
    } else if (error_.ok()) {
      error_ = text.error();
    }
  }

  void take_stat(std::string_view text) {
    while (!text.empty()) {
      Fields fields(next_line(text));
      const std::string_view name = fields.next();
      if (name != "softirq") {
        if (const auto value = fields.number()) flows_.set("stat", name, *value);
        continue;
      }
      fields.skip(1);  // the total
      for (size_t kind = 0; const auto value = fields.number(); ++kind) {
        flows_.set("softirq", std::to_string(kind), *value);
      }
    }
  }

  void take_meminfo(std::string_view text) {
    std::optional<uint64_t> total;
    std::optional<uint64_t> free;
    for (std::string_view rest = text; !rest.empty();) {
      Fields fields(next_line(rest));
      const std::string_view name = fields.next();
      if (name == "HugePages_Total:") total = fields.number();
      if (name == "HugePages_Free:") free = fields.number();
    }
    if (total && free) flows_.set("meminfo", "HugePages_Used", *total - std::min(*total, *free));
    read_named_lines(text, "meminfo", flows_);
  }

  void take_limits() {
    with(file_nr_, [this](std::string_view text) {
      Fields fields(trim(text));
      const auto allocated = fields.number();
      const auto unused = fields.number();
      const auto limit = fields.number();
      if (allocated && unused) flows_.set("file-nr", "used", *allocated - std::min(*allocated, *unused));
      if (limit) flows_.set("file-nr", "limit", *limit);
    });
    with(inode_nr_, [this](std::string_view text) {
      Fields fields(trim(text));
      const auto all = fields.number();
      const auto unused = fields.number();
      if (all && unused) flows_.set("inode-nr", "used", *all - std::min(*all, *unused));
    });
    with(entropy_, [this](std::string_view text) {
      if (const auto bits = parse_u64(trim(text))) flows_.set("random", "entropy_avail", *bits);
    });
    with(loadavg_, [this](std::string_view text) {
      const size_t slash = text.find('/');
      if (slash == std::string_view::npos) return;
      if (const auto threads = Fields(text.substr(slash + 1)).number()) flows_.set("loadavg", "threads", *threads);
    });
    std::optional<uint64_t> limit;
    for (KernelFile* const file : {&threads_max_, &pid_max_}) {
      with(*file, [&](std::string_view text) {
        if (const auto one = parse_u64(trim(text))) limit = std::min(limit.value_or(*one), *one);
      });
    }
    if (limit) flows_.set("limit", "threads", *limit);
  }

  FieldFlows flows_{kFlows};
  KernelFile stat_, vmstat_, meminfo_, loadavg_, file_nr_, inode_nr_, entropy_, threads_max_, pid_max_;
  size_t read_ = 0;  // files of this reading
  Status error_;     // of the first one that could not be read
};

}  // namespace

std::unique_ptr<Collector> make_kernel(const CollectorContext& context) {
  return std::make_unique<KernelCollector>(context.roots);
}

}  // namespace monitor::agent
