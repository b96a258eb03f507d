#include "bin/config/rollout_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/escape.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/input.h"
#include "bin/config/rollout_data.h"
#include "bin/config/rollout_view.h"
#include "bin/config/whole_document.h"
#include "config/keys.h"
#include "config/rollout/begin.h"
#include "config/rollout/judgement.h"

namespace monitor {

namespace {

namespace rollouts = config::rollout;
using rollouts::Driver;
using rollouts::Passed;
using rollouts::Rollout;

constexpr int64_t kBetweenLooks = 500 * kNanosPerMilli;
constexpr int64_t kShowEvery = kNanosPerSecond;
constexpr int64_t kRetryEvery = 2 * kNanosPerSecond;
constexpr int64_t kStatusFor = 10 * kNanosPerSecond;  // for which `status` continues what is left to do
constexpr size_t kMaxToken = 4096;
constexpr size_t kMostTries = 20;

bool passes(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
}

class Command {
 public:
  Command(const RolloutContext& context, const RolloutFlags& flags)
      : context_(context),
        config_(context.config),
        flags_(flags),
        author_(context.config.note.author),
        message_(context.config.note.message),
        judge_([this](const std::string& data) { return open_data(data); }) {}

  int run(const RolloutCommands& commands) {
    if (!flags_.query_token_file.empty()) {
      auto token = read_input(context_.disk, flags_.query_token_file, kMaxToken);
      if (!token) return config_failure(token.error().with_context("--query-token-file"));
      token_ = trim(*token);
    }
    if (commands.list->parsed()) return list();
    if (commands.controller->parsed()) return controller();
    if (config_.group.empty()) return config_.cli.usage_error("rollout: name the group with --group");
    if (commands.start->parsed()) return start();
    if (commands.status->parsed()) return status();
    if (commands.watch->parsed()) return watch();
    if (commands.pause->parsed()) {
      return operate([&](Rollout& one, int64_t now) { return pause(one, author_, message_, now); });
    }
    if (commands.resume->parsed()) {
      return operate([&](Rollout& one, int64_t now) { return resume(one, author_, now); });
    }
    return operate([&](Rollout& one, int64_t now) { return abort(one, author_, message_, now); });
  }

 private:
  int64_t now() const { return config_.wall_ns(); }
  bool json() const { return flags_.format == "json"; }
  rollouts::LookOptions look_options() const { return {now(), config_.fresh_ns(), 0}; }

  static std::string name() { return fmt::format("{}:{}", host_name(), getpid()); }

  Driver driver(const std::string& group) {
    return {context_.store,
            config_.loop.clock(),
            group,
            {.name = name(), .fresh_ns = config_.fresh_ns(), .judge = &judge_}};
  }

  // The token goes only to the address that this command names: the one in the state may be anybody's.
  Result<std::unique_ptr<query::SeriesSource>> open_data(const std::string& data) const {
    return open_rollout_data(data, data == flags_.query ? token_ : "");
  }

  // Where judgements read, and whether it can be opened.
  Result<std::string> data() const {
    std::string where = context_.default_data;
    if (!flags_.query.empty()) where = flags_.query;
    if (!flags_.history.empty()) where = "file:" + flags_.history;
    if (where.empty()) return where;
    const auto source = open_data(where);
    if (!source) return source.error();
    return where;
  }

  Result<rollouts::Request> request() const {
    auto document = read_whole_document(context_.disk, flags_.file, config::Edited::kShared, context_.plugins);
    if (!document) return document.error();
    rollouts::Request request;
    request.group = config_.group;
    request.document = document->text;
    request.author = author_;
    request.message = message_;
    request.salt = flags_.salt;
    request.spread_by = flags_.spread_by;
    request.wait_ns = flags_.wait_ns;
    request.patience_ns = flags_.patience_ns;
    request.apply_ns = flags_.apply_ns;
    request.lease_ns = flags_.keep_ns;
    request.abort_on = flags_.abort_on;
    request.judges = flags_.judges;
    request.retry = flags_.retry;
    return request;
  }

