// Maps a delivery error to the outcome of a record.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// Returns kRejected only for errors caused by the records of a batch; sending each record again by itself shows which
// one. Errors that an operator can fix are kRetry.
Outcome classify(rd_kafka_resp_err_t error);
// The text for Delivery::reason of a rejected record.
std::string rejection_reason(rd_kafka_resp_err_t error);

// True if the topic is missing or cannot be written, so that it must be created or checked again.
bool is_about_topic(rd_kafka_resp_err_t error);

}  // namespace monitor::metriclog::kafka
