#include "bin/analysis/alert_shared_log.h"

#include <optional>
#include <set>
#include <utility>

#include "base/hash64.h"
#include "base/log.h"
#include "config/document.h"
#include "config/keys.h"

namespace monitor {

namespace {

using notify::LogKey;
using notify::SharedEntries;

size_t document_of(const LogKey& key, size_t documents) {
  return hash64(HashKey{}, key.receiver + "\n" + key.integration + "\n" + key.group_key) % documents;
}

}  // namespace

Result<config::ConfigStore*> StoreSharedLog::store() {
  if (!store_) {
    auto opened = open_();
    if (!opened) return opened.error();
    store_ = std::move(*opened);
  }
  return store_.get();
}

Result<SharedEntries> StoreSharedLog::load() {
  const auto store = this->store();
  if (!store) return store.error();
  SharedEntries all;
  for (size_t i = 0; i < kDocuments; ++i) {
    const std::string key = config::notification_log_key(i);
    const auto stored = (*store)->get(key);
    if (!stored) return stored.error();
    known_[i] = {.stored = *stored ? (*stored)->value : std::string(), .attempted = {}};
    if (!*stored) continue;
    auto entries = notify::decode_entries((*stored)->value);
    if (!entries) {
      log_error("a part of the shared log of notifications cannot be used; its notifications may be repeated",
                {{"document", (*store)->describe(key)}, {"reason", entries.error()}});
      continue;
    }
    all.merge(*entries);
  }
  return all;
}

Status StoreSharedLog::save(std::span<const LogKey> keys, const SharedEntries& all) {
  std::set<size_t> touched;
  for (const LogKey& key : keys) touched.insert(document_of(key, kDocuments));
  std::array<SharedEntries, kDocuments> parts;
  for (const auto& [key, entry] : all) {
    const size_t document = document_of(key, kDocuments);
    if (touched.contains(document)) parts[document].emplace(key, entry);
  }
  for (const size_t document : touched) {
    const auto text = notify::encode_entries(parts[document], config::kMaxDocumentBytes);
    if (!text) return text.error();
    if (Status replaced = replace(document, *text); !replaced) return replaced;
  }
  return {};
}

Status StoreSharedLog::replace(size_t document, const std::string& text) {
  const auto store = this->store();
  if (!store) return store.error();
  Known& known = known_[document];
  const auto change = [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
    const std::string now = current ? current->value : std::string();
    // An earlier attempt whose answer was lost may have stored it.
    if (now == text || now == known.stored || (!known.attempted.empty() && now == known.attempted)) {
      known.attempted = text;
      return std::optional(text);
    }
    return Error(Code::kAborted,
                 "another instance has written " + (*store)->describe(config::notification_log_key(document)));
  };
  const auto done = (*store)->update(config::notification_log_key(document), change);
  if (!done) return done.error();
  known = {.stored = text, .attempted = {}};
  return {};
}

}  // namespace monitor
