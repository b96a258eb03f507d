// KeyCache: the known state of the watched keys. A read replaces it as of one revision; watch events change it key by
// key. Internal to this folder; not thread-safe.
#pragma once

#include <etcd/etcd.pb.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/source.h"

namespace monitor::config {

namespace pb = etcdpb;

// A key, or all from `key` to before `end`.
struct KeyRange {
  std::string key;
  std::string end;
};
std::vector<KeyRange> ranges_of(const WatchSet& what);

// One transaction that reads them all.
enum class ReadKind {
  kAll,       // linearizable, with values
  kVersions,  // of the member that is asked, at the revision that it has; keys and their revisions only
};
pb::TxnRequest read_of(const std::vector<KeyRange>& ranges, ReadKind kind);

// What a read found.
struct Snapshot {
  uint64_t cluster_id = 0;
  int64_t revision = 0;
  std::map<std::string, Entry> entries;
};
Snapshot snapshot_of(const pb::TxnResponse& response);

class KeyCache {
 public:
  void forget();
  void take(const Snapshot& snapshot);
  // False when the event is at or below what is known of its key, deletions included.
  bool apply(const pb::Event& event);

  // Any other revision of a key, not just a higher one: a store that was restored may have been written to since.
  bool differs(const Snapshot& snapshot) const;

  const std::map<std::string, Entry>& entries() const { return entries_; }
  // The highest of a read or an event.
  int64_t revision() const { return revision_; }
  uint64_t cluster_id() const { return cluster_id_; }

 private:
  uint64_t cluster_id_ = 0;
  int64_t revision_ = 0;
  std::map<std::string, Entry> entries_;
  std::map<std::string, int64_t> seen_;  // key -> revision up to which it is known; deletions too
  int64_t seen_all_ = 0;                 // up to which those are known that are not in seen_
};

}  // namespace monitor::config
