// Converts a librdkafka message into a record.
#pragma once

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// The record keeps the message and its client alive until its headers are parsed. Reuses the memory of the record.
void fill(Record& record, Message message, SharedHandle client);
Record record_of(Message message, SharedHandle client);

}  // namespace monitor::metriclog::kafka
