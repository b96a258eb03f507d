// The spool of monitor-agent, as configured by its options, and the subcommand `monitor-agent spool`.
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
  std::string folder;  // argument of the subcommands
};

void add_spool_options(CLI::App& app, SpoolFlags& flags);
// Validates the options and returns an error text, or an empty string.
std::string check_spool_flags(const SpoolFlags& flags);

// Owns the spool and the thread that syncs it. Must be destroyed before the loop and the disk.
class AgentSpool {
 public:
  // `own_folder` is the agent's folder.
  AgentSpool(const SpoolFlags& flags, const std::string& own_folder, const std::string& incarnation, FileDisk& disk,
             EventLoop& loop, Timers& calm, agent::SpoolListener& listener);

  agent::Spool& spool() { return *spool_; }
  // True if batches are stored in files, false if only in memory.
  bool on_disk() const { return files_ != nullptr; }
  // Applies a document's settings; for unset fields, the values of the options apply.
  void set_limits(std::optional<uint64_t> max_bytes, std::optional<bool> drops_newest);
  // Locks the folder. Call once. kAborted if another process has locked it.
  Status open(std::function<void()> wake);
  void close();

 private:
  uint64_t max_bytes_;  // from the options
  agent::SpoolFull full_;
  ThreadWorker worker_;
  std::unique_ptr<agent::Spool> spool_;
  agent::FileSpool* files_ = nullptr;  // spool_ as a FileSpool; nullptr for a spool in memory
};

// Runs `monitor-agent spool inspect|verify DIR` and returns the exit status.
int run_spool_command(const CLI::App& command, const SpoolFlags& flags);

}  // namespace monitor
