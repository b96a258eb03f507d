#include "ui/top/keys.h"

namespace monitor::analysis::top {

std::optional<long> movement(int key, long page) {
  constexpr long kFar = 1'000'000;
  switch (key) {
    case kUp:
    case 'k':
      return -1;
    case kDown:
    case 'j':
      return 1;
    case kPageUp:
      return -page;
    case kPageDown:
      return page;
    case kHome:
    case 'g':
      return -kFar;
    case kEnd:
    case 'G':
      return kFar;
    default:
      return std::nullopt;
  }
}

}  // namespace monitor::analysis::top
