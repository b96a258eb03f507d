// The deframer returns the same messages however its input is split, and the pure functions of the wire format accept
// any text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "grpc/header_encoding.h"
#include "grpc/message_framing.h"

namespace {

using namespace monitor::grpc;

struct Outcome {
  std::vector<std::string> messages;
  Deframer::Next last = Deframer::Next::kNeedMore;
  bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view bytes, size_t piece) {
  Deframer deframer(1000);
  Outcome outcome;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    std::string_view input = bytes.substr(at, piece);
    do {
      outcome.last = deframer.next(input);
      if (outcome.last == Deframer::Next::kMessage) outcome.messages.emplace_back(deframer.message());
    } while (outcome.last == Deframer::Next::kMessage);
    if (outcome.last != Deframer::Next::kNeedMore) return outcome;
    if (deframer.partial_bytes() > 1000) std::abort();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const Outcome whole = run(bytes, bytes.size() + 1);
  if (run(bytes, 1) != whole || run(bytes, 1U + data[0]) != whole) std::abort();

  if (percent_decode(percent_encode(bytes)) != bytes) std::abort();
  if (base64_decode(base64_encode(bytes)) != bytes) std::abort();
  (void)base64_decode(bytes);
  (void)percent_decode(bytes);
  if (const auto timeout = parse_timeout(bytes); timeout && *timeout < 0) std::abort();
  return 0;
}
