#include "bin/analysis/log_settings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>

#include "base/counted.h"
#include "base/escape.h"
#include "metriclog/kafka/topic_report.h"

namespace monitor {

namespace {

using Json = nlohmann::ordered_json;

Json kafka_json(const LogSettingsFlags& flags) {
  Json json = {{"backend", "kafka"},
               {"address", flags.log.address()},
               {"max_record_bytes", metriclog::KafkaWriterOptions{}.max_record_bytes}};
  const auto report = metriclog::describe_topics(flags.log.kafka, flags.timeout_ns);
  if (!report) {
    json["error"] = report.error().message();
    return json;
  }
  json["brokers"] = report->brokers;
  Json& topics = json["topics"] = Json::array();
  for (const metriclog::TopicReport& topic : report->topics) {
    topics.push_back({{"name", topic.name},
                      {"exists", topic.exists},
                      {"partitions", topic.partitions},
                      {"replication", topic.replication},
                      {"in_sync", topic.in_sync},
                      {"leaderless", topic.leaderless},
                      {"settings", topic.settings}});
  }
  return json;
}

Json file_json(const LogSettingsFlags& flags) {
  Json json = {{"backend", "sqlite"}, {"address", flags.log.address()}};
  const auto browser = open_log_browser(flags.log);
  const auto partitions =
      browser ? (*browser)->partitions() : Result<std::vector<metriclog::PartitionExtent>>(browser.error());
  if (!partitions) {
    json["error"] = partitions.error().message();
    return json;
  }
  json["partitions"] = partitions->size();
  return json;
}

void print_table(const Json& json) {
  std::cout << printable(json["address"].get<std::string>()) << "\n";
  if (json.contains("error")) std::cout << "error: " << printable(json["error"].get<std::string>()) << "\n";
  if (!json.contains("topics")) return;
  for (const Json& topic : json["topics"]) {
    const std::string name = printable(topic["name"].get<std::string>());
    if (!topic["exists"].get<bool>()) {
      std::cout << fmt::format("topic {}: does not exist\n", name);
      continue;
    }
    std::cout << fmt::format("topic {}: {}, {}, {} in sync\n", name,
                             counted(topic["partitions"].get<int>(), "partition"),
                             counted(topic["replication"].get<int>(), "replica"), topic["in_sync"].get<int>());
    for (const auto& [setting, value] : topic["settings"].items()) {
      std::cout << fmt::format("  {}={}\n", setting, printable(value.get<std::string>()));
    }
  }
}

}  // namespace

CLI::App* declare_log_settings(CLI::App& app, LogSettingsFlags& flags) {
  CLI::App* const command =
      app.add_subcommand("log-settings", "Show the metric log's address and its topics' settings");
  add_log_options(*command, flags.log);
  command->add_option("--format", flags.format, "table or json")->check(CLI::IsMember({"table", "json"}));
  add_seconds(*command, "--timeout", flags.timeout_ns, "Time limit for Kafka's answers")->default_str("5s");
  return command;
}

int show_log_settings(const Cli& cli, LogSettingsFlags& flags) {
  if (const std::string fault = resolve_log(cli, flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  const Json json = flags.log.log.empty() ? kafka_json(flags) : file_json(flags);
  if (flags.format == "json") {
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    print_table(json);
  }
  return json.contains("error") ? kExitUnavailable : kExitOk;
}

}  // namespace monitor
