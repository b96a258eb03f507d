// Converts a librdkafka message into a record.
#pragma once

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// The record keeps the message and its client alive until its headers are parsed.
Record record_of(Message message, SharedHandle client);

}  // namespace monitor::metriclog::kafka
