// Feeds a Notifier, for tests in Python: notify_driver CONFIG STORE [BROKERS]. Each line of standard input is one
// evaluation: alerts as "NAME:FIRED_MS" or "NAME:FIRED_MS:RESOLVED_MS", separated by spaces. Ends at the end of the
// input. The line "metrics" prints the metrics and "receivers" the state of the receivers, each ended by an empty line.
#include <iostream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "notify/notifier.h"

namespace {

monitor::rules::Alert alert_of(std::string_view word) {
  const auto parts = monitor::split(word, ':');
  monitor::rules::Alert alert;
  alert.labels = monitor::query::Labels({{"alertname", std::string(parts.at(0))}, {"agent", "web-1"}});
  alert.annotations = {{"summary", "the summary of " + std::string(parts.at(0))}};
  alert.active_at_ms = alert.fired_at_ms = monitor::parse_i64(parts.at(1)).value_or(0);
  alert.state = monitor::rules::AlertState::kFiring;
  alert.value = 0.5;
  alert.group = "test;test";
  if (parts.size() > 2) {
    alert.state = monitor::rules::AlertState::kResolved;
    alert.resolved_at_ms = monitor::parse_i64(parts.at(2)).value_or(0);
  }
  return alert;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const monitor::SystemClock clock;
  monitor::telemetry::Registry registry;
  monitor::notify::NotifierOptions options;
  options.config_path = argv[1];
  options.store_path = argv[2];
  options.look_ms = 100;
  options.limits.backoff_ms = 100;
  options.limits.backoff_cap_ms = 300;
  if (argc > 3) options.senders.brokers = argv[3];
  auto notifier = monitor::notify::Notifier::start(options, clock, registry);
  if (!notifier) {
    std::cerr << notifier.error().message() << "\n";
    return 78;
  }
  std::cout << "ready\n\n" << std::flush;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "metrics") {
      std::cout << registry.text() << "\n" << std::flush;
    } else if (line == "receivers") {
      for (const auto& one : (*notifier)->receivers()) {
        std::cout << one.receiver << " " << one.integration << " " << one.waiting << " " << one.trouble << "\n";
      }
      std::cout << "\n" << std::flush;
    } else {
      std::vector<monitor::rules::Alert> alerts;
      for (const std::string_view word : monitor::split(line, ' ')) {
        if (!word.empty()) alerts.push_back(alert_of(word));
      }
      (*notifier)->update(alerts, clock.wall_ns() / monitor::kNanosPerMilli);
    }
  }
  return 0;
}
