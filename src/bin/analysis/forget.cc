#include "bin/analysis/forget.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "base/disk.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/analysis/config_stores.h"
#include "config/fleet.h"
#include "config/keys.h"
#include "consume/consumer.h"

namespace monitor {

namespace {

// An agent writes its status and a heartbeat every 10 s. If its status (in files) or its newest record is older than
// this, the agent is gone.
constexpr int64_t kAliveFor = 30 * kNanosPerSecond;
// How many of the newest records are searched for an agent that is not in the configuration.
constexpr int64_t kMostRecords = 20'000;
constexpr int64_t kBlock = 500;

struct LastRecord {
  int64_t time_ns = 0;
  bool final_batch = false;  // the agent stopped in order
};

// The newest record of an agent since `since_ns`, or of the last kMostRecords.
Result<std::optional<LastRecord>> last_record(metriclog::LogBrowser& browser, const std::string& agent,
                                              int64_t since_ns) {
  const auto partitions = browser.partitions();
  if (!partitions) return partitions.error();
  if (partitions->empty()) return std::optional<LastRecord>();
  const int32_t number = browser.partition_of(agent, partitions->size());
  const auto extent = std::ranges::find(*partitions, number, &metriclog::PartitionExtent::partition);
  if (extent == partitions->end()) return std::optional<LastRecord>();
  int64_t begin = std::max(extent->begin, extent->end - kMostRecords);
  if (since_ns > 0) {
    const auto at = browser.offset_at(number, since_ns);
    if (!at) return at.error();
    begin = std::max(begin, *at);
  }
  for (int64_t end = extent->end; end > begin;) {
    const int64_t from = std::max(begin, end - kBlock);
    const auto records = browser.read(number, from, static_cast<size_t>(end - from));
    if (!records) return records.error();
    for (auto record = records->rbegin(); record != records->rend(); ++record) {
      if (record->key != agent) continue;
      const auto batch = analysis::decode_record(*record);
      return std::optional(LastRecord{record->time_ns, batch && batch->final_batch});
    }
    end = from;
  }
  return std::optional<LastRecord>();
}

class Forget {
 public:
  Forget(const ForgetFlags& flags, config::ConfigStore& store) : flags_(flags), store_(store) {}

  int run() {
    const auto keys = store_.list(std::string(config::kKeyRoot));
    if (!keys) return fail("the configuration cannot be read", keys.error());
    const auto fresh = flags_.dir.empty() ? std::nullopt : std::optional(kAliveFor);
    const auto row = config::row_of(*keys, flags_.agent, now_ns_, fresh);
    if (row && config::lives(row->state)) {
      return refuse(
          fmt::format("{} is alive: its status is from {} ago. Stop it first; it would come back with its next "
                      "report",
                      flags_.agent, age(row->seen_ns)));
    }
    if (const auto code = check_log(row.has_value())) return *code;
    return write();
  }

 private:
  std::string age(int64_t then_ns) const {
    return format_duration(std::max<int64_t>(0, now_ns_ - then_ns) / kNanosPerSecond * kNanosPerSecond);
  }

  static int refuse(const std::string& why) {
    std::cerr << "monitor-analysis: " << why << "\n";
    return kExitNegative;
  }

  static int fail(const char* what, const Error& error) {
    log_error(what, {{"reason", error}, {"next", "the agent was not forgotten"}});
    return exit_code_for(error);
  }

  // Returns the exit status if the log shows that the agent must not be forgotten.
  std::optional<int> check_log(bool in_configuration) const {
    const auto browser = open_log_browser(flags_.log);
    if (!browser) return fail("the metric log cannot be read", browser.error());
    const auto last = last_record(**browser, flags_.agent, in_configuration ? now_ns_ - kAliveFor : 0);
    if (!last) return fail("the metric log cannot be read", last.error());
    if (!*last && !in_configuration) {
      return refuse(
          fmt::format("{} was never seen, neither in the configuration nor in {}", flags_.agent, flags_.log.address()));
    }
    if (*last && !(*last)->final_batch && now_ns_ - (*last)->time_ns < kAliveFor) {
      return refuse(
          fmt::format("{} is alive, or was a moment ago: its newest record in the log is {} old. Stop it "
                      "first, or retry in {}",
                      flags_.agent, age((*last)->time_ns), format_duration(kAliveFor)));
    }
    return std::nullopt;
  }

  int write() {
    config::AgentInventory note;
    note.forgotten_ns = now_ns_;
    const auto noted = store_.update(config::inventory_key(flags_.agent),
                                     [&](const std::optional<config::Stored>&) -> Result<std::optional<std::string>> {
                                       return std::optional(to_json(note));
                                     });
    if (!noted) return fail("the configuration cannot be written", noted.error());
    // Files have no lease, so the status of a killed agent is still there.
    if (!flags_.dir.empty()) {
      const auto removed =
          store_.update(config::status_key(flags_.agent),
                        [](const std::optional<config::Stored>&) -> Result<std::optional<std::string>> {
                          return std::optional<std::string>();
                        });
      if (!removed && removed.error().code() != Code::kNotFound) {
        return fail("the agent's status cannot be removed", removed.error());
      }
    }
    std::cout << fmt::format(
        "{} is forgotten: the page no longer lists it and deletes its history; the log keeps its "
        "records\n",
        flags_.agent);
    return kExitOk;
  }

  const ForgetFlags& flags_;
  config::ConfigStore& store_;
  const int64_t now_ns_ = SystemClock().wall_ns();
};

}  // namespace

CLI::App* declare_forget(CLI::App& app, ForgetFlags& flags) {
  CLI::App* const sub = app.add_subcommand(
      "forget", "Remove a retired agent from the page's lists and its history; it reappears when it sends data again");
  sub->add_option("agent", flags.agent, "Id of the agent")->type_name("AGENT")->required();
  add_log_options(*sub, flags.log);
  add_configuration_options(*sub, flags.etcd, flags.dir);
  return sub;
}

int forget_agent(const Cli& cli, ForgetFlags& flags) {
  if (!valid_name(flags.agent)) {
    return cli.usage_error(fmt::format("forget: got the name {}, expected 1 to 128 of [A-Za-z0-9._-]",
                                       json_quote(flags.agent.substr(0, 160))));
  }
  if (const std::string fault = resolve_log(cli, flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = resolve_configuration(cli, flags.etcd, flags.dir); !fault.empty()) {
    return cli.usage_error(fault);
  }
  if (const std::string fault = check_etcd_flags(flags.etcd); !fault.empty()) return cli.usage_error(fault);
  PosixDisk disk;
  auto store = open_config_store(flags.etcd, flags.dir, disk);
  if (!store) {
    log_error("the configuration cannot be opened", {{"reason", store.error()}});
    return exit_code_for(store.error());
  }
  return Forget(flags, **store).run();
}

}  // namespace monitor
