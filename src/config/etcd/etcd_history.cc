#include "config/etcd/etcd_history.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "config/etcd/messages.h"
#include "config/history/trail.h"
#include "config/history/versions.h"
#include "config/keys.h"
#include "config/status.h"

namespace monitor::config {

namespace {

constexpr size_t kMostBytes = size_t{2} << 20;

using Repeat = BlockingEtcdClient::Repeat;

bool is_compacted(const Error& error) {
  return error.code() == Code::kOutOfRange && error.message().find("compacted") != std::string::npos;
}

class HistoryReader {
 public:
  // The times of the `known` revisions are not looked for.
  HistoryReader(BlockingEtcdClient& client, const std::string& key, const std::set<int64_t>& known)
      : client_(client), key_(key), known_(known), deadline_(client.deadline()) {}

  Result<DocumentHistory> read(size_t most) {
    DocumentHistory history;
    size_t bytes = 0;
    auto seen = look(0);
    int64_t at = head_;
    while (history.versions.size() < most && bytes < kMostBytes) {
      if (!seen) return seen.error();
      if (seen->compacted) return history;
      Version version;
      if (seen->kv) {
        version.stored = {seen->kv->value(), seen->kv->mod_revision()};
        bytes += version.stored.value.size();
      } else {
        const auto deletion = last_deletion(at);
        if (!deletion) return deletion.error();
        if (*deletion == 0) {
          history.complete = floor_ == 0;
          return history;
        }
        version.stored.revision = *deletion;
        version.deleted = true;
      }
      if (!known_.contains(version.stored.revision)) {
        const auto time = time_of(version.stored.revision);
        if (!time) return time.error();
        version.written_ns = *time;
      }
      at = version.stored.revision - 1;
      history.versions.push_back(std::move(version));
      if (at < 1) {  // 0 would be now
        history.complete = true;
        return history;
      }
      seen = look(at);
    }
    return history;
  }

 private:
  struct Seen {
    std::optional<pb::KeyValue> kv = std::nullopt;
    bool compacted = false;
  };

  // The document at a revision; 0: now.
  Result<Seen> look(int64_t revision) {
    pb::RangeRequest request;
    request.set_key(key_);
    request.set_revision(revision);
    const auto response = ask_etcd<pb::RangeResponse>(client_, kRangePath, request, deadline_, Repeat::kYes);
    if (!response && is_compacted(response.error())) {
      floor_ = std::max(floor_, revision);
      return Seen{.compacted = true};
    }
    if (!response) return response.error();
    if (revision == 0) head_ = response->header().revision();
    return response->kvs().empty() ? Seen{} : Seen{.kv = response->kvs(0)};
  }

  // The revision of a deletion at or before `missing`, at which the document does not exist. 0: it did not exist
  // before, as far as etcd remembers.
  Result<int64_t> last_deletion(int64_t missing) {
    int64_t step = 1;
    while (missing > floor_ + 1) {
      // First in growing steps, then by halving what is left above the floor.
      const int64_t probe = missing - step > floor_ ? missing - step : floor_ + (missing - floor_) / 2;
      const auto seen = look(probe);
      if (!seen) return seen.error();
      if (seen->kv) return first_without(probe, missing);
      if (!seen->compacted) missing = probe;
      step *= 2;
    }
    return 0;
  }

  Result<int64_t> first_without(int64_t with, int64_t without) {
    while (with + 1 < without) {
      const int64_t middle = with + (without - with) / 2;
      const auto seen = look(middle);
      if (!seen) return seen.error();
      (seen->kv ? with : without) = middle;
    }
    return without;
  }

  Result<int64_t> time_of(int64_t revision) {
    const auto status = newest_below(status_key(""), revision);
    if (!status) return status.error();
    const auto inventory = newest_below(inventory_key(""), revision);
    if (!inventory) return inventory.error();
    const auto reported = parse_status(*status);
    const auto listed = parse_inventory(*inventory);
    return std::max(reported ? reported->updated_ns : 0, listed ? listed->last_seen_ns : 0);
  }

  // The value that was written last below a prefix; empty: there is none.
  Result<std::string> newest_below(const std::string& prefix, int64_t revision) {
    pb::RangeRequest request;
    request.set_key(prefix);
    request.set_range_end(prefix_end(prefix));
    request.set_revision(revision);
    request.set_sort_target(pb::RangeRequest::MOD);
    request.set_sort_order(pb::RangeRequest::DESCEND);
    request.set_limit(1);
    const auto response = ask_etcd<pb::RangeResponse>(client_, kRangePath, request, deadline_, Repeat::kYes);
    if (!response && is_compacted(response.error())) return std::string();
    if (!response) return response.error();
    return response->kvs().empty() ? std::string() : response->kvs(0).value();
  }

