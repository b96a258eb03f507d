#include "metriclog/kafka/client.h"

#include <fmt/format.h>
#include <pthread.h>
#include <threads.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <tuple>

#include "base/log.h"
#include "base/memory_dumps.h"
#include "metriclog/kafka/properties.h"

namespace monitor::metriclog::kafka {

namespace {

Status set(rd_kafka_conf_t* config, const std::string& name, const std::string& value) {
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(config, name.c_str(), value.c_str(), text.data(), text.size()) == RD_KAFKA_CONF_OK) return {};
  return Error(Code::kInvalidArgument, fmt::format("{}: {}", name, without_secrets(text.data())));
}

// Called on librdkafka's threads. Connections that fail are also reported as errors, and again with the consequences,
// so here they are only logged for debugging.
void forward_log(const rd_kafka_t* /*handle*/, int level, const char* facility, const char* said) {
  const std::string text = without_secrets(said);
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
      {"log.connection.close", "false"},  // brokers close idle connections
      {"reconnect.backoff.max.ms", "1000"},
      {"socket.keepalive.enable", "true"},
      // A broker that has vanished is given up after this time, and its requests are sent again.
      {"socket.timeout.ms", "10000"},
  };
  all.insert(all.end(), own.begin(), own.end());
  for (const auto& [name, value] : all) {
    if (auto status = set(config.get(), name, value); !status) return status.error();
  }
  for (const KafkaProperty& property : kafka.properties) {
    note_secret(property);
    deny_memory_dumps();  // a property may be a password, also one of the command line
    if (auto status = check_kafka_property(property); !status) return status.error();
    if (auto status = set(config.get(), property.first, property.second); !status) return status.error();
  }
  return config;
}

Result<Handle> make_handle(rd_kafka_type_t type, Config config) {
  std::array<char, 512> text{};
  rd_kafka_t* const handle = rd_kafka_new(type, config.get(), text.data(), text.size());
  if (handle == nullptr)
    return Error(Code::kInvalidArgument, fmt::format("Kafka client: {}", without_secrets(text.data())));
  std::ignore = config.release();  // the handle owns it now
  return Handle(handle);
}

Error to_error(rd_kafka_resp_err_t error, const std::string& what, const char* text) {
  const char* const more = text != nullptr && text[0] != '\0' ? text : rd_kafka_err2str(error);
  return Error(code_of(error), fmt::format("{}: {}", what, without_secrets(more)));
}

std::string log_identity(rd_kafka_t* handle, const std::string& topic, int64_t timeout_ns) {
  const std::unique_ptr<char, decltype(&std::free)> cluster(rd_kafka_clusterid(handle, to_millis(timeout_ns)),
                                                            &std::free);
  return cluster ? fmt::format("kafka:{}/{}", cluster.get(), topic) : "";
}

int to_millis(int64_t ns) {
  return static_cast<int>(std::clamp<int64_t>((ns + kNanosPerMilli - 1) / kNanosPerMilli, 0, INT32_MAX));
}

void Connectivity::note(rd_kafka_resp_err_t error, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION) refused_ = true;
  // The error "all brokers are down" says less than the last error of a single broker, and its text differs each time.
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || last_.empty())
    last_ = without_secrets(text.substr(0, text.find(" (after ")));
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

// c11_threads_test.cc replaces this function, too.
#if !defined(__SANITIZE_THREAD__)

namespace {

// A wait for at least so long may end a millisecond later.
constexpr int64_t kLongWait = 50 * monitor::kNanosPerMilli;

}  // namespace

// librdkafka calls this C11 function, and finds the program's own before the C library's. Up to version 2.1, its main
// thread rounds the time until its next timer down to milliseconds, and then asks for the time in a loop until the
// timer is due. In an idle program, that took 0.7 ms of CPU time each second: most of what the client used. A wait that
// ends a millisecond later ends after the timer is due.
extern "C" int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  static_assert(sizeof(mtx_t) <= sizeof(pthread_mutex_t) && sizeof(cnd_t) <= sizeof(pthread_cond_t));
  timespec end = *until;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);  // the clock of `until`
  const int64_t left = (int64_t{end.tv_sec} - now.tv_sec) * monitor::kNanosPerSecond + end.tv_nsec - now.tv_nsec;
  if (left >= kLongWait) {
    end.tv_nsec += monitor::kNanosPerMilli;
    if (end.tv_nsec >= monitor::kNanosPerSecond) {
      end.tv_nsec -= monitor::kNanosPerSecond;
      ++end.tv_sec;
    }
  }
  // The types of C11 are those of POSIX in the C library.
  const int error = pthread_cond_timedwait(reinterpret_cast<pthread_cond_t*>(condition),
                                           reinterpret_cast<pthread_mutex_t*>(mutex), &end);
  if (error == 0) return thrd_success;
  return error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

#endif
