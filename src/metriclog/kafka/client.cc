#include "metriclog/kafka/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/log.h"
#include "base/text.h"

namespace monitor::metriclog::kafka {

namespace {

// What the promises of the log rest on. The second word says who decides instead.
constexpr std::array kOurs = {
    std::pair{"bootstrap.servers", "--kafka names the brokers"},
    std::pair{"metadata.broker.list", "--kafka names the brokers"},
    std::pair{"group.id", "--group-id names the group"},
    std::pair{"enable.idempotence", "without it a batch could be stored out of order"},
    std::pair{"acks", "a batch is acknowledged when all in-sync copies have it"},
    std::pair{"request.required.acks", "a batch is acknowledged when all in-sync copies have it"},
    std::pair{"partitioner", "an agent's batches stay in one partition"},
    std::pair{"transactional.id", "the server does not use transactions"},
    std::pair{"enable.auto.commit", "a position is stored after the output"},
    std::pair{"auto.commit.enable", "a position is stored after the output"},
    std::pair{"enable.auto.offset.store", "a position is stored after the output"},
    std::pair{"auto.offset.reset", "what retention took is reported, not skipped"},
    std::pair{"partition.assignment.strategy", "members share partitions cooperatively"},
};

Status set(rd_kafka_conf_t* config, const std::string& name, const std::string& value) {
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(config, name.c_str(), value.c_str(), text.data(), text.size()) == RD_KAFKA_CONF_OK) return {};
  return Error(Code::kInvalidArgument, fmt::format("{}={}: {}", name, value, text.data()));
}

// Called on librdkafka's threads. Connections that fail are reported as errors, too, and once more with what follows
// from it; so here they are only for who debugs.
void forward_log(const rd_kafka_t* /*handle*/, int level, const char* facility, const char* text) {
  constexpr int kSyslogWarning = 4;
  const std::string_view what = facility;
  const bool connection = what == "FAIL" || what == "ERROR" || what == "GETPID";
  if (level <= kSyslogWarning && !connection) {
    log_warning("Kafka client", {{"facility", what}, {"text", text}});
  } else {
    log_debug("Kafka client", {{"facility", what}, {"text", text}});
  }
}

Code code_of(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return Code::kNotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return Code::kAlreadyExists;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return Code::kPermissionDenied;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return Code::kUnauthenticated;
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      return Code::kUnimplemented;
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return Code::kFailedPrecondition;
    default:
      return Code::kUnavailable;
  }
}

}  // namespace

Result<Config> make_config(const KafkaOptions& kafka, const Settings& own) {
  Config config(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(config.get(), forward_log);
  Settings all = {
      {"bootstrap.servers", kafka.brokers},
      {"client.id", "monitor"},
      {"allow.auto.create.topics", "false"},
      {"log.connection.close", "false"},  // brokers close idle ones
      {"reconnect.backoff.max.ms", "1000"},
      {"socket.keepalive.enable", "true"},
      // A broker that vanished without a word is left after this, and what it was asked is asked again.
      {"socket.timeout.ms", "10000"},
  };
  all.insert(all.end(), own.begin(), own.end());
  for (const auto& [name, value] : all) {
    if (auto status = set(config.get(), name, value); !status) return status.error();
  }
  for (const auto& [name, value] : kafka.properties) {
    const auto* const ours = std::ranges::find_if(kOurs, [&n = name](const auto& entry) { return n == entry.first; });
    if (ours != kOurs.end()) {
      return Error(Code::kInvalidArgument, fmt::format("{} cannot be changed: {}", name, ours->second));
    }
    if (auto status = set(config.get(), name, value); !status) return status.error();
  }
  return config;
}

Result<Handle> make_handle(rd_kafka_type_t type, Config config) {
  std::array<char, 512> text{};
  rd_kafka_t* const handle = rd_kafka_new(type, config.get(), text.data(), text.size());
  if (handle == nullptr) return Error(Code::kInvalidArgument, fmt::format("Kafka client: {}", text.data()));
  std::ignore = config.release();  // the handle's now
  return Handle(handle);
}

Error to_error(rd_kafka_resp_err_t error, const std::string& what, const char* text) {
  const char* const more = text != nullptr && text[0] != '\0' ? text : rd_kafka_err2str(error);
  return Error(code_of(error), fmt::format("{}: {}", what, more));
}

int to_millis(int64_t ns) {
  return static_cast<int>(std::clamp<int64_t>((ns + kNanosPerMilli - 1) / kNanosPerMilli, 0, INT32_MAX));
}

void Connectivity::note(rd_kafka_resp_err_t error, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION) refused_ = true;
  // That all brokers are down says less than what happened to the last of them.
  // How often and how long is another each time.
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || last_.empty()) last_ = text.substr(0, text.find(" (after "));
}

void Connectivity::clear() {
  const std::lock_guard lock(mutex_);
  last_.clear();
  refused_ = false;
}

std::string Connectivity::describe(std::string_view otherwise) const {
  const std::lock_guard lock(mutex_);
  return fmt::format("Kafka at {} cannot be reached: {}", brokers_, last_.empty() ? otherwise : last_);
}

bool Connectivity::login_refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace monitor::metriclog::kafka

namespace monitor::metriclog {

Result<std::pair<std::string, std::string>> parse_kafka_property(std::string_view text) {
  const size_t at = text.find('=');
  if (at == 0 || at == std::string_view::npos) {
    return Error(Code::kInvalidArgument,
                 fmt::format("got {}, expected NAME=VALUE, as compression.codec=lz4", json_quote(text)));
  }
  return std::pair(std::string(trim(text.substr(0, at))), std::string(text.substr(at + 1)));
}

}  // namespace monitor::metriclog
