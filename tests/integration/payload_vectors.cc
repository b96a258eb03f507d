// Writes what the tests in Python compare with: the static table of payload v2, random batches in it, or batches of v1
// as v2.
//
//   payload_vectors table
//   payload_vectors convert               reads records of v1 in hex, one on a line, and writes them as v2
//   payload_vectors batches SEED COUNT    a line for each batch: agent id, record in hex, and the batch as JSON
//                                         (exact_text())
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "base/hex.h"
#include "base/random.h"
#include "base/text.h"
#include "metrics/decode.h"
#include "payload/decode.h"
#include "payload/encode.h"
#include "payload/table.h"
#include "payload/testing/random_batches.h"

namespace {

using namespace monitor;

int print_batches(uint64_t seed, uint64_t count) {
  SeededRandom random(seed);
  for (uint64_t i = 0; i < count; ++i) {
    const payload::RandomBatch one = payload::random_batch(random);
    const auto bytes = payload::encode(one.batch, {.elapsed_ns = one.elapsed_ns});
    if (!bytes) {
      std::fprintf(stderr, "payload_vectors: batch %llu: %s\n", static_cast<unsigned long long>(i),
                   bytes.error().message().c_str());
      return 1;
    }
    std::printf("%s %s %s\n", one.batch.agent_id.c_str(), hex(*bytes).c_str(), payload::exact_text(one.batch).c_str());
  }
  return 0;
}

int convert() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto bytes = unhex(line);
    const auto batch = metrics::decode_batch(bytes.value_or(""));
    const auto record = batch ? payload::encode(*batch) : Result<std::string>(batch.error());
    if (!record) {
      std::fprintf(stderr, "payload_vectors: %s\n", record.error().message().c_str());
      return 1;
    }
    std::printf("%s\n", hex(*record).c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "table" && argc == 2) return std::fputs(monitor::payload::table_markdown().c_str(), stdout) < 0 ? 1 : 0;
  if (what == "convert" && argc == 2) return convert();
  const auto seed = what == "batches" && argc == 4 ? monitor::parse_u64(argv[2]) : std::nullopt;
  const auto count = seed ? monitor::parse_u64(argv[3]) : std::nullopt;
  if (count) return print_batches(*seed, *count);
  std::fputs("usage: payload_vectors table | convert | batches SEED COUNT\n", stderr);
  return 64;
}
