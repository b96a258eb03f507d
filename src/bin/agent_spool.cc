#include "bin/agent_spool.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/exit_codes.h"
#include "base/log.h"
#include "base/size_format.h"
#include "spool/inspect.h"
#include "spool/memory_spool.h"

namespace monitor {

namespace {

constexpr std::string_view kMemory = "memory";

agent::SpoolFull full_of(const SpoolFlags& flags) {
  return flags.full == "drop-newest" ? agent::SpoolFull::kDropNewest : agent::SpoolFull::kDropOldest;
}

agent::SpoolSync sync_of(const SpoolFlags& flags) {
  if (flags.sync == "batch") return agent::SpoolSync::kBatch;
  return flags.sync == "never" ? agent::SpoolSync::kNever : agent::SpoolSync::k100Ms;
}

}  // namespace

void add_spool_options(CLI::App& app, SpoolFlags& flags) {
  app.add_option("--spool", flags.where,
                 "Where unacknowledged batches are stored: a folder, or memory "
                 "(default: spool in the agent's folder)")
      ->type_name("DIR|memory");
  app.add_option("--spool-max", flags.max, "Maximum size of the spool, at least 1MiB; in memory at most 64MiB")
      ->type_name("SIZE");
  app.add_option("--spool-full", flags.full, "Which batches to drop when the spool is full: drop-oldest or drop-newest")
      ->check(CLI::IsMember({"drop-oldest", "drop-newest"}));
  app.add_option(
         "--spool-sync", flags.sync,
         "When to fsync the spool against power loss: batch (every batch before it is sent), 100ms (batches not "
         "acknowledged by then), never")
      ->check(CLI::IsMember({"batch", "100ms", "never"}));
  CLI::App& spool = *app.add_subcommand("spool", "Inspect a spool without changing it");
  spool.require_subcommand(1);
  for (const auto& [name, text] : {std::pair{"inspect", "Show segments, waiting batches and the checkpoint"},
                                   std::pair{"verify", "Read everything; exit with 1 if anything is damaged"}}) {
    spool.add_subcommand(name, text)
        ->add_option("DIR", flags.folder, "The spool's folder")
        ->required()
        ->type_name("DIR");
  }
}

std::string check_spool_flags(const SpoolFlags& flags) {
  const auto max = parse_size(flags.max);
  if (!max) return "--spool-max: " + max.error().message();
  if (*max < agent::FileSpoolOptions::kLeastMaxBytes) {
    return fmt::format("--spool-max: got {}, expected at least {}", format_size(*max),
                       format_size(agent::FileSpoolOptions::kLeastMaxBytes));
  }
  return "";
}

AgentSpool::AgentSpool(const SpoolFlags& flags, const std::string& own_folder, const std::string& incarnation,
                       FileDisk& disk, EventLoop& loop, Timers& calm, agent::SpoolListener& listener)
    : max_bytes_(parse_size(flags.max).value()), full_(full_of(flags)), worker_(loop) {
  if (flags.where == kMemory) {
    const size_t bytes = std::min<size_t>(max_bytes_, agent::MemorySpool::kDefaultMaxBytes);
    spool_ = std::make_unique<agent::MemorySpool>(listener, loop.clock(), bytes, full_);
    return;
  }
  agent::FileSpoolOptions options;
  options.folder = flags.where.empty() ? own_folder + "/spool" : flags.where;
  while (options.folder.size() > 1 && options.folder.ends_with('/')) options.folder.pop_back();
  options.incarnation = incarnation;
  options.max_bytes = max_bytes_;
  options.full = full_;
  options.sync = sync_of(flags);
  auto files = std::make_unique<agent::FileSpool>(disk, calm, worker_, listener, std::move(options));
  files_ = files.get();
  spool_ = std::move(files);
}

void AgentSpool::set_limits(std::optional<uint64_t> max_bytes, std::optional<bool> drops_newest) {
  const uint64_t max = max_bytes.value_or(max_bytes_);
  const agent::SpoolFull newest = agent::SpoolFull::kDropNewest;
  const agent::SpoolFull full = !drops_newest ? full_ : *drops_newest ? newest : agent::SpoolFull::kDropOldest;
  spool_->set_limits(files_ != nullptr ? max : std::min<uint64_t>(max, agent::MemorySpool::kDefaultMaxBytes), full);
}

Status AgentSpool::open(std::function<void()> wake) {
  if (files_ == nullptr) return {};
  files_->set_wake(std::move(wake));
  return files_->open();
}

void AgentSpool::close() {
  if (files_ != nullptr) files_->close();
}

int run_spool_command(const CLI::App& command, const SpoolFlags& flags) {
  PosixDisk disk;
  const bool verify = command.got_subcommand("verify");
  std::string folder = flags.folder;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  // The disk opens no file of another user, so that all of a service's spool would be reported as unreadable.
  struct stat info{};
  if (stat(folder.c_str(), &info) == 0 && info.st_uid != 0 && info.st_uid != geteuid()) {
    log_error("the spool cannot be read",
              {{"reason", fmt::format("{} belongs to user {}", folder, info.st_uid)},
               {"next", fmt::format("run this as its user: setpriv --reuid {} --clear-groups monitor-agent spool {} {}",
                                    info.st_uid, verify ? "verify" : "inspect", folder)}});
    return kExitIo;
  }
  const auto report = inspect_spool(disk, folder, verify ? agent::Inspect::kVerify : agent::Inspect::kOverview);
  if (!report) {
    log_error("the spool cannot be read", {{"reason", report.error()}});
    return kExitIo;
  }
  std::cout << report->text << std::flush;
  return verify && report->damaged ? kExitNegative : kExitOk;
}

}  // namespace monitor
