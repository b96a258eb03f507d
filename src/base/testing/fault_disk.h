// FaultDisk: a disk in memory that fails on request and can lose what a real disk can lose.
//
// A process crash loses nothing that was written. A power loss keeps everything that was synced. Of unsynced data, each
// page is kept, lost (zeros or its old content) or torn, and the new file size is kept or not. Of the changes to a
// folder since its last sync, a prefix is kept. Pages of a failed sync are never written, as on Linux: a later
// successful sync does not cover them.
//
// Not thread-safe. All randomness comes from the caller's Random, so the same seed gives the same disk.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/random.h"

namespace monitor::testing {

enum class DiskOp { kOpen, kCreate, kRead, kWrite, kTruncate, kSize, kSync, kList, kRename, kRemove, kFolder, kLock };
const char* to_string(DiskOp op);

enum class DiskFault {
  kIo,
  kNoSpace,
  kShort,  // half of a write is taken; any other call fails with EIO
};

struct DiskCall {
  uint64_t number = 0;  // 1, 2, 3 ... over the disk's life
  DiskOp op = DiskOp::kOpen;
  std::string path;
};

class FaultDisk final : public FileDisk {
 public:
  using Judge = std::function<std::optional<DiskFault>(const DiskCall&)>;

  // Called before every call; its result, if any, is the fault of that call.
  void set_judge(Judge judge) { judge_ = std::move(judge); }
  // Limits the total size of all files: writes beyond it fail with ENOSPC.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  uint64_t used() const;
  uint64_t calls() const { return calls_; }

  // Simulates a crash: the call with this number and all later ones are not executed, and all open files and locks are
  // invalid.
  void crash_at(uint64_t call) { crash_at_ = call; }
  bool crashed() const { return crash_at_ != 0 && calls_ >= crash_at_; }
  // Starts the next process after a crash.
  void restart();
  void lose_power(Random& random);

  // Direct access to the files, past the process.
  std::map<std::string, std::string> contents() const;
  void put(const std::string& path, std::string_view content);

  Result<std::string> read_file(const std::string& path, size_t max_bytes) override;
  Status write_file(const std::string& path, std::string_view content) override;
  Status make_folder(const std::string& path) override;
  Status remove_file(const std::string& path) override;
  Result<std::unique_ptr<DiskFile>> open_file(const std::string& path, Open mode) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Status rename_file(const std::string& from, const std::string& to) override;
  Status sync_folder(const std::string& path) override;
  Result<std::unique_ptr<DiskLock>> lock_file(const std::string& path, const std::string& what) override;

 private:
  friend class FaultFile;
  friend class FaultLock;
  // The bytes of a file in pages, which copies share until one is written. A missing page reads as zeros.
  class Bytes {
   public:
    uint64_t size() const { return size_; }
    size_t read(uint64_t offset, char* into, size_t size) const;
    void write(uint64_t offset, std::string_view bytes);
    void resize(uint64_t size);
    void take_page(uint64_t page, const Bytes& from);
    std::string text() const;

   private:
    std::string& own(uint64_t page);
    uint64_t size_ = 0;
    std::vector<std::shared_ptr<std::string>> pages_;
  };
  struct Node {
    Bytes data;
    Bytes durable;
    std::vector<uint64_t> dirty;  // pages that the next sync writes, rising
    bool changed = false;         // since the last sync, in data or size
    void mark(uint64_t page);
  };
  using Entries = std::map<std::string, std::shared_ptr<Node>>;

  // Counts the call and returns its error, if it must fail. Sets `shortened` if only half of a write must be done.
  std::optional<Error> enter(DiskOp op, const std::string& path, bool* shortened = nullptr);
  bool has_room(uint64_t more) const { return used() + more <= capacity_; }
  void change_entries(Entries next);
  static void lose_pages(Node& node, Random& random);

  Judge judge_;
  uint64_t capacity_ = UINT64_MAX;
  uint64_t calls_ = 0;
  uint64_t crash_at_ = 0;
  uint64_t process_ = 1;  // handles of earlier processes are invalid
  Entries entries_;
  std::vector<Entries> history_{Entries{}};  // the durable one, then each change since
  std::map<std::string, uint64_t> locks_;    // path, process
};

}  // namespace monitor::testing
