// StoreSharedLog: the log of notifications that all instances share, as a few documents of the configuration's store.
//
// A document is only replaced if it is still what this object has read or written. So if two instances both believe
// that they notify, one detects the other before it sends. The first call opens the store.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/store.h"
#include "notify/shared_log.h"

namespace monitor {

class StoreSharedLog final : public notify::SharedLog {
 public:
  using Open = std::function<Result<std::unique_ptr<config::ConfigStore>>()>;
  static constexpr size_t kDocuments = 64;

  explicit StoreSharedLog(Open open) : open_(std::move(open)) {}

  Result<notify::SharedEntries> load() override;
  Status save(std::span<const notify::LogKey> keys, const notify::SharedEntries& all) override;

 private:
  // A document: the newest text that is known to be stored, and the text of a write whose outcome is unknown.
  struct Known {
    std::string stored;
    std::string attempted;
  };

  Result<config::ConfigStore*> store();
  Status replace(size_t document, const std::string& text);

  const Open open_;
  std::unique_ptr<config::ConfigStore> store_;
  std::array<Known, kDocuments> known_;
};

}  // namespace monitor
