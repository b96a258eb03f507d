// Stream messages to the state machines of both sides. The input is a sequence of messages with a length byte each.
#include <cstdint>
#include <string_view>
#include <vector>

#include "stream/receiver.h"
#include "stream/sender.h"

namespace {

class EndlessSource final : public monitor::stream::BatchSource {
 public:
  std::optional<monitor::stream::Outgoing> next() override { return monitor::stream::Outgoing{++last_, "batch"}; }
  void acknowledged(uint64_t) override {}
  void rejected(uint64_t, monitor::stream::RejectedBy, std::string_view) override {}
  void returned(uint64_t) override {}

 private:
  uint64_t last_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::stream;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  EndlessSource source;
  Sender sender({"a", std::string(16, 'i'), "1", "h"}, source);
  Receiver receiver({"1", 1000, {}});
  uint64_t token = 0;
  while (!rest.empty()) {
    const size_t length = static_cast<unsigned char>(rest[0]);
    const std::string_view message = rest.substr(1, length);
    rest.remove_prefix(1 + message.size());
    (void)sender.receive(message);
    for (int i = 0; i < 4 && sender.next(); ++i) {
    }
    if (receiver.receive(message).ok()) ++token;
    if (length % 3 == 0) receiver.stored(token);
    if (length % 5 == 0) receiver.retry(token);
    if (length % 7 == 0) receiver.reject(token, "x");
    while (receiver.next()) {
    }
  }
  sender.close();
  return 0;
}
