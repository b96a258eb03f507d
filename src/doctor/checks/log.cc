// Checks whether the metric log can be read: Kafka's brokers, or the SQLite file.
#include <fmt/format.h>

#include "doctor/checks.h"
#include "doctor/log_settings.h"

namespace monitor::doctor {

namespace {

Findings run(const Context& context) {
  if (context.setup.log.arguments.empty()) {
    return {skipped("no log is named (--log, --kafka): it is the server's, not this host's")};
  }
  const auto text = context.peers.log_settings(context.setup.log, context.timeout_ns);
  const bool absent = !text && text.error().code() == Code::kNotFound;
  if (absent) return {skipped(text.error().message())};
  const auto facts = text ? parse_log_settings(*text) : Result<LogFacts>(text.error());
  if (!facts) return {fail(facts.error().message(), "run `monitor-analysis log-settings` with the same options")};
  if (facts->error.empty()) return {ok(facts->address + " can be read")};
  const char* const remedy =
      facts->backend == "sqlite"
          ? "start the server, which creates the file; or correct --log, or run this as the user of the server"
          : "start Kafka, or correct --kafka; a firewall must let its port through. A login needs "
            "--kafka-properties-file (docs/kafka.md)";
  return {fail(fmt::format("{}: {}", facts->address, facts->error), remedy)};
}

}  // namespace

const Check kLogCheck = {"log", "the metric log can be read: Kafka's brokers, or the SQLite file", run};

}  // namespace monitor::doctor
