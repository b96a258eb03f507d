// Files of rules and of their unit tests: any text must be read or refused, with a place for every fault.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/rule_file.h"
#include "rules/unit_test_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::rules;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const RuleFile file = parse_rule_file(text, "f");
  for (const Fault& fault : file.faults) {
    if (fault.text.empty() || fault.place.line < 1 || fault.place.column < 1) std::abort();
  }
  for (const Group& group : file.groups) {
    for (const Rule& rule : group.rules) {
      if (file.faults.empty() && (!rule.expression || rule.name.empty())) std::abort();
    }
  }
  (void)parse_unit_tests(text);
  return 0;
}
