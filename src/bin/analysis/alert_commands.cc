#include "bin/analysis/alert_commands.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "base/disk.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "metriclog/start_at.h"
#include "notify/config.h"
#include "notify/overview.h"
#include "query/duration.h"
#include "query/json.h"

namespace monitor {

namespace {

using notify::AlertStore;
using notify::Silence;
using rules::Alert;
using rules::AlertState;

std::string user_name() {
  const passwd* const entry = getpwuid(getuid());  // NOLINT(concurrency-mt-unsafe): one thread
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : std::to_string(getuid());
}

int fail(const char* what, const Error& error) {
  log_error(what, {{"reason", error}});
  return exit_code_for(error);
}

int refuse(const std::string& text) {
  std::cerr << "monitor-analysis: " << printable_lines(text) << "\n";
  return kExitNegative;
}

std::string labels_text(const Alert& alert) {
  query::Labels labels = alert.labels;
  labels.remove("alertname");
  return printable(alert.labels.get("alertname")) + (labels.empty() ? "" : printable(labels.to_string()));
}

std::string age_text(int64_t ms) {
  constexpr int64_t kSecond = 1000;
  return query::format_duration_ms(std::max<int64_t>(0, ms) / kSecond * kSecond);
}

class Command {
 public:
  Command(const Cli& cli, AlertFlags& flags) : cli_(cli), flags_(flags) {}

  int check() const {
    const auto config = notify::load_config(flags_.file);
    if (!config && config.error().code() != Code::kInvalidArgument) {
      return fail("the configuration cannot be read", config.error());
    }
    if (!config) return refuse(config.error().message());
    if (const Status files = notify::check_files(*config); !files) return refuse(files.error().message());
    std::cout << fmt::format("{}: {} receivers, {} inhibit rules: no fault\n", printable(flags_.file),
                             config->receivers.size(), config->inhibit_rules.size());
    return kExitOk;
  }

  int list() {
    auto store = open(AlertStore::Open::kExisting);
    if (!store) return fail("the alerts cannot be read", store.error());
    const auto config = configuration(**store);
    const auto rows = notify::overview(**store, config ? &*config : nullptr, now_ms_);
    if (!rows) return fail("the alerts cannot be read", rows.error());
    if (json()) {
      std::cout << notify::overview_json(*rows) << "\n";
      return kExitOk;
    }
    std::cout << fmt::format("{:<8} {:<20} {:>12}  {:<40} {}\n", "STATE", "SINCE", "VALUE", "ALERT",
                             "QUIET BECAUSE OF");
    for (const notify::AlertRow& row : *rows) {
      const bool firing = row.alert.state == AlertState::kFiring;
      std::cout << fmt::format(
          "{:<8} {:<20} {:>12}  {:<40} {}\n", firing ? "firing" : "pending",
          format_rfc3339((firing ? row.alert.fired_at_ms : row.alert.active_at_ms) * kNanosPerMilli, 0),
          query::value_text(row.alert.value), labels_text(row.alert), quiet(row));
    }
    if (!config) std::cerr << "monitor-analysis: inhibition is not shown: " << config.error().message() << "\n";
    return kExitOk;
  }

  int history() {
    auto store = open(AlertStore::Open::kExisting);
    if (!store) return fail("the alerts cannot be read", store.error());
    const auto rows = notify::history(**store, now_ms_ - flags_.last_ns / kNanosPerMilli, flags_.limit);
    if (!rows) return fail("the alerts cannot be read", rows.error());
    if (json()) {
      std::cout << notify::history_json(*rows) << "\n";
      return kExitOk;
    }
    std::cout << fmt::format("{:<20} {:>12}  {:<40} {}\n", "FIRED", "LASTED", "ALERT", "TOLD");
    for (const notify::HistoryRow& row : *rows) {
      const bool ended = row.alert.state == AlertState::kResolved;
      const int64_t until = ended ? row.alert.resolved_at_ms : now_ms_;
      std::cout << fmt::format("{:<20} {:>12}  {:<40}{}\n", format_rfc3339(row.alert.fired_at_ms * kNanosPerMilli, 0),
                               age_text(until - row.alert.fired_at_ms) + (ended ? "" : "+"), labels_text(row.alert),
                               row.deliveries.empty() ? " nobody" : "");
      for (const notify::Delivery& one : row.deliveries) {
        std::cout << fmt::format("{:<34}  {} {}/{}: {} ({})\n", "", format_rfc3339(one.decided_ms * kNanosPerMilli, 0),
                                 printable(one.receiver), one.integration, one.result.empty() ? "waiting" : one.result,
                                 printable(one.answer));
      }
    }
    return kExitOk;
  }

