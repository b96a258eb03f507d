// Reads the old versions of a document from etcd, which remembers every revision until it is compacted. Internal to
// this folder; blocks like BlockingEtcdClient, with the same errors.
#pragma once

#include <string>

#include "config/etcd/blocking_etcd_client.h"
#include "config/store.h"

namespace monitor::config {

// At most `most` versions, newest first, and 2 MiB of documents. etcd remembers no times: a version's is that of the
// newest status or inventory entry that an agent had written before. With agents running it is early by 10 s at most.
//
// A deletion leaves nothing to ask for, so it is searched for by halving. If a document was deleted and created again
// several times, the versions of a generation that lived between two probes can be missed.
Result<DocumentHistory> read_history(BlockingEtcdClient& client, const std::string& key, size_t most);

}  // namespace monitor::config
