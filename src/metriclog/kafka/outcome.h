// Maps a delivery error to the outcome of a record.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// kRejected only for errors caused by the records of a batch; resending each record alone shows which one. Errors that
// an operator can fix are kRetry.
Outcome classify(rd_kafka_resp_err_t error);
// Delivery::reason of a rejected record.
std::string rejection_reason(rd_kafka_resp_err_t error);

// The topic is gone or cannot be written: create it, or check it again.
bool is_about_topic(rd_kafka_resp_err_t error);

}  // namespace monitor::metriclog::kafka
