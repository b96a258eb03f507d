#include "config/etcd/key_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/document.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

Entry entry_of(const pb::KeyValue& kv) {
  const std::string& value = kv.value();
  if (value.size() <= kMaxDocumentBytes) return {value, std::nullopt, kv.mod_revision()};
  return {"",
          Error(Code::kResourceExhausted,
                fmt::format("document: {} bytes, the limit is {}", value.size(), kMaxDocumentBytes)),
          kv.mod_revision()};
}

}  // namespace

std::vector<KeyRange> ranges_of(const WatchSet& what) {
  std::vector<KeyRange> ranges;
  ranges.reserve(what.keys.size() + what.prefixes.size());
  for (const std::string& key : what.keys) ranges.push_back({key, ""});
  for (const std::string& prefix : what.prefixes) {
    ranges.push_back({prefix, prefix});
    ++ranges.back().end.back();  // turns the final '/' into '0'; '/' is not the highest byte, so this cannot overflow
  }
  return ranges;
}

pb::TxnRequest read_of(const std::vector<KeyRange>& ranges, ReadKind kind) {
  pb::TxnRequest request;
  for (const KeyRange& range : ranges) {
    pb::RangeRequest& one = *request.add_success()->mutable_request_range();
    one.set_key(range.key);
    one.set_range_end(range.end);
    one.set_serializable(kind == ReadKind::kVersions);
    one.set_keys_only(kind == ReadKind::kVersions);
  }
  return request;
}

Snapshot snapshot_of(const pb::TxnResponse& response) {
  Snapshot snapshot;
  snapshot.cluster_id = response.header().cluster_id();
  snapshot.revision = response.header().revision();
  for (const pb::ResponseOp& op : response.responses()) {
    for (const pb::KeyValue& kv : op.response_range().kvs()) {
      if (check_key(kv.key())) snapshot.entries[kv.key()] = entry_of(kv);
    }
  }
  return snapshot;
}

void KeyCache::forget() {
  entries_.clear();
  seen_.clear();
}

void KeyCache::take(const Snapshot& snapshot) {
  cluster_id_ = snapshot.cluster_id;
  revision_ = seen_all_ = snapshot.revision;
  entries_ = snapshot.entries;
  seen_.clear();
}

bool KeyCache::apply(const pb::Event& event) {
  const pb::KeyValue& kv = event.kv();
  if (!check_key(kv.key())) return false;
  int64_t& last = seen_.try_emplace(kv.key(), seen_all_).first->second;
  if (kv.mod_revision() <= last) return false;
  last = kv.mod_revision();
  revision_ = std::max(revision_, last);
  if (event.type() == pb::Event::DELETE) {
    entries_.erase(kv.key());
  } else {
    entries_[kv.key()] = entry_of(kv);
  }
  return true;
}

bool KeyCache::differs(const Snapshot& snapshot) const {
  return !std::equal(entries_.begin(), entries_.end(), snapshot.entries.begin(), snapshot.entries.end(),
                     [](const auto& known, const auto& found) {
                       return known.first == found.first && known.second.revision == found.second.revision;
                     });
}

}  // namespace monitor::config
