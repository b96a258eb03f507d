// What becomes of a record whose confirmation says `error`.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// kRejected only for errors that name the records of a batch themselves; whether it was this record shows when it is
// sent alone. Everything that an operator can mend is kRetry.
Outcome classify(rd_kafka_resp_err_t error);
// Delivery::reason of a rejected record.
std::string rejection_reason(rd_kafka_resp_err_t error);

// The topic is gone or cannot be written: make it, or look at it again.
bool is_about_topic(rd_kafka_resp_err_t error);

}  // namespace monitor::metriclog::kafka
