// The parser of a native plugin's ELF file, which the host runs before the loader: any file may be in the plugin
// folder.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plugins/host/elf_needs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto names = monitor::plugin_host::needed_libraries({reinterpret_cast<const char*>(data), size});
  if (!names) return 0;
  for (const std::string& name : *names) {
    if (name.empty() || name.find('/') != std::string::npos) abort();
  }
  return 0;
}