  // The parts of the command line that are an error of usage; an error text, or an empty one.
  std::string complete(rollouts::Request& request) const {
    const auto canary = rollouts::parse_amount(flags_.canary);
    if (!canary) return "--canary: " + canary.error().message();
    const auto steps = rollouts::parse_amounts(flags_.steps);
    if (!steps) return "--steps: " + steps.error().message();
    const auto all = rollouts::steps_of(*canary, *steps);
    if (!all) return "--steps: " + all.error().message();
    request.steps = *all;
    constexpr int64_t kLeastKeep = 30 * kNanosPerSecond;
    constexpr int64_t kMostTime = int64_t{30} * 24 * 3600 * kNanosPerSecond;
    if (request.lease_ns < kLeastKeep || request.lease_ns > kMostTime) {
      return fmt::format("--keep: got {}, expected 30s to 30d", format_duration(request.lease_ns));
    }
    for (const int64_t one : {request.wait_ns, request.patience_ns, request.apply_ns}) {
      if (one > kMostTime) return fmt::format("got {}, expected at most 30d", format_duration(one));
    }
    for (const std::string& judge : request.judges) {
      if (Status good = rollouts::check_judgement(judge); !good) {
        return fmt::format("--judge {}: {}", json_quote(judge.substr(0, 200)), good.error().message());
      }
    }
    const auto where = data();
    if (!where) return "the data of the judgements: " + where.error().message();
    request.data = *where;
    if (flags_.no_judge) return "";
    if (request.judges.empty() && !request.data.empty()) request.judges = rollouts::default_judgements();
    if (!request.judges.empty() && request.data.empty()) {
      return "--judge: no data to judge by; name it with --query URL or --history FILE";
    }
    return "";
  }

  int start() {
    auto request = this->request();
    if (!request) return config_failure(request.error().with_context("nothing was begun"));
    if (std::string fault = complete(*request); !fault.empty()) return config_.cli.usage_error(fault);
    const std::string id = fmt::format("{}-{}", format_rfc3339(now(), 3).substr(0, 19),
                                       rollouts::digest_of(request->document).substr(0, 4));
    const auto begun = rollouts::begin(context_.store, *request, id, look_options());
    if (!begun) {
      const int code = config_failure(begun.error().with_context("nothing was begun"));
      return begun.error().code() == Code::kFailedPrecondition ? kExitConfig : code;
    }
    if (!json() && request->judges.empty()) {
      std::cerr << "monitor-config: it is judged by the agents' status only; --query or --history name data\n";
    }
    if (flags_.detach) {
      std::cout << (json()
                        ? event_json(*begun, begun->events.back())
                        : fmt::format("rollout {} of group {} has begun; a controller or `monitor-config rollout watch "
                                      "--group {}` continues it\n",
                                      begun->id, begun->group, begun->group))
                << std::flush;
      return kExitOk;
    }
    return watch();
  }

  int none() const {
    std::cerr << fmt::format("monitor-config: group {} has had no rollout\n", printable(config_.group));
    return kExitNegative;
  }

  // Continues what is left to do, unless only a look is wanted or allowed.
  Result<Passed> look(Driver& driver) {
    if (flags_.read_only || looks_only_) return driver.see();
    auto passed = driver.pass();
    if (!passed && passed.error().code() == Code::kPermissionDenied) {
      looks_only_ = true;
      return driver.see();
    }
    return passed;
  }

  int status() {
    Driver one = driver(config_.group);
    const int64_t end = config_.loop.clock().mono_ns() + kStatusFor;
    while (true) {
      auto passed = look(one);
      if (!passed) return config_failure(passed.error());
      if (!passed->rollout) return none();
      if (passed->busy && config_.loop.clock().mono_ns() < end) continue;
      if (passed->drives) one.release();
      std::cout << (json() ? rollout_json(*passed) : rollout_text(*passed, now())) << std::flush;
      return kExitOk;
    }
  }

  int watch() {
    bool stopped = false;
    const Signals signals(config_.loop, [&](int) { stopped = true; });
    Driver one = driver(config_.group);
    std::optional<Passed> last;
    while (!stopped) {
      auto passed = look(one);
      if (!passed && !passes(passed.error())) return config_failure(passed.error());
      if (!passed) {
        log_warning("the configuration cannot be read; retrying", {{"reason", passed.error()}});
        wait_on(config_.loop, kRetryEvery);
        continue;
      }
      if (!passed->rollout) return none();
      show(*passed);
      if (!std::cout.good()) return kExitOk;  // guard() reports the reason and the status
      if (is_over(passed->rollout->state)) return end_of(*passed->rollout);
      const bool busy = passed->busy;
      last = std::move(*passed);
      // Signals come through the loop.
      wait_on(config_.loop, busy ? 0 : kBetweenLooks);
    }
    if (last) {
      if (last->drives) one.release();
      std::cerr << fmt::format(
          "monitor-config: the rollout goes on with `monitor-config rollout watch --group {}` or a controller; "
          "otherwise its "
          "changes end at {}\n",
          config_.group, format_rfc3339(last->rollout->lease_until_ns, 0));
    }
    return kExitTempFail;
  }

