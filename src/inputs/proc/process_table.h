// ProcessTable: all processes of a procfs, and what each of them used since the reading before.
//
// A reading costs one getdents64 per 32 KiB of the folder, and an open, a read and a close for each file of a process,
// relative to the folder's kept descriptor. Files of processes are not kept open: each would hold a descriptor and
// about 5 KiB of kernel memory. After the first readings, a reading allocates nothing.
//
// A process is identified by its number and start time, so that a reused number is a new process. A process that was
// started since the reading before is counted from its start. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "inputs/proc/process_stat.h"

namespace monitor::agent {

struct Process {
  uint32_t pid = 0;
  uint32_t parent = 0;
  uint64_t start_ticks = 0;
  uint64_t cpu_ticks = 0;
  uint64_t rss_pages = 0;
  std::array<uint64_t, 2> io{};  // bytes read and written; if io_known
  // Growth since the reading before; if the flag below is set.
  uint64_t cpu_growth = 0;
  std::array<uint64_t, 2> io_growth{};
  uint32_t name_at = 0;  // of the command, in ProcessTable::names_
  uint8_t name_size = 0;
  ProcessState state = ProcessState::kSleeping;
  bool kernel_thread = false;
  bool cpu_growth_known = false;
  bool io_known = false;
  bool io_refused = false;  // the process exists, but its I/O could not be read
  bool io_growth_known = false;
  // Kept for TopList: whether the process was among the top ones in this reading and in the one before.
  bool ranked = false;
  bool ranked_before = false;
};

class ProcessTable {
 public:
  static constexpr size_t kMostProcesses = 200'000;  // 50 MB

  // Reads a whole file into `into`: openat(2), read(2), close(2). Returns -1 and sets errno if it cannot; tests inject
  // another function.
  using ReadAt = std::function<ssize_t(int folder, const char* path, char* into, size_t size)>;

  explicit ProcessTable(std::string procfs, ReadAt read_at = {});

  // `with_io`: also reads what each process has read and written. After an error, the table is that of the reading
  // before.
  Status read(bool with_io);
  // Forgets all readings.
  void reset();
  // Takes over the readings of another table of the same procfs.
  void adopt(const ProcessTable& other);

  // By number.
  std::span<Process> processes() { return processes_; }
  std::span<const Process> processes() const { return processes_; }
  Process* find(uint32_t pid);
  std::string_view command(const Process& process) const {
    return std::string_view(names_).substr(process.name_at, process.name_size);
  }
  // The resident memory of a process by PID/statm, where new kernels add it up exactly. That of PID/stat can be some
  // pages per processor off. Nothing if it cannot be read.
  std::optional<uint64_t> exact_rss_pages(uint32_t pid);
  // The effective user of a process.
  Result<uint32_t> owner(uint32_t pid) const;

  // Processes exist that the last reading could not see, so that sums over the table are too low: some files were
  // unreadable, or there is no process 1, which every PID namespace has.
  bool is_partial() const { return unreadable_ > 0 || processes_.empty() || processes_.front().pid != 1; }
  uint64_t unreadable() const { return unreadable_; }
  const std::string& fault() const { return fault_; }  // why the first one was unreadable

 private:
  enum class Outcome { kRead, kGone, kUnreadable };

  Status list();
  Status list_open();
  void take_names(size_t size);
  // Reads PID/FILE into buffer_. Returns nothing and sets errno if it cannot.
  std::optional<std::string_view> read_file(uint32_t pid, std::string_view file);
  Result<Outcome> read_process(Process& process);
  void read_io(Process& process);
  void compare(Process& process, const Process* before) const;
  void leave_out_children();

  std::string procfs_;
  ReadAt read_at_;
  Fd folder_;
  std::vector<char> entries_;  // as getdents64(2) returns them
  std::array<char, 2048> buffer_{};
  std::vector<uint32_t> pids_;
  std::vector<Process> processes_;
  std::vector<Process> next_;   // the reading in progress
  std::vector<Process> ended_;  // since the reading before
  std::string names_;           // the commands of processes_, one after another
  std::string next_names_;
  bool has_reading_ = false;
  uint64_t latest_start_ = 0;  // of all processes of the last reading
  uint64_t unreadable_ = 0;
  std::string fault_;
};

}  // namespace monitor::agent
