// monitor-agent's spool by its options, and what `monitor-agent spool` prints.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "base/worker.h"
#include "spool/file_spool.h"
#include "spool/spool.h"

namespace monitor {

struct SpoolFlags {
  std::string where;  // a folder, or "memory"; empty: below the agent's own folder
  std::string max = "1GiB";
  std::string full = "drop-oldest";
  std::string sync = "100ms";
  std::string folder;  // of the subcommands
};

void add_spool_options(CLI::App& app, SpoolFlags& flags);
// What is wrong with the options beyond their form; empty when nothing is.
std::string check_spool_flags(const SpoolFlags& flags);

// Owns the spool, and the thread that syncs it. Destroyed before the loop and the disk.
class AgentSpool {
 public:
  // `own_folder` is the agent's.
  AgentSpool(const SpoolFlags& flags, const std::string& own_folder, const std::string& incarnation, FileDisk& disk,
             EventLoop& loop, agent::SpoolListener& listener);

  agent::Spool& spool() { return *spool_; }
  // Whether batches are meant to be kept in files, not in memory alone.
  bool on_disk() const { return files_ != nullptr; }
  // What a document says; what it leaves open is as the options say.
  void set_limits(std::optional<uint64_t> max_bytes, std::optional<bool> drops_newest);
  // Once: takes the folder. kAborted: another process has it.
  Status open(std::function<void()> wake);
  void close();

 private:
  uint64_t max_bytes_;  // by the options
  agent::SpoolFull full_;
  ThreadWorker worker_;
  std::unique_ptr<agent::Spool> spool_;
  agent::FileSpool* files_ = nullptr;  // spool_, unless it is in memory
};

// `monitor-agent spool inspect|verify DIR`: the exit status.
int run_spool_command(const CLI::App& command, const SpoolFlags& flags);

}  // namespace monitor
