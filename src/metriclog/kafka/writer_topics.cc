// Writer: connects, and verifies the topics before it accepts records.
#include <fmt/format.h>

#include <utility>

#include "base/clock.h"
#include "base/counted.h"
#include "base/log.h"
#include "base/text.h"
#include "metriclog/kafka/topics.h"
#include "metriclog/kafka/writer.h"

namespace monitor::metriclog::kafka {

namespace {

constexpr int64_t kAdminTimeout = 5 * kNanosPerSecond;
constexpr int64_t kLook = 500 * kNanosPerMilli;

int64_t now_ns() { return SystemClock().mono_ns(); }

}  // namespace

// Connects and verifies the topics. Returns false if they are not ready; trouble() says why.
bool Writer::prepare() {
  close_gate();
  const Status status = prepare_topics();
  if (stopping() || fatal_) return false;
  if (!status) {
    set_trouble(status.error().code() == Code::kUnavailable ? Cause::kConnection : Cause::kTopic,
                status.error().message());
    return false;
  }
  connectivity_.clear();
  {
    const std::unique_lock gate(gate_);
    prepared_ = open_ = true;
  }
  clear_trouble(Cause::kTopic);
  clear_trouble(Cause::kConnection);
  return true;
}

Status Writer::prepare_topics() {
  const GoOn go_on = [this] {
    while (Event event = producer_->poll(0)) handle(std::move(event), false);
    return !stopping() && !fatal_;
  };
  const std::string& topic = options_.kafka.topic;
  // Creates topics before querying them, because a query for a missing topic may make brokers create it with their
  // defaults.
  const Status made = options_.make_topics
                          ? create_topic(producer_->handle(), data_topic(options_), kAdminTimeout, go_on)
                          : Status(Error(Code::kAlreadyExists, fmt::format("topic {} must not be created", topic)));
  const auto usable = [](const Status& status) {
    const Code code = status ? Code::kOk : status.error().code();
    return code == Code::kOk || code == Code::kAlreadyExists || code == Code::kPermissionDenied ||
           code == Code::kUnimplemented;
  };
  if (!usable(made)) return cannot_use(made.error());
  const auto partitions = count_partitions(topic);
  if (!partitions)
    return cannot_use(!made && made.error().code() != Code::kAlreadyExists ? made.error() : partitions.error());
  if (!made && options_.make_topics) {
    if (auto status = look_at_existing(topic); !status) return status;
    if (*partitions != options_.partitions && options_.partitions_required) {
      const std::lock_guard lock(mutex_);
      failure_ = Error(Code::kInvalidArgument,
                       fmt::format("topic {} has {}, not {}; partitions are never added, because agents would "
                                   "move between them; use a new topic (--topic), or omit --partitions",
                                   topic, counted(*partitions, "partition"), options_.partitions));
      return *failure_;
    }
  }
  if (options_.with_snapshots && options_.make_topics) {
    const std::string state = state_topic_name(topic);
    const Status state_made =
        create_topic(producer_->handle(), state_topic(topic, *partitions, options_.replication), kAdminTimeout, go_on);
    const auto state_partitions = usable(state_made) ? count_partitions(state) : Result<int>(state_made.error());
    if (state_partitions && *state_partitions < *partitions) return grown_error(topic, *partitions, *state_partitions);
    if (!state_partitions && !state_made) {
      log_warning("topic for the positions of groups cannot be created; readers will try",
                  {{"reason", state_made.error()}});
    }
  }
  if (auto status = producer_->open_topic(topic, *partitions); !status) return status;
  prepare_heartbeats(go_on);
  alone_topic_open_ = false;
  partitions_ = *partitions;
  log_info("writing to Kafka",
           {{"brokers", options_.kafka.brokers}, {"topic", topic}, {"partitions", *partitions}, {"made", made.ok()}});
  return {};
}

// The log works without heartbeats, but then readers cannot tell whether a server writes it.
void Writer::prepare_heartbeats(const GoOn& go_on) {
  beats_ = false;
  if (!options_.with_heartbeats || !options_.make_topics) return;
  const std::string name = writers_topic_name(options_.kafka.topic);
  Status status = create_topic(producer_->handle(), writers_topic(options_.kafka.topic, options_.replication),
                               kAdminTimeout, go_on);
  if (!status && status.error().code() != Code::kAlreadyExists) {
    if (const auto found = count_partitions(name)) status = {};
  } else {
    status = {};
  }
  if (status) status = producer_->open_beside(name);
  beats_ = status.ok();
  if (!status) {
    log_warning("topic for heartbeats cannot be created; readers will not know whether a server writes",
                {{"topic", name}, {"reason", status.error()}});
  }
}

// A timeout does not say why, so the last connection error is reported.
Error Writer::cannot_use(const Error& error) {
  if (error.code() != Code::kUnavailable) return error;
  while (Event event = producer_->poll(0)) handle(std::move(event), false);
  return Error(Code::kUnavailable, connectivity_.describe(error.message()));
}

// A new topic becomes visible a moment later.
Result<int> Writer::count_partitions(const std::string& topic) {
  const int64_t end = now_ns() + kAdminTimeout;
  while (true) {
    auto count = partition_count(producer_->handle(), topic, kLook);
    if (count || stopping() || now_ns() >= end || count.error().code() == Code::kPermissionDenied) return count;
    while (Event event = producer_->poll(0)) handle(std::move(event), false);
    pause(kNanosPerMilli * 20);
  }
}

// An existing topic is not changed. Settings that would lose data are rejected; unusual ones are logged.
Status Writer::look_at_existing(const std::string& topic) {
  auto settings = topic_settings(producer_->handle(), topic, kAdminTimeout, [this] { return !stopping(); });
  if (!settings) {
    log_debug("settings of the topic are unknown", {{"reason", settings.error()}});
    return {};
  }
  if ((*settings)["cleanup.policy"].find("compact") != std::string::npos) {
    return Error(Code::kFailedPrecondition,
                 fmt::format("topic {} has cleanup.policy={}: all but an agent's last batch would be deleted. Use "
                             "another topic (--topic), or set it to delete",
                             topic, (*settings)["cleanup.policy"]));
  }
  const auto odd = [&](std::string_view setting, const std::string& expected) {
    log_warning(
        "topic has other settings, which are not changed",
        {{"topic", topic}, {"setting", setting}, {"got", (*settings)[std::string(setting)]}, {"expected", expected}});
  };
  const auto below = [&](const char* setting, int64_t wanted) {
    const auto got = parse_i64((*settings)[setting]);
    return got && *got >= 0 && *got < wanted;
  };
  if ((*settings)["message.timestamp.type"] != "LogAppendTime") odd("message.timestamp.type", "LogAppendTime");
  const int64_t retention_ms = options_.retention_ns / kNanosPerMilli;
  if (below("retention.ms", retention_ms)) odd("retention.ms", std::to_string(retention_ms));
  const auto record_bytes = static_cast<int64_t>(options_.max_record_bytes);
  if (below("max.message.bytes", record_bytes)) odd("max.message.bytes", std::to_string(record_bytes));
  return {};
}

}  // namespace monitor::metriclog::kafka
