// StoreSharedLog: the log of notifications that all instances share, as a few documents of the configuration's store.
//
// A document is only replaced if it is still what this object has read or written, so of two instances that both think
// that they notify, one notices before it sends. The store is opened by the first call.
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
  // Of a document: the newest text that is known to be stored, and that of a write whose end is unknown.
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
