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

// A key, or the half-open range [key, end).
struct KeyRange {
  std::string key;
  std::string end;
};
std::vector<KeyRange> ranges_of(const WatchSet& what);

// A transaction that reads all ranges.
enum class ReadKind {
  kAll,       // linearizable, with values
  kVersions,  // serializable (answered by the contacted member alone); keys and revisions without values
};
pb::TxnRequest read_of(const std::vector<KeyRange>& ranges, ReadKind kind);

// The result of a read.
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
  // Returns false for an event at or below the known revision of its key, deletions included.
  bool apply(const pb::Event& event);

  // True if any key has another revision, higher or lower: a restored store may have been written since.
  bool differs(const Snapshot& snapshot) const;

  const std::map<std::string, Entry>& entries() const { return entries_; }
  // The highest revision of a read or an event.
  int64_t revision() const { return revision_; }
  uint64_t cluster_id() const { return cluster_id_; }

 private:
  uint64_t cluster_id_ = 0;
  int64_t revision_ = 0;
  std::map<std::string, Entry> entries_;
  std::map<std::string, int64_t> seen_;  // key -> known revision, deletions included
  int64_t seen_all_ = 0;                 // known revision of all other keys
};

}  // namespace monitor::config
