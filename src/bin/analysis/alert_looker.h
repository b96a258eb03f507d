// AlertLooker: reads the alerts for `top` on a thread of its own, since a file on a slow disk may block. changed() may
// be called from any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "notify/store.h"
#include "ui/top/alerts.h"

namespace monitor {

class AlertLooker {
 public:
  // `path`: of the file alerts.db, which need not exist; empty: `why_none` says why there is no file.
  AlertLooker(std::string path, std::string why_none, const Clock& clock);
  ~AlertLooker();
  AlertLooker(const AlertLooker&) = delete;
  AlertLooker& operator=(const AlertLooker&) = delete;

  // The alerts, if they have changed since the last call.
  std::optional<analysis::top::AlertList> changed();

 private:
  void run();
  analysis::top::AlertList look();
  Result<analysis::top::AlertList> read();

  const std::string path_;
  const std::string why_none_;
  const Clock& clock_;
  std::unique_ptr<notify::AlertStore> store_;  // used only by the thread
  std::mutex mutex_;                           // guards the members below
  std::condition_variable wake_;
  bool stop_ = false;
  std::optional<analysis::top::AlertList> found_;
  std::thread thread_;  // last, because it uses the other members
};

}  // namespace monitor
