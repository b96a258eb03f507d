#include "bin/log/log_flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "base/trust.h"
#include "bin/common/brokers.h"
#include "bin/common/cli.h"

namespace monitor {

namespace {

// Reads the file before the other options, so that they take precedence.
Status take_properties_file(LogFlags& flags) {
  const std::string& file = flags.kafka_properties_file;
  if (file.empty()) return {};
  const auto text = read_secret_file(file, metriclog::kMaxKafkaPropertiesBytes, "the Kafka properties file");
  if (!text) return text.error();
  auto properties = metriclog::parse_kafka_properties(*text);
  if (!properties) return properties.error().with_context(file);
  for (auto& [property, line] : *properties) {
    if (const Status good = metriclog::check_kafka_property(property); !good) {
      return good.error().with_context(fmt::format("{}: line {}", file, line));
    }
    flags.kafka.properties.push_back(std::move(property));
  }
  return {};
}

}  // namespace

bool LogFlags::named() const {
  return std::ranges::any_of(naming, [](const CLI::Option* option) { return option->count() > 0; });
}

std::string LogFlags::address() const {
  return log.empty() ? fmt::format("kafka:{}/{}", kafka.brokers, kafka.topic) : log;
}

Result<std::unique_ptr<metriclog::Log>> LogFlags::open() const { return metriclog::open(address(), kafka.properties); }

void add_log_options(CLI::App& app, LogFlags& flags) {
  auto* const brokers = app.add_option("--kafka", flags.kafka.brokers,
                                       "Kafka brokers of the metric log: HOST:PORT, several separated by commas")
                            ->type_name("HOST:PORT,...")
                            ->capture_default_str();
  auto* const topic = app.add_option("--topic", flags.kafka.topic, "Kafka topic of the metric log")
                          ->type_name("TOPIC")
                          ->capture_default_str();
  auto* const property =
      app.add_option("--kafka-property", flags.kafka_properties,
                     "Property of the Kafka client by its librdkafka name, as security.protocol=ssl; may be repeated")
          ->type_name("NAME=VALUE");
  auto* const file =
      app.add_option(
             "--kafka-properties-file", flags.kafka_properties_file,
             "File with properties, one NAME=VALUE per line. Use it for passwords, since every user can read a command "
             "line; --kafka-property takes precedence")
          ->type_name("FILE");
  auto* const log = app.add_option("--log", flags.log, "Metric log in a file instead of Kafka: sqlite:PATH")
                        ->type_name("sqlite:PATH")
                        ->excludes(brokers);
  flags.naming = {brokers, topic, property, file, log};
}

std::string resolve_log(const Cli& cli, LogFlags& flags) {
  if (flags.named()) return "";
  const auto running = cli.running();
  if (!running) return running.error().message();
  if (const RunningSystem* const system = *running; system != nullptr) {
    flags.log = system->log;
    if (!system->kafka.empty()) flags.kafka.brokers = system->kafka;
    log_info("`monitor up` is running; using its metric log",
             {{"log", flags.address()}, {"data", system->data}, {"process", system->pid}});
    return "";
  }
  const std::string file = cli.data_folder() + "/log.db";
  if (cli.data_named() && access(file.c_str(), F_OK) == 0) {
    flags.log = "sqlite:" + file;
    log_info("using the metric log of --data", {{"log", flags.log}});
    return "";
  }
  log_info("no metric log is named; using the default Kafka", {{"log", flags.address()}});
  return "";
}

void add_log_writer_options(CLI::App& app, LogFlags& flags) {
  app.add_option("--partitions", flags.partitions, "Partitions of the topic if it is created (default: 6)")
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  app.add_option("--replication", flags.replication,
                 "Replicas of the topic if it is created (default: the brokers' setting)")
      ->type_name("N")
      ->check(CLI::Range(1, 100));
  add_duration(app, "--retention", flags.retention_ns, "Retention of records; 0: forever")->default_str("24h");
}

std::string check_log_flags(LogFlags& flags) {
  if (!flags.log.empty()) {
    // --log only accepts files: Kafka needs settings that do not fit into an address.
    const auto log = flags.open();
    return log && (*log)->is_file() ? "" : "--log: got " + json_quote(flags.log) + ", expected sqlite:PATH";
  }
  if (std::string fault = check_brokers(flags.kafka.brokers); !fault.empty()) return fault;
  constexpr size_t kMaxTopicName =
      249 - std::string_view("-writers").size();  // Kafka's limit, minus the suffixes of our topics
  const bool valid = flags.kafka.topic.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string::npos;
  if (!valid || flags.kafka.topic.empty() || flags.kafka.topic.size() > kMaxTopicName || flags.kafka.topic[0] == '.') {
    return fmt::format("--topic: got {}, expected up to {} letters, digits, '.', '_' and '-'",
                       json_quote(flags.kafka.topic), kMaxTopicName);
  }
  if (const Status taken = take_properties_file(flags); !taken) {
    return fmt::format("--kafka-properties-file: {}", taken.error().message());
  }
  for (const std::string& text : flags.kafka_properties) {
    auto property = metriclog::parse_kafka_property(text);
    const Status good = property ? metriclog::check_kafka_property(*property) : Status(property.error());
    if (!good) return "--kafka-property: " + good.error().message();
    flags.kafka.properties.push_back(std::move(*property));
  }
  for (const auto& [name, value] : flags.kafka.properties) {
    if (name != "ssl.key.location") continue;
    if (const Status key = check_secret_file(value, "the key of the Kafka client"); !key) return key.error().message();
  }
  return "";
}

Result<std::unique_ptr<metriclog::LogWriter>> open_log_writer(const LogFlags& flags, const Clock& clock) {
  const auto log = flags.open();
  if (!log) return log.error();
  return (*log)->writer({flags.partitions, flags.replication, flags.retention_ns, host_name()}, clock);
}

Result<std::unique_ptr<metriclog::LogReader>> open_log_reader(const LogFlags& flags,
                                                              const metriclog::ReaderOptions& options) {
  const auto log = flags.open();
  return log ? (*log)->reader(options) : log.error();
}

Result<std::unique_ptr<metriclog::LogBrowser>> open_log_browser(const LogFlags& flags) {
  const auto log = flags.open();
  return log ? (*log)->browser() : log.error();
}

Result<std::unique_ptr<metriclog::LogWriter>> open_dead_letter(const LogFlags& flags, const std::string& name) {
  const auto log = flags.open();
  return log ? (*log)->dead_letters(name) : log.error();
}

void report_log_failure(const char* what, const LogFlags& flags, const Error& error) {
  if (flags.named() || !flags.log.empty()) return log_error(what, {{"reason", error}});
  std::string next = "set --log, --kafka or --data, or start `monitor up`";
  if (const std::string data = default_data_folder(); access((data + "/log.db").c_str(), F_OK) == 0) {
    next += fmt::format("; --data {} has one", data);
  }
  log_error(what, {{"reason", error}, {"next", next}});
}

int exit_code_for_log(const LogFlags& flags, const Error& error) {
  if (error.code() == Code::kAborted) return kExitTempFail;
  const auto log = flags.open();
  if (log && (*log)->is_file()) return error.code() == Code::kUnavailable ? kExitUnavailable : kExitIo;
  return error.code() == Code::kInvalidArgument ? kExitUsage : kExitUnavailable;
}

int exit_code_for_reading(const LogFlags& flags, const Error& error) {
  const bool output = error.code() == Code::kInternal || error.code() == Code::kResourceExhausted;
  return output ? exit_code_for(error) : exit_code_for_log(flags, error);
}

}  // namespace monitor
