// SilenceExchange: keeps the silences in the alerts' file of this instance and those in the configuration's store the
// same. Each silence is a document by its id; of two versions, the newer one counts.
//
// A silence that has ended stays in the store for kKeepEndedMs, so that instances that were away learn of its end. One
// thread. The file, the store and the clock must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/store.h"
#include "notify/store.h"

namespace monitor {

class SilenceExchange {
 public:
  using Open = std::function<Result<std::unique_ptr<config::ConfigStore>>()>;
  static constexpr int64_t kKeepEndedMs = int64_t{120} * 3'600'000;

  // `host` tells the others where a change was made. The first write opens the store.
  SilenceExchange(notify::AlertStore& alerts, Open open, std::string host, const Clock& clock)
      : alerts_(alerts), open_(std::move(open)), host_(std::move(host)), clock_(clock) {}

  // All documents of the store, by id. Takes the silences that are new here. Errors: those of the file.
  Status take(const std::map<std::string, std::string>& documents);
  // Writes the silences that are newer here than in the documents of the last take(), and deletes those that ended long
  // ago. Errors: of the file or the store; call it again.
  Status offer();

 private:
  Status take_one(const std::string& id, const std::string& text);
  Status write(const notify::Silence& silence);
  Status remove(const std::string& id);
  Result<config::ConfigStore*> store();
  int64_t now_ms() const { return clock_.wall_ns() / kNanosPerMilli; }

  notify::AlertStore& alerts_;
  const Open open_;
  const std::string host_;
  const Clock& clock_;
  std::unique_ptr<config::ConfigStore> store_;
  std::map<std::string, notify::Silence> shared_;  // as last seen in the store, or written there
  std::map<std::string, std::string> refused_;     // documents that cannot be used, which are reported once
  int64_t version_ = -1;                           // of the file, when everything in it was offered
  bool offered_ = false;
};

}  // namespace monitor
