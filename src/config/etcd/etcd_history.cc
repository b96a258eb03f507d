#include "config/etcd/etcd_history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/etcd/messages.h"
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
  HistoryReader(BlockingEtcdClient& client, const std::string& key)
      : client_(client), key_(key), deadline_(client.deadline()) {}

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
      const auto time = time_of(version.stored.revision);
      if (!time) return time.error();
      version.written_ns = *time;
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
  const int64_t deadline_;
  int64_t head_ = 0;   // etcd's newest revision
  int64_t floor_ = 0;  // the newest revision that is known to be compacted
};

}  // namespace

Result<DocumentHistory> read_history(BlockingEtcdClient& client, const std::string& key, size_t most) {
  return HistoryReader(client, key).read(most);
}

}  // namespace monitor::config
