#include "inputs/proc/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

constexpr size_t kEntriesBytes = 32'768;
// Names of kernel threads have at most 63 bytes, and others 15.
constexpr size_t kMostName = 63;
constexpr uint32_t kMostPid = 1U << 30;

// "123/stat"
using FilePath = std::array<char, 32>;
void set_path(FilePath& path, uint32_t pid, std::string_view file) {
  const auto end = fmt::format_to_n(path.data(), path.size() - 1, "{}{}{}", pid, file.empty() ? "" : "/", file);
  *end.out = '\0';
}

ssize_t read_at(int folder, const char* path, char* into, size_t size) {
  const Fd fd(openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return -1;
  while (true) {
    const ssize_t n = read(fd.get(), into, size);
    if (n >= 0 || errno != EINTR) return n;
  }
}

// Not about this process: every other file would fail in the same way.
bool is_lack_of_resources(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

bool started_before(const Process& process, uint32_t pid) { return process.pid < pid; }

}  // namespace

ProcessTable::ProcessTable(std::string procfs, ReadAt read) : procfs_(std::move(procfs)), read_at_(std::move(read)) {
  if (!read_at_) read_at_ = read_at;
}

void ProcessTable::reset() {
  processes_.clear();
  names_.clear();
  has_reading_ = false;
  latest_start_ = unreadable_ = 0;
}

void ProcessTable::adopt(const ProcessTable& other) {
  processes_ = other.processes_;
  names_ = other.names_;
  has_reading_ = other.has_reading_;
  latest_start_ = other.latest_start_;
}

Process* ProcessTable::find(uint32_t pid) {
  const auto at = std::lower_bound(processes_.begin(), processes_.end(), pid, started_before);
  return at == processes_.end() || at->pid != pid ? nullptr : &*at;
}

Result<uint32_t> ProcessTable::owner(uint32_t pid) const {
  FilePath path{};
  set_path(path, pid, "");
  struct stat info{};
  if (fstatat(folder_.get(), path.data(), &info, 0) == 0) return info.st_uid;
  return errno_error(errno, "reading the owner of " + procfs_ + "/" + path.data());
}

std::optional<uint64_t> ProcessTable::exact_rss_pages(uint32_t pid) {
  const auto text = read_file(pid, "statm");
  if (!text) return std::nullopt;
  Fields fields(*text);
  fields.skip(1);
  return fields.number();
}

// The numbers of all processes, ascending.
Status ProcessTable::list() {
  const bool kept = folder_.valid();
  auto listed = list_open();
  // The path may refer to another folder than when it was opened.
  if (!listed && kept) listed = list_open();
  if (!listed) return listed;
  if (pids_.size() > kMostProcesses) {
    return Error(Code::kResourceExhausted,
                 fmt::format("{} has {} processes, the limit is {}; none of them is collected", procfs_, pids_.size(),
                             kMostProcesses));
  }
  if (!std::ranges::is_sorted(pids_)) std::ranges::sort(pids_);
  return {};
}

Status ProcessTable::list_open() {
  pids_.clear();
  if (!folder_.valid()) {
    folder_ = Fd(open(procfs_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_.valid()) return errno_error(errno, "opening " + procfs_);
  }
  entries_.resize(kEntriesBytes);
  long size = lseek(folder_.get(), 0, SEEK_SET);
  while (size >= 0) {
    size = syscall(SYS_getdents64, folder_.get(), entries_.data(), entries_.size());
    if (size == 0) return {};
    if (size > 0) take_names(static_cast<size_t>(size));
  }
  const int error = errno;
  folder_.reset();
  return errno_error(error, "reading the folder " + procfs_);
}

void ProcessTable::take_names(size_t size) {
  size_t at = 0;
  while (at < size) {
    // struct linux_dirent64 of getdents(2), which has the layout of glibc's dirent64.
    uint16_t length = 0;
    std::memcpy(&length, entries_.data() + at + offsetof(dirent64, d_reclen), sizeof length);
    const char* const name = entries_.data() + at + offsetof(dirent64, d_name);
    if (*name >= '1' && *name <= '9') {
      const auto pid = parse_u64(name);
      if (pid && *pid <= kMostPid) pids_.push_back(static_cast<uint32_t>(*pid));
    }
    at += length;
  }
}

std::optional<std::string_view> ProcessTable::read_file(uint32_t pid, std::string_view file) {
  FilePath path{};
  set_path(path, pid, file);
  const ssize_t n = read_at_(folder_.get(), path.data(), buffer_.data(), buffer_.size());
  if (n < 0) return std::nullopt;
  return std::string_view(buffer_.data(), static_cast<size_t>(n));
}

Result<ProcessTable::Outcome> ProcessTable::read_process(Process& process) {
  const auto text = read_file(process.pid, "stat");
  if (!text) {
    const int error = errno;
    if (error == ENOENT || error == ESRCH) return Outcome::kGone;
    const Error fault = errno_error(error, fmt::format("reading {}/{}/stat", procfs_, process.pid));
    if (is_lack_of_resources(error)) return fault;
    if (unreadable_++ == 0) fault_ = fault.message();
    return Outcome::kUnreadable;
  }
  const auto stat = parse_process_stat(*text);
  if (!stat) {
    if (unreadable_++ == 0) fault_ = fmt::format("{}/{}/stat is malformed", procfs_, process.pid);
    return Outcome::kUnreadable;
  }
  process.parent = static_cast<uint32_t>(std::min<uint64_t>(stat->parent, UINT32_MAX));
  process.state = stat->state;
  process.kernel_thread = stat->kernel_thread;
  process.cpu_ticks = stat->cpu_ticks;
  process.start_ticks = stat->start_ticks;
  process.rss_pages = stat->rss_pages;
  const std::string_view name = stat->command.substr(0, kMostName);
  process.name_at = static_cast<uint32_t>(next_names_.size());
  process.name_size = static_cast<uint8_t>(name.size());
  next_names_ += name;
  return Outcome::kRead;
}

void ProcessTable::read_io(Process& process) {
  const auto text = read_file(process.pid, "io");
  if (!text) {
    process.io_refused = errno != ENOENT && errno != ESRCH;
    return;
  }
  const auto io = parse_process_io(*text);
  process.io_refused = !io;
  if (!io) return;
  process.io = {io->read_bytes, io->write_bytes};
  process.io_known = true;
}

// `before`: the same process in the reading before; nullptr: it was not there.
void ProcessTable::compare(Process& process, const Process* before) const {
  if (before == nullptr) {
    // A process that the reading before missed is older than the latest process of that reading.
    if (!has_reading_ || process.start_ticks < latest_start_) return;
    process.cpu_growth_known = true;
    process.cpu_growth = process.cpu_ticks;
    process.io_growth_known = process.io_known;
    process.io_growth = process.io;
    return;
  }
  process.ranked_before = before->ranked;
  process.cpu_growth_known = process.cpu_ticks >= before->cpu_ticks;
  if (process.cpu_growth_known) process.cpu_growth = process.cpu_ticks - before->cpu_ticks;
  process.io_growth_known =
      process.io_known && before->io_known && process.io[0] >= before->io[0] && process.io[1] >= before->io[1];
  if (!process.io_growth_known) return;
  for (size_t i = 0; i < 2; ++i) process.io_growth[i] = process.io[i] - before->io[i];
}

// When a process waits for an ended child, the kernel adds what the child has read and written to the process's own
// counters (wait_task_zombie() in kernel/exit.c). What the child did before the last reading was counted already.
void ProcessTable::leave_out_children() {
  for (const Process& child : ended_) {
    if (!child.io_known) continue;
    Process* const parent = find(child.parent);
    if (parent == nullptr || !parent->io_growth_known) continue;
    for (size_t i = 0; i < 2; ++i) {
      if (parent->io_growth[i] >= child.io[i]) parent->io_growth[i] -= child.io[i];
    }
  }
}

Status ProcessTable::read(bool with_io) {
  if (auto listed = list(); !listed) return listed;
  next_.clear();
  ended_.clear();
  next_names_.clear();
  unreadable_ = 0;
  fault_.clear();
  uint64_t latest_start = 0;
  auto before = processes_.begin();
  for (const uint32_t pid : pids_) {
    for (; before != processes_.end() && before->pid < pid; ++before) ended_.push_back(*before);
    Process process{.pid = pid};
    const auto outcome = read_process(process);
    if (!outcome) return outcome.error();
    if (*outcome == Outcome::kGone) continue;
    const bool listed_before = before != processes_.end() && before->pid == pid;
    const Process* const old = listed_before ? &*before++ : nullptr;
    if (*outcome == Outcome::kUnreadable) continue;
    if (with_io && !process.kernel_thread) read_io(process);
    const bool same = old != nullptr && old->start_ticks == process.start_ticks;
    if (old != nullptr && !same) ended_.push_back(*old);
    compare(process, same ? old : nullptr);
    latest_start = std::max(latest_start, process.start_ticks);
    next_.push_back(process);
  }
  ended_.insert(ended_.end(), before, processes_.end());
  std::swap(processes_, next_);
  std::swap(names_, next_names_);
  has_reading_ = true;
  latest_start_ = latest_start;
  leave_out_children();
  return {};
}

}  // namespace monitor::agent
