#include "metriclog/kafka/outcome.h"

#include <fmt/format.h>

namespace monitor::metriclog::kafka {

Outcome classify(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Outcome::kStored;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
      return Outcome::kRejected;
    default:
      return Outcome::kRetry;
  }
}

std::string rejection_reason(rd_kafka_resp_err_t error) {
  const bool large = error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
                     error == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE || error == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE;
  return fmt::format("{}: {}", large ? "too_large" : "invalid", rd_kafka_err2str(error));
}

bool is_about_topic(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return true;
    default:
      return false;
  }
}

}  // namespace monitor::metriclog::kafka