  int silence() {
    const int ways = (flags_.list ? 1 : 0) + (flags_.expire.empty() ? 0 : 1) + (flags_.edit.empty() ? 0 : 1);
    if (ways > 1) return cli_.usage_error("--list, --edit and --expire exclude one another");
    if (flags_.list) return list_silences();
    if (flags_.author.empty()) flags_.author = user_name();
    auto store = open(AlertStore::Open::kCreate);
    if (!store) return fail("the silences cannot be changed", store.error());
    if (!flags_.expire.empty()) return answer((*store)->expire_silence(flags_.expire, flags_.author, by()));
    return set_silence(**store);
  }

  int test() {
    auto store = open(AlertStore::Open::kExisting);
    if (!store && flags_.config.empty()) {
      return cli_.usage_error("test-notification: name the configuration with --notify: " + store.error().message());
    }
    const auto config = store ? configuration(**store) : notify::load_config(flags_.config);
    if (!config) return refuse(config.error().message());
    const notify::Receiver* const receiver = config->receiver(flags_.receiver);
    if (receiver == nullptr) {
      std::vector<std::string> names;
      for (const notify::Receiver& one : config->receivers) names.push_back(one.name);
      return refuse(
          fmt::format("there is no receiver {}; there are {}", json_quote(flags_.receiver), join(names, ", ")));
    }
    bool all = true;
    size_t sent = 0;
    for (const notify::Integration& one : receiver->integrations) {
      if (!flags_.integration.empty() && flags_.integration != one.name) continue;
      ++sent;
      all = test_one(*receiver, one, sent > 1) && all;
    }
    if (json()) std::cout << (sent > 0 ? "]\n" : "[]\n");
    if (sent == 0) return refuse(fmt::format("receiver {} has no such integration", json_quote(flags_.receiver)));
    return all ? kExitOk : kExitNegative;
  }

 private:
  bool json() const { return flags_.format == "json"; }
  static std::string by() { return "command of " + user_name(); }

  Result<std::unique_ptr<AlertStore>> open(AlertStore::Open mode) {
    std::string path = flags_.store;
    if (path.empty()) {
      std::string data = cli_.data_folder();
      if (!cli_.data_named()) {
        const auto running = cli_.running();
        if (!running) return running.error();
        if (*running != nullptr) data = (*running)->data;
      }
      path = data + "/alerts.db";
      PosixDisk disk;
      if (mode == AlertStore::Open::kCreate) {
        if (Status made = make_trusted_folder(disk, data, "the data folder"); !made) return made.error();
      }
    }
    return AlertStore::open(path, mode, clock_);
  }

  Result<notify::Config> configuration(AlertStore& store) const {
    std::string path = flags_.config;
    if (path.empty()) {
      auto noted = store.config_path();
      if (!noted) return noted.error();
      path = *noted;
    }
    if (path.empty()) return Error(Code::kNotFound, "no program has noted its configuration; name it with --notify");
    return notify::load_config(path);
  }

  static std::string quiet(const notify::AlertRow& row) {
    std::vector<std::string> reasons;
    for (const std::string& id : row.silenced_by) reasons.push_back("silence " + id);
    for (const query::Labels& one : row.inhibited_by) reasons.push_back("alert " + printable(one.to_string()));
    return reasons.empty() ? "-" : join(reasons, ", ");
  }

