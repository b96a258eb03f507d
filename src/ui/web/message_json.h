// Records of the metric log as the API shows them. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "metriclog/log.h"

namespace monitor::analysis::web {

enum class MessageContent : uint8_t {
  kSummary,  // without the batch
  kBatch,    // with the batch, unless its JSON is larger than 64 KiB
  kWhole,    // with the batch, unless its JSON is larger than 4 MiB, and all headers as they are stored
};

// A `Message` of the API.
std::string message_json(const metriclog::Record& record, MessageContent content);

}  // namespace monitor::analysis::web
