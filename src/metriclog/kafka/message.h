// A record from a message of librdkafka.
#pragma once

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// The record holds the message, and the client that it came from, until its headers are read.
Record record_of(Message message, SharedHandle client);

}  // namespace monitor::metriclog::kafka
