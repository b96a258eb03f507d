// MemorySource: a ConfigSource for tests, which write to it directly.
#pragma once

#include <map>
#include <string>

#include "config/document.h"
#include "config/source.h"

namespace monitor::config {

class MemorySource final : public ConfigSource {
 public:
  void watch(const WatchSet& what, ConfigListener& listener) override {
    what_ = what;
    listener_ = &listener;
    tell();
  }
  std::string describe(const std::string& key) const override { return key; }

  void put(const std::string& key, const std::string& value) {
    all_[key] = Entry{value, {}, 0};
    if (value.size() > kMaxDocumentBytes) {
      all_[key] = {"",
                   Error(Code::kResourceExhausted, "document: " + std::to_string(value.size()) +
                                                       " bytes, the limit is " + std::to_string(kMaxDocumentBytes)),
                   0};
    }
    all_[key].revision = ++revision_;
    if (what_.contains(key)) tell();
  }
  void remove(const std::string& key) {
    if (all_.erase(key) == 0) return;
    ++revision_;
    if (what_.contains(key)) tell();
  }
  void lose(const Error& reason) {
    if (listener_ != nullptr) listener_->on_source_lost(reason);
  }
  int64_t revision() const { return revision_; }

 private:
  void tell() {
    if (listener_ == nullptr) return;
    KeySet set{revision_, {}};
    for (const auto& [key, entry] : all_) {
      if (what_.contains(key)) set.entries.emplace(key, entry);
    }
    listener_->on_keys(set);
  }

  std::map<std::string, Entry> all_;
  WatchSet what_;
  ConfigListener* listener_ = nullptr;
  int64_t revision_ = 0;
};

}  // namespace monitor::config
