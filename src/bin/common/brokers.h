// The addresses of a Kafka, for programs with and without its client.
#pragma once

#include <string>

namespace monitor {

// HOST:PORT or HOST, several with commas. What is wrong, as an error of --kafka; empty when nothing is.
std::string check_brokers(const std::string& text);

}  // namespace monitor
