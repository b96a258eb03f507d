// Parts of the configuration's parser: receivers and matchers. Internal to this folder.
#pragma once

#include <string_view>
#include <vector>

#include "notify/config.h"
#include "rules/yaml_fields.h"

namespace monitor::notify {

// A list of matchers, each a text. Faults are reported, with the place of the text.
Matchers parse_matchers(rules::YamlFields& fields, std::string_view key, std::vector<rules::Fault>& faults);

Receiver parse_receiver(const rules::YamlPtr& node, std::vector<rules::Fault>& faults);

}  // namespace monitor::notify
