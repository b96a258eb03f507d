// Validates Kafka addresses, for programs with and without the Kafka client.
#pragma once

#include <string>

namespace monitor {

// Checks a list of HOST:PORT or HOST, separated by commas. Returns the error for --kafka, or an empty string.
std::string check_brokers(const std::string& text);

}  // namespace monitor