  int list_silences() {
    auto store = open(AlertStore::Open::kExisting);
    if (!store) return fail("the silences cannot be read", store.error());
    auto silences = (*store)->silences();
    if (!silences) return fail("the silences cannot be read", silences.error());
    if (!flags_.all) {
      std::erase_if(*silences, [&](const Silence& one) { return one.state(now_ms_) == Silence::State::kExpired; });
    }
    if (json()) {
      std::cout << notify::silences_json(*silences, now_ms_) << "\n";
      return kExitOk;
    }
    std::cout << fmt::format("{:<16} {:<8} {:<20} {:<20} {:<12} {:<40} {}\n", "ID", "STATE", "BEGINS", "ENDS", "AUTHOR",
                             "MATCHERS", "REASON");
    for (const Silence& one : *silences) {
      std::cout << fmt::format("{:<16} {:<8} {:<20} {:<20} {:<12} {:<40} {}\n", one.id, to_string(one.state(now_ms_)),
                               format_rfc3339(one.starts_ms * kNanosPerMilli, 0),
                               format_rfc3339(one.ends_ms * kNanosPerMilli, 0), printable(one.author),
                               printable(notify::to_string(one.matchers)), printable(one.reason));
    }
    return kExitOk;
  }

  int set_silence(AlertStore& store) {
    Silence silence;
    silence.starts_ms = now_ms_;
    if (!flags_.edit.empty()) {
      const auto known = store.silences();
      if (!known) return fail("the silences cannot be read", known.error());
      const auto old = std::ranges::find(*known, flags_.edit, &Silence::id);
      if (old == known->end()) return refuse("there is no silence " + flags_.edit);
      silence = *old;
    } else if (flags_.matchers.empty() || flags_.for_ns == 0 || flags_.reason.empty()) {
      return cli_.usage_error("a silence needs --matcher, --for and --reason");
    }
    if (!flags_.from.empty()) {
      const auto from = metriclog::parse_start(flags_.from, clock_.wall_ns());
      if (!from || from->kind != metriclog::StartAt::Kind::kTime) {
        return cli_.usage_error("--from: got " + printable(flags_.from) +
                                ", expected a time such as 2026-11-22T12:00:00Z");
      }
      silence.starts_ms = from->time_ns / kNanosPerMilli;
    }
    if (!flags_.matchers.empty()) silence.matchers.clear();
    for (const std::string& text : flags_.matchers) {
      auto some = notify::parse_matcher_list(text);
      if (!some) return cli_.usage_error("--matcher: " + some.error().message());
      silence.matchers.insert(silence.matchers.end(), some->begin(), some->end());
    }
    if (flags_.for_ns > 0) {
      silence.ends_ms = std::max(silence.starts_ms, now_ms_) + flags_.for_ns / kNanosPerMilli;
    }
    if (!flags_.reason.empty()) silence.reason = flags_.reason;
    if (flags_.edit.empty()) silence.author = flags_.author;
    return answer(store.set_silence(std::move(silence), flags_.author, by()));
  }

  int answer(const Result<Silence>& silence) const {
    if (!silence) {
      const Code code = silence.error().code();
      if (code == Code::kInvalidArgument) return cli_.usage_error(silence.error().message());
      if (code == Code::kNotFound || code == Code::kFailedPrecondition || code == Code::kResourceExhausted) {
        return refuse(silence.error().message());
      }
      return fail("the silence was not stored", silence.error());
    }
    if (json()) {
      std::cout << silence_json(*silence, now_ms_) << "\n";
    } else {
      std::cout << fmt::format("silence {} {} until {}\n", silence->id, printable(notify::to_string(silence->matchers)),
                               format_rfc3339(silence->ends_ms * kNanosPerMilli, 0));
    }
    return kExitOk;
  }

  bool test_one(const notify::Receiver& receiver, const notify::Integration& one, bool more) const {
    notify::SenderOptions options;
    options.clock = &clock_;
    options.brokers = flags_.brokers;
    const std::atomic<bool> stop = false;
    const auto notification = notify::test_notification(receiver.name, one.name, now_ms_);
    const int64_t begun = clock_.mono_ns();
    const notify::Outcome outcome = notify::make_sender(one, options)->send(notification, stop);
    const int64_t took_ms = (clock_.mono_ns() - begun) / kNanosPerMilli;
    const bool sent = outcome.kind == notify::Outcome::Kind::kSent;
    const char* const result = sent ? "sent" : outcome.kind == notify::Outcome::Kind::kRefused ? "refused" : "failed";
    if (json()) {
      std::cout << fmt::format(R"({}{{"receiver":{},"integration":{},"id":{},"result":"{}","answer":{},"ms":{}}})",
                               more ? "," : "[", json_quote(receiver.name), json_quote(one.name),
                               json_quote(notification.id), result, json_quote(outcome.answer), took_ms);
    } else {
      std::cout << fmt::format("{}/{}: {} after {} ms: {}\n", printable(receiver.name), one.name, result, took_ms,
                               outcome.answer);
    }
    return sent;
  }

