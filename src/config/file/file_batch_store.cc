#include "config/file/file_batch_store.h"

namespace monitor::config {

namespace {

bool same(const std::optional<Stored>& a, const std::optional<Stored>& b) {
  return a.has_value() == b.has_value() && (!a || a->value == b->value);
}

Error no_leases() { return Error(Code::kUnimplemented, "files have no leases"); }

}  // namespace

Result<int64_t> FileBatchStore::swap(const BatchWrite& write) {
  return store_.update(write.key, [&](const std::optional<Stored>& current) -> Result<std::optional<std::string>> {
    if (same(current, write.expected)) return write.next;
    return Error(Code::kAborted, store_.describe(write.key) + " was changed meanwhile");
  });
}

Result<size_t> FileBatchStore::write_all(const std::string& guard, const Stored& guarded,
                                         const std::vector<BatchWrite>& writes, int64_t /*lease*/) {
  size_t written = 0;
  for (const BatchWrite& write : writes) {
    bool lost = false;
    bool skipped = false;
    const auto done =
        store_.update(write.key, [&](const std::optional<Stored>& current) -> Result<std::optional<std::string>> {
          const auto now = store_.get(guard);
          if (!now) return now.error();
          lost = !same(*now, guarded);
          if (lost) return Error(Code::kAborted, store_.describe(guard) + " was changed meanwhile");
          skipped = !same(current, write.expected);
          if (skipped) return current ? std::optional(current->value) : std::nullopt;
          return write.next;
        });
    if (!done) return done.error();
    if (!skipped) ++written;
  }
  return written;
}

Result<int64_t> FileBatchStore::grant(int64_t /*ns*/) { return no_leases(); }
Result<bool> FileBatchStore::renew(int64_t /*lease*/) { return no_leases(); }
Status FileBatchStore::revoke(int64_t /*lease*/) { return no_leases(); }

}  // namespace monitor::config
