// The engine of rules with a Notifier, on data from standard input, for tests in Python:
//   alert_driver CONFIG FOLDER [KILL_AT]
// The rule: alert A for each agent whose point of the second is above 10, for 2 s. Commands, one a line:
//   point AGENT TIME_MS VALUE
//   silent AGENT...      the data of these agents is undelivered from now on; none: all is delivered
//   advance TIME_MS      the watermark; answered with "done"
// KILL_AT: at this step of engine, notifier and senders, the process kills itself.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "notify/notifier.h"
#include "query/testing/memory_source.h"
#include "rules/engine.h"
#include "rules/rule_file.h"
#include "rules/sqlite_store.h"

namespace {

using monitor::query::Labels;
namespace notify = monitor::notify;
namespace rules = monitor::rules;

constexpr const char* kRules = R"(groups:
- name: g
  interval: 1s
  rules:
  - alert: A
    expr: max_over_time(m[1s]) > 10
    for: 2s
)";

class Steps {
 public:
  explicit Steps(int kill_at) : kill_at_(kill_at) {}
  void reach(std::string_view step) {
    if (kill_at_ > 0 && step != "looked" && ++count_ == kill_at_) kill(getpid(), SIGKILL);
  }

 private:
  const int kill_at_;
  std::atomic<int> count_ = 0;
};

// A step before and after each sending.
class SteppingSender final : public notify::Sender {
 public:
  SteppingSender(std::unique_ptr<notify::Sender> inner, Steps& steps) : inner_(std::move(inner)), steps_(steps) {}
  notify::Outcome send(const notify::Notification& notification, const std::atomic<bool>& stop) override {
    steps_.reach("sending");
    auto outcome = inner_->send(notification, stop);
    steps_.reach("sent");
    return outcome;
  }

 private:
  const std::unique_ptr<notify::Sender> inner_;
  Steps& steps_;
};

// A step between what the engine has stored and what the notifier hears of it.
class SteppingSink final : public rules::AlertSink {
 public:
  SteppingSink(rules::AlertSink& inner, Steps& steps) : inner_(inner), steps_(steps) {}
  void update(std::span<const rules::Alert> alerts, int64_t at_ms) override { inner_.update(alerts, at_ms); }
  void update_group(const std::string& group, std::span<const rules::Alert> alerts, int64_t at_ms) override {
    steps_.reach("evaluated");
    inner_.update_group(group, alerts, at_ms);
    steps_.reach("told");
  }

 private:
  rules::AlertSink& inner_;
  Steps& steps_;
};

notify::NotifierOptions options_of(const std::string& config, const std::string& folder, Steps& steps,
                                   const monitor::Clock& clock) {
  notify::NotifierOptions options;
  options.config_path = config;
  options.store_path = folder + "/alerts.db";
  options.look_ms = 100;
  options.limits.backoff_ms = 20;
  options.limits.backoff_cap_ms = 100;
  options.senders.clock = &clock;
  options.at_step = [&steps](std::string_view step) { steps.reach(step); };
  options.make = [&steps, senders = options.senders](const notify::Integration& one) {
    return std::make_unique<SteppingSender>(notify::make_sender(one, senders), steps);
  };
  return options;
}

class Session {
 public:
  explicit Session(rules::Engine& engine, monitor::query::MemorySource& data) : engine_(engine), data_(data) {}

  bool obey(const std::string& line) {
    const auto words = monitor::split(line, ' ');
    if (words[0] == "point" && words.size() == 4) {
      data_.add(Labels({{"__name__", "m"}, {"agent", std::string(words[1])}}),
                {number(words[2]), static_cast<double>(number(words[3]))});
      return true;
    }
    if (words[0] == "silent") {
      silent_.clear();
      for (size_t i = 1; i < words.size(); ++i) silent_.emplace(words[i]);
      return true;
    }
    if (words[0] != "advance" || words.size() != 2) return false;
    rules::Progress progress{.watermark_ms = number(words[1]), .now_ms = number(words[1])};
    progress.undelivered = [this](const Labels& labels, int64_t /*at_ms*/) {
      return silent_.contains(std::string(labels.get("agent")));
    };
    if (const auto done = engine_.advance(progress); !done) {
      std::cerr << done.error().message() << "\n";
      return false;
    }
    std::cout << "done" << std::endl;
    return true;
  }

 private:
  static int64_t number(std::string_view text) { return monitor::parse_i64(text).value_or(0); }

  rules::Engine& engine_;
  monitor::query::MemorySource& data_;
  std::set<std::string> silent_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const std::string folder = argv[2];
  const monitor::SystemClock clock;
  monitor::telemetry::Registry registry;
  monitor::query::MemorySource data;
  Steps steps(argc > 3 ? static_cast<int>(monitor::parse_i64(argv[3]).value_or(0)) : 0);
  auto store = rules::SqliteStore::open({.path = folder + "/rules.db"});
  auto notifier = notify::Notifier::start(options_of(argv[1], folder, steps, clock), clock, registry);
  if (!store || !notifier) {
    std::cerr << (store ? notifier.error() : store.error()).message() << "\n";
    return 78;
  }
  SteppingSink sink(**notifier, steps);
  rules::Engine engine({}, data, **store, clock, registry);
  engine.set_sink(&sink);
  if (const auto begun = engine.replace(std::move(rules::parse_rule_file(kRules, "f").groups)); !begun) return 78;
  std::cout << "ready" << std::endl;
  Session session(engine, data);
  for (std::string line; std::getline(std::cin, line);) {
    if (!session.obey(line)) return 65;
  }
  return 0;
}
