// The host's side of the plugin protocol: an agent may send anything. Input: packets with a 16-bit length prefix.
// Scripts among them are run. The sandbox rejects native plugins before it opens anything.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/host/host.h"
#include "plugins/host/make.h"

namespace {

using namespace monitor;

class ScriptsOnly final : public plugin_host::Sandbox {
 public:
  Status confine_loading(const std::vector<std::string>&) override {
    return Error(Code::kPermissionDenied, "not here");
  }
  Result<plugin_wire::Confined> confine(int, bool) override { return plugin_wire::Confined{}; }
  void lend(int) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  ScriptsOnly sandbox;
  plugin_wire::Assembler answers;
  plugin_host::Host host(
      sandbox,
      [&](std::string_view head, std::string_view rest) {
        // The host's packets must always parse.
        if (!answers.take(std::string(head) + std::string(rest))) abort();
      },
      plugin_host::make_native_or_script);
  while (input.size() >= 2) {
    uint16_t length = 0;
    std::memcpy(&length, input.data(), sizeof length);
    input.remove_prefix(2);
    const std::string_view packet = input.substr(0, length);
    input.remove_prefix(packet.size());
    if (!host.take(packet)) break;
  }
  return 0;
}
