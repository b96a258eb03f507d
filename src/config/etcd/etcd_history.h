// Reads the old versions of a document: its records, and what etcd remembers by itself, which is every revision until
// it is compacted. Internal to this folder; blocks like BlockingEtcdClient, with the same errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/etcd/blocking_etcd_client.h"
#include "config/store.h"

namespace monitor::config {

// At most `most` versions, newest first: those of the document's records, and others that etcd still has. A version
// without a record has the time of the newest status or inventory entry that an agent had written before, since etcd
// remembers no times. With agents running it is early by 10 s at most.
//
// A deletion leaves nothing to ask for, so it is searched for by halving. If a document was deleted and created again
// several times, unrecorded versions of a generation that lived between two probes can be missed.
Result<DocumentHistory> read_history(BlockingEtcdClient& client, const std::string& key, size_t most, int64_t wall_ns);

// The newest records of all documents.
Result<std::vector<DocumentChange>> read_recent(BlockingEtcdClient& client, size_t most);

}  // namespace monitor::config