  BlockingEtcdClient& client_;
  const std::string& key_;
  const std::set<int64_t>& known_;
  const int64_t deadline_;
  int64_t head_ = 0;   // etcd's newest revision
  int64_t floor_ = 0;  // the newest revision that is known to be compacted
};

struct StoredRecord {
  ChangeRecord record;
  int64_t revision = 0;  // at which it was written
};

// Records of a document, newest first. Damaged ones are skipped.
Result<std::vector<StoredRecord>> records_of(BlockingEtcdClient& client, const std::string& key) {
  std::vector<StoredRecord> records;
  if (!has_history(key)) return records;
  pb::RangeRequest request;
  request.set_key(history_prefix(key));
  request.set_range_end(history_end(key));
  request.set_sort_target(pb::RangeRequest::KEY);
  request.set_sort_order(pb::RangeRequest::DESCEND);
  request.set_limit(static_cast<int64_t>(kMostChanges) + 1);
  const int64_t deadline = client.deadline();
  const auto response = ask_etcd<pb::RangeResponse>(client, kRangePath, request, deadline, Repeat::kYes);
  // Roles from before the history do not permit reading it.
  if (!response && response.error().code() == Code::kPermissionDenied) return records;
  if (!response) return response.error();
  for (const pb::KeyValue& kv : response->kvs()) {
    const auto place = place_of_record(kv.key());
    auto record = parse_record(kv.value());
    if (place && record && record->number == place->number && place->key == key) {
      records.push_back({std::move(*record), kv.mod_revision()});
    } else {
      log_warning("history record ignored",
                  {{"key", kv.key()}, {"reason", record ? "it has another number" : record.error().message()}});
    }
  }
  return records;
}

int64_t revision_of(const StoredRecord& one) { return one.record.found ? one.record.revision : one.revision; }

Result<CurrentText> current_text(BlockingEtcdClient& client, const std::string& key) {
  pb::RangeRequest request;
  request.set_key(key);
  const int64_t deadline = client.deadline();
  const auto response = ask_etcd<pb::RangeResponse>(client, kRangePath, request, deadline, Repeat::kYes);
  if (!response) return response.error();
  if (response->kvs().empty()) return CurrentText{};
  return CurrentText{response->kvs(0).value(), response->kvs(0).mod_revision()};
}

}  // namespace

Result<DocumentHistory> read_history(BlockingEtcdClient& client, const std::string& key, size_t most, int64_t wall_ns) {
  const auto records = records_of(client, key);
  if (!records) return records.error();
  const auto current = current_text(client, key);
  if (!current) return current.error();
  DocumentHistory history;
  std::set<int64_t> known;
  const auto newest = records->empty() ? std::nullopt : std::optional(records->front().record);
  if (auto found = unrecorded(newest, *current, wall_ns, false)) {
    history.versions.push_back(version_of(*found, found->revision));
    if (found->note.kind != AuthorKind::kExpiry) history.versions.back().note.at_ns = 0;
  }
  for (const StoredRecord& one : *records) {
    history.versions.push_back(version_of(one.record, revision_of(one)));
    if (!one.record.found) known.insert(one.revision);
  }
  auto others = HistoryReader(client, key, known).read(most);
  if (!others) return others.error();
  const bool from_first = !records->empty() && records->back().record.number == 1 && !records->back().record.found;
  add_versions(history.versions, std::move(others->versions));
  history.complete = history.versions.size() <= most && (others->complete || from_first);
  if (history.versions.size() > most) history.versions.resize(most);
  return history;
}

Result<std::vector<DocumentChange>> read_recent(BlockingEtcdClient& client, size_t most) {
  pb::RangeRequest request;
  request.set_key(std::string(kHistoryRoot));
  request.set_range_end(prefix_end(std::string(kHistoryRoot)));
  request.set_sort_target(pb::RangeRequest::MOD);
  request.set_sort_order(pb::RangeRequest::DESCEND);
  request.set_limit(static_cast<int64_t>(most));
  const int64_t deadline = client.deadline();
  const auto response = ask_etcd<pb::RangeResponse>(client, kRangePath, request, deadline, Repeat::kYes);
  if (!response) return response.error();
  std::vector<DocumentChange> changes;
  for (const pb::KeyValue& kv : response->kvs()) {
    const auto place = place_of_record(kv.key());
    auto record = parse_record(kv.value());
    if (!place || !record) continue;
    const StoredRecord one{std::move(*record), kv.mod_revision()};
    changes.push_back({place->key, version_of(one.record, revision_of(one))});
  }
  return changes;
}

}  // namespace monitor::config