  const Cli& cli_;
  AlertFlags& flags_;
  const SystemClock clock_;
  const int64_t now_ms_ = clock_.wall_ns() / kNanosPerMilli;
};

}  // namespace

CLI::App* AlertCommands::command(const char* name, const char* description, bool format) {
  CLI::App* const sub = alert_->add_subcommand(name, description);
  if (!format) return sub;
  sub->add_option("--store", flags_.store, "The file of alerts and silences (default: <data>/alerts.db)")
      ->type_name("FILE");
  sub->add_option("--format", flags_.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  return sub;
}

void AlertCommands::declare_silence() {
  CLI::App* const silence = command("silence", "Notify nobody of some alerts for a time; list, edit and end silences");
  add_words(*silence, "--matcher", flags_.matchers,
            "A condition on labels, such as 'agent=~\"web-.*\"'; may be repeated")
      ->type_name("MATCHER");
  add_duration(*silence, "--for", flags_.for_ns, "How long it lasts: 2h; with --edit, from now on");
  silence->add_option("--from", flags_.from, "When it begins (default: now)")->type_name("TIME");
  silence->add_option("--reason", flags_.reason, "Why, for those who wonder")->type_name("TEXT");
  silence->add_option("--author", flags_.author, "Who (default: the name of this user)")->type_name("NAME");
  silence->add_option("--edit", flags_.edit, "Change this silence instead of creating one")->type_name("ID");
  silence->add_option("--expire", flags_.expire, "End this silence now")->type_name("ID");
  silence->add_flag("--list", flags_.list, "List the silences that last or will begin");
  silence->add_flag("--all", flags_.all, "With --list: also those that have ended");
}

AlertCommands::AlertCommands(CLI::App& app) {
  alert_ = app.add_subcommand("alert", "Alerts, silences, and the configuration of notifications");
  alert_->require_subcommand(1);
  const auto add_config = [this](CLI::App& sub) {
    sub.add_option("--notify", flags_.config, "The configuration of notifications (default: that of the last serve)")
        ->type_name("FILE");
  };
  CLI::App* const check =
      command("check", "Check a configuration of notifications, and the files that it names", false);
  check->add_option("file", flags_.file, "The configuration")->type_name("FILE")->required();
  add_config(*command("list", "List the alerts that are firing or pending, and what keeps them quiet"));
  CLI::App* const history = command("history", "List what has fired, for how long, and who was told with which result");
  add_duration(*history, "--last", flags_.last_ns, "How far back")->default_str("1d");
  history->add_option("--limit", flags_.limit, "The most alerts")->check(CLI::Range(1, 10'000))->capture_default_str();
  declare_silence();
  CLI::App* const test = command("test-notification", "Send a test to a receiver, and print what it answers");
  add_config(*test);
  test->add_option("--receiver", flags_.receiver, "Its name in the configuration")->type_name("NAME")->required();
  test->add_option("--integration", flags_.integration, "Only this one: webhook, email[1], ...")->type_name("NAME");
  test->add_option("--brokers", flags_.brokers, "For a kafka_configs without brokers")
      ->type_name("HOST:PORT,...")
      ->capture_default_str();
}

int AlertCommands::run(const Cli& cli) {
  // These commands need no cleanup, so a signal may end them at once.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  Command command(cli, flags_);
  const std::string name = alert_->get_subcommands().front()->get_name();
  if (name == "check") return command.check();
  if (name == "list") return command.list();
  if (name == "history") return command.history();
  return name == "silence" ? command.silence() : command.test();
}

}  // namespace monitor
