// The filter of `top`: which agents are shown. A filter is a list of words, all of which must apply. A word is a part
// of an id or of a host's name, `label=value`, `state=late`, or a shell pattern with * and ? over one of them. Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

class Filter {
 public:
  static constexpr size_t kMaxBytes = 256;

  Filter() = default;
  explicit Filter(std::string_view text);
  bool matches(const LiveAgent& agent, Health health) const;
  bool empty() const { return patterns_.empty(); }

 private:
  std::vector<std::string> patterns_;
};

}  // namespace monitor::analysis::top
