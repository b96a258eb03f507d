// kafka_delete_records BROKERS TOPIC PARTITION BEFORE: deletes old records as retention does, when a test asks for it.
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "base/text.h"
#include "metriclog/kafka/testing/admin.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: kafka_delete_records BROKERS TOPIC PARTITION BEFORE\n";
    return 64;
  }
  const auto partition = monitor::parse_i64(argv[3]);
  const auto before = monitor::parse_i64(argv[4]);
  if (!partition || !before) return 64;
  try {
    monitor::metriclog::testing::delete_records(argv[1], argv[2], static_cast<int32_t>(*partition), *before);
  } catch (const std::runtime_error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
