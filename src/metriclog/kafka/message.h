// A record from a message of librdkafka. Pure.
#pragma once

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

Record record_of(const rd_kafka_message_t& message);

}  // namespace monitor::metriclog::kafka
