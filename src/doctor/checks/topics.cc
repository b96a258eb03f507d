// Settings of Kafka's topics that decide whether acknowledged batches can be lost, refused or expire too early.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/counted.h"
#include "base/size_format.h"
#include "base/time_format.h"
#include "doctor/checks.h"
#include "doctor/log_settings.h"

namespace monitor::doctor {

namespace {

constexpr int64_t kRecordOverhead = 4096;  // headers, key and the batch's frame
constexpr int64_t kSnapshotBytes = int64_t{16} << 20;

void judge_copies(const TopicFacts& topic, const std::string& name, Findings& findings) {
  const int64_t least = topic.number("min.insync.replicas", 1);
  if (topic.leaderless > 0) {
    findings.push_back(fail(
        fmt::format("{}: {} of {} without a leader", name, topic.leaderless, counted(topic.partitions, "partition")),
        "start the brokers that hold them"));
  }
  if (least > topic.replication) {
    findings.push_back(fail(fmt::format("{}: min.insync.replicas is {}, but the topic has {}: nothing can be written",
                                        name, least, counted(topic.replication, "replica")),
                            "lower min.insync.replicas, or add replicas (kafka-reassign-partitions)"));
  } else if (topic.in_sync < least) {
    findings.push_back(fail(fmt::format("{}: {}, {} needed to write", name,
                                        counted(topic.in_sync, "replica is in sync", "replicas are in sync"), least),
                            "start the brokers that are down"));
  } else if (topic.replication < 2) {
    findings.push_back(
        warn(name + ": one replica: a lost disk loses acknowledged batches",
             "on a cluster, use three replicas and min.insync.replicas=2 (--replication, docs/kafka.md)"));
  } else if (least < 2) {
    findings.push_back(
        warn(fmt::format("{}: min.insync.replicas is {}: one broker alone may acknowledge a batch", name, least),
             "kafka-configs --alter --add-config min.insync.replicas=2"));
  } else if (topic.in_sync < topic.replication) {
    findings.push_back(
        warn(fmt::format("{}: {} of {} in sync", name, topic.in_sync, counted(topic.replication, "replica")),
             "look for the broker that is down or behind"));
  } else {
    findings.push_back(
        ok(fmt::format("{}: {}, min.insync.replicas {}", name, counted(topic.replication, "replica"), least)));
  }
}

void judge_size(const TopicFacts& topic, const std::string& name, int64_t needed, Findings& findings) {
  const int64_t limit = topic.number("max.message.bytes", 0);
  if (limit == 0) return;
  const std::string text = fmt::format("{}: max.message.bytes is {}", name, limit);
  if (limit < needed) {
    findings.push_back(fail(fmt::format("{}, needed {}: larger records are rejected", text, needed),
                            fmt::format("kafka-configs --alter --add-config max.message.bytes={}", needed)));
  } else {
    findings.push_back(
        ok(fmt::format("{}, enough for records of {}", text, format_size(static_cast<uint64_t>(needed)))));
  }
}

void judge_retention(const TopicFacts& topic, const std::string& name, int64_t history_ns, Findings& findings) {
  const int64_t retention_ms = topic.number("retention.ms", 0);
  if (topic.settings.contains("cleanup.policy") && topic.settings.at("cleanup.policy") != "delete") {
    findings.push_back(fail(fmt::format("{}: cleanup.policy is {}, expected delete: compaction removes batches", name,
                                        topic.settings.at("cleanup.policy")),
                            "kafka-configs --alter --add-config cleanup.policy=delete"));
  }
  if (topic.settings.contains("message.timestamp.type") &&
      topic.settings.at("message.timestamp.type") != "LogAppendTime") {
    findings.push_back(warn(name + ": message.timestamp.type is not LogAppendTime: replayed batches may expire at once",
                            "kafka-configs --alter --add-config message.timestamp.type=LogAppendTime"));
  }
  const int64_t bytes = topic.number("retention.bytes", -1);
  if (bytes >= 0) {
    findings.push_back(
        warn(fmt::format("{}: retention.bytes is {}: records may expire before retention.ms", name, bytes),
             "kafka-configs --alter --delete-config retention.bytes, if the disks have room"));
  }
  if (retention_ms <= 0) return;
  const bool shorter = retention_ms < history_ns / kNanosPerMilli;
  const int64_t kept = std::min(retention_ms, INT64_MAX / kNanosPerMilli) * kNanosPerMilli;
  const std::string text = fmt::format("{}: records are kept for {}", name, format_duration(kept));
  if (shorter) {
    findings.push_back(warn(fmt::format("{}, the page keeps every tick for {}: a page that is set up anew shows less",
                                        text, format_duration(history_ns)),
                            "raise retention.ms, or lower the page's --keep-full"));
  } else {
    findings.push_back(ok(text));
  }
}

Findings judge(const LogFacts& facts, int64_t history_ns) {
  Findings findings;
  for (const TopicFacts& topic : facts.topics) {
    const std::string name = "topic " + topic.name;
    if (!topic.exists) {
      findings.push_back(skipped(name + " does not exist yet; the server creates it"));
      continue;
    }
    judge_copies(topic, name, findings);
    const bool data = &topic == &facts.topics.front();
    if (data) {
      judge_size(topic, name, facts.max_record_bytes + kRecordOverhead, findings);
      judge_retention(topic, name, history_ns, findings);
    } else if (topic.name.ends_with("-state")) {
      judge_size(topic, name, kSnapshotBytes, findings);
    }
  }
  return findings;
}

Findings run(const Context& context) {
  if (context.setup.log.arguments.empty()) return {skipped("no log is named (--kafka)")};
  if (!context.setup.log.sqlite_file.empty()) return {skipped("the log is a file, not Kafka")};
  const auto text = context.peers.log_settings(context.setup.log, context.timeout_ns);
  const auto facts = text ? parse_log_settings(*text) : Result<LogFacts>(text.error());
  if (!facts || !facts->error.empty()) return {skipped("the topics cannot be read; see the check log")};
  return judge(*facts, context.setup.log.history_ns);
}

}  // namespace

const Check kTopicsCheck = {"topics", "Kafka's topics: replicas, min.insync.replicas, retention, max.message.bytes",
                            run};

}  // namespace monitor::doctor
