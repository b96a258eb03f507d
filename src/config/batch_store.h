// BatchStore: what rollouts need of a store of documents beside ConfigStore: many writes at once, each by
// compare-and-swap and only while another document, the guard, is unchanged; and leases, under which documents end by
// themselves. Implementations: files (no leases) and etcd. Calls block; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/store.h"

namespace monitor::config {

// A write that happens only if the document is still `expected` (nothing: absent). `next`: nothing deletes it.
struct BatchWrite {
  std::string key;
  std::optional<Stored> expected;
  std::optional<std::string> next;
};

class BatchStore {
 public:
  virtual ~BatchStore() = default;

  virtual ConfigStore& documents() = 0;

  // Replaces one document. Returns its new revision (0 in files). kAborted: it is not `expected` any more.
  virtual Result<int64_t> swap(const BatchWrite& write) = 0;

  // Writes in this order, as long as the document `guard` is `guarded`. A document that is not as expected is left
  // alone. Returns how many were written. kAborted: the guard has changed; some may have been written before. `lease`
  // 0: none.
  virtual Result<size_t> write_all(const std::string& guard, const Stored& guarded,
                                   const std::vector<BatchWrite>& writes, int64_t lease) = 0;

  // Whether documents can be put under a lease. Without, the methods below are not called.
  virtual bool has_leases() const = 0;
  virtual Result<int64_t> grant(int64_t ns) = 0;
  // False: the lease has ended.
  virtual Result<bool> renew(int64_t lease) = 0;
  // Ends the lease, and what is under it.
  virtual Status revoke(int64_t lease) = 0;
};

}  // namespace monitor::config