  void show(const Passed& passed) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    if (terminal && !json()) {
      const int64_t mono = config_.loop.clock().mono_ns();
      if (mono - shown_ns_ < kShowEvery && !is_over(passed.rollout->state)) return;
      shown_ns_ = mono;
      std::cout << "\x1b[H\x1b[2J" << rollout_text(passed, now()) << std::flush;
      return;
    }
    const Rollout& rollout = *passed.rollout;
    for (const rollouts::Event& event : rollout.events) {
      if (event.time_ns / kNanosPerMilli < told_ms_ || told_.contains(event.what + event.text)) continue;
      if (event.time_ns / kNanosPerMilli > told_ms_) told_.clear();
      told_ms_ = event.time_ns / kNanosPerMilli;
      told_.insert(event.what + event.text);
      std::cout << (json() ? event_json(rollout, event) : event_text(event));
    }
    if (json() && rollout.counts != told_counts_) {
      std::cout << progress_json(rollout, now());
      told_counts_ = rollout.counts;
    }
    std::cout << std::flush;
  }

  int end_of(const Rollout& rollout) const {
    if (rollout.state == rollouts::State::kDone) return kExitOk;
    std::cerr << fmt::format("monitor-config: the rollout {}: {}\n", to_string(rollout.state),
                             printable(rollout.reason));
    return kExitNegative;
  }

  template <typename Change>
  int operate(const Change& change) {
    const std::string key = config::rollout_key(config_.group);
    for (size_t i = 0; i < kMostTries; ++i) {
      const auto stored = config_.store.get(key);
      if (!stored) return config_failure(stored.error());
      if (!*stored) return none();
      auto rollout = rollouts::parse_rollout((*stored)->value);
      if (!rollout) return config_failure(rollout.error().with_context(config_.store.describe(key)));
      if (Status done = change(*rollout, now()); !done) {
        std::cerr << "monitor-config: " << printable(done.error().message()) << "\n";
        return kExitTempFail;
      }
      // This command carries it out, or lets go when there is nothing left to do now.
      rollout->driver = name();
      rollout->driver_until_ns = now() + Driver::kTurnNs;
      const auto written = context_.store.swap({key, *stored, rollouts::to_json(*rollout)});
      if (!written && written.error().code() == Code::kAborted) continue;
      if (!written) return config_failure(written.error());
      return status();
    }
    std::cerr << "monitor-config: the rollout changes too quickly; try again\n";
    return kExitTempFail;
  }

  int list() {
    const auto keys = config_.store.list(std::string(config::kRolloutsRoot));
    if (!keys) return config_failure(keys.error());
    const auto all = rollouts::rollouts_in(*keys);
    for (const Rollout& one : all.rollouts) {
      if (!config_.group.empty() && one.group != config_.group) continue;
      std::cout << (json() ? list_json(one) : list_text(one));
    }
    for (const auto& [key, error] : all.faults) {
      std::cerr << fmt::format("monitor-config: {}: {}\n", printable(key), printable(error.message()));
    }
    std::cout << std::flush;
    return all.faults.empty() ? kExitOk : kExitNegative;
  }

  int controller() {
    bool stopped = false;
    const Signals signals(config_.loop, [&](int) { stopped = true; });
    log_info("rollouts are continued from here", {});
    while (!stopped) wait_on(config_.loop, control_all() ? 0 : kBetweenLooks);
    for (const auto& [group, driver] : drivers_) driver->release();
    return kExitOk;
  }

  // One pass of every rollout that runs. True: there is more to do at once.
  bool control_all() {
    const auto keys = config_.store.list(std::string(config::kRolloutsRoot));
    if (!keys) {
      log_warning("the rollouts cannot be read; retrying", {{"reason", keys.error()}});
      wait_on(config_.loop, kRetryEvery);
      return false;
    }
    bool busy = false;
    for (const Rollout& one : rollouts::rollouts_in(*keys).rollouts) {
      if (is_over(one.state)) {
        drivers_.erase(one.group);
        continue;
      }
      auto& driver = drivers_[one.group];
      if (driver == nullptr) driver = std::make_unique<Driver>(this->driver(one.group));
      const auto passed = driver->pass();
      if (!passed) {
        log_warning("a rollout cannot be continued; retrying", {{"group", one.group}, {"reason", passed.error()}});
        continue;
      }
      busy = busy || passed->busy;
      if (passed->drives && passed->rollout->state != one.state) {
        log_info("rollout", {{"group", one.group}, {"state", describe_state(*passed->rollout)}});
      }
    }
    return busy;
  }

  const RolloutContext& context_;
  const ConfigContext& config_;
  const RolloutFlags& flags_;
  const std::string& author_;
  const std::string& message_;
  std::string token_;
  rollouts::DataJudge judge_;
  bool looks_only_ = false;
  int64_t shown_ns_ = -kShowEvery;
  int64_t told_ms_ = 0;
  std::set<std::string> told_;
  rollouts::Counts told_counts_;
  std::map<std::string, std::unique_ptr<Driver>> drivers_;
};

}  // namespace

int run_rollout(const RolloutContext& context, const RolloutFlags& flags, const RolloutCommands& commands) {
  return Command(context, flags).run(commands);
}

}  // namespace monitor
