// Keeps the agent's memory small.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace monitor {

// Lets all threads allocate from one heap: the agent's helper threads allocate little, and a heap of their own takes
// pages for each of them. Call before the first thread starts.
void share_agent_heap();

// Gives back what the start, a change of the configuration or a rare event needed (base/resident.h). It has no timer:
// the agent calls look() after it has appended a batch, so nothing wakes up for it.
class AgentMemory {
 public:
  // Something has run that a usual tick does not need.
  void disturbed(int64_t mono_ns) { due_ns_ = mono_ns + kSettles; }
  void look(int64_t mono_ns);

 private:
  static constexpr int64_t kSettles = 2 * kNanosPerSecond;
  static constexpr int64_t kEvery = 600 * kNanosPerSecond;

  int64_t due_ns_ = 0;
};

}  // namespace monitor
