// ShareLooker: reads for `top` which share of each agent's series is unusual, from what `serve` records beside its
// history. It has a thread of its own, since a file on a slow disk may block. changed() may be called from any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "ui/top/unusual.h"
#include "views/history/agent_facts.h"

namespace monitor {

class ShareLooker {
 public:
  // `history_path` need not exist; empty: there is none.
  ShareLooker(const std::string& history_path, const Clock& clock);
  ~ShareLooker();
  ShareLooker(const ShareLooker&) = delete;
  ShareLooker& operator=(const ShareLooker&) = delete;

  // The shares, if they were read again since the last call.
  std::optional<analysis::top::UnusualShares> changed();

 private:
  void run();
  analysis::top::UnusualShares look();

  const std::string path_;
  const Clock& clock_;
  std::unique_ptr<analysis::history::AgentFactsReader> facts_;  // used only by the thread
  std::mutex mutex_;                                            // guards the members below
  std::condition_variable wake_;
  bool stop_ = false;
  std::optional<analysis::top::UnusualShares> found_;
  std::thread thread_;  // last, because it uses the other members
};

}  // namespace monitor
