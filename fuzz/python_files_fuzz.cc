// What the agent reads of a Python file in the plugin folder: any file may be there, and any name in a document.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "plugins/hosted/python_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto found = monitor::agent::read_python(input);
  if (found.classes.size() > 100 || found.imported.size() > 1000) abort();
  for (const std::string& name : found.classes) {
    // Together with a module it must be the name of a plugin.
    const std::string full = "agent.plugins.module." + name;
    if (!monitor::valid_name(full) || monitor::agent::python_module_of(full) != "agent.plugins.module") abort();
  }
  const std::string module = monitor::agent::python_module_of(input);
  if (!module.empty() && !input.starts_with(module + ".")) abort();
  return 0;
}
