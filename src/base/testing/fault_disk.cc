#include "base/testing/fault_disk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace monitor::testing {

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSector = 512;
constexpr size_t kMaxHistory = 64;
constexpr std::array<char, kPage> kZeros{};

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Error gone() { return Error(Code::kCancelled, "the process has crashed"); }

}  // namespace

const char* to_string(DiskOp op) {
  static constexpr std::array<const char*, 12> kNames = {"open", "create", "read",   "write",  "truncate", "size",
                                                         "sync", "list",   "rename", "remove", "folder",   "lock"};
  return kNames[static_cast<size_t>(op)];
}

size_t FaultDisk::Bytes::read(uint64_t offset, char* into, size_t size) const {
  if (offset >= size_) return 0;
  const size_t all = std::min<uint64_t>(size, size_ - offset);
  for (size_t done = 0; done < all;) {
    const uint64_t at = (offset + done) % kPage;
    const size_t count = std::min<uint64_t>(all - done, kPage - at);
    const auto& page = pages_[(offset + done) / kPage];
    if (page) {
      std::copy_n(page->data() + at, count, into + done);
    } else {
      std::fill_n(into + done, count, '\0');
    }
    done += count;
  }
  return all;
}

std::string& FaultDisk::Bytes::own(uint64_t page) {
  auto& one = pages_[page];
  if (!one) one = std::make_shared<std::string>(kPage, '\0');
  if (one.use_count() > 1) one = std::make_shared<std::string>(*one);
  return *one;
}

void FaultDisk::Bytes::write(uint64_t offset, std::string_view bytes) {
  if (offset + bytes.size() > size_) resize(offset + bytes.size());
  for (size_t done = 0; done < bytes.size();) {
    const uint64_t at = (offset + done) % kPage;
    const size_t count = std::min<uint64_t>(bytes.size() - done, kPage - at);
    const std::string_view part = bytes.substr(done, count);
    const uint64_t page = (offset + done) / kPage;
    // Zeros written to a missing page need no page: preallocated space takes no memory.
    if (pages_[page] || std::memcmp(part.data(), kZeros.data(), count) != 0) own(page).replace(at, count, part);
    done += count;
  }
}

void FaultDisk::Bytes::resize(uint64_t size) {
  if (size < size_ && size % kPage != 0 && pages_[size / kPage])
    own(size / kPage).replace(size % kPage, kPage, kPage - size % kPage, '\0');
  size_ = size;
  pages_.resize((size + kPage - 1) / kPage);
}

void FaultDisk::Bytes::take_page(uint64_t page, const Bytes& from) {
  if (page < pages_.size()) pages_[page] = from.pages_[page];
}

std::string FaultDisk::Bytes::text() const {
  std::string all(size_, '\0');
  read(0, all.data(), all.size());
  return all;
}

void FaultDisk::Node::mark(uint64_t page) {
  const auto place = std::lower_bound(dirty.begin(), dirty.end(), page);
  if (place == dirty.end() || *place != page) dirty.insert(place, page);
}

class FaultFile final : public DiskFile {
 public:
  FaultFile(FaultDisk& disk, std::string path, std::shared_ptr<FaultDisk::Node> node)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)), process_(disk.process_) {}

  Result<size_t> read_at(uint64_t offset, char* into, size_t size) override {
    if (auto error = enter(DiskOp::kRead)) return *error;
    return node_->data.read(offset, into, size);
  }
  Result<size_t> write_at(uint64_t offset, std::string_view bytes) override {
    bool shortened = false;
    if (auto error = enter(DiskOp::kWrite, &shortened)) return *error;
    if (shortened) bytes = bytes.substr(0, bytes.size() / 2);
    FaultDisk::Bytes& data = node_->data;
    const uint64_t end = offset + bytes.size();
    if (end > data.size()) {
      const uint64_t more = end - data.size();
      if (!disk_.has_room(more)) {
        const uint64_t room = disk_.capacity_ - std::min(disk_.capacity_, disk_.used());
        if (room == 0 || offset > data.size()) return errno_error(ENOSPC, "writing " + path_);
        bytes = bytes.substr(0, bytes.size() - (more - room));
        if (bytes.empty()) return errno_error(ENOSPC, "writing " + path_);
      }
    }
    data.write(offset, bytes);
    for (uint64_t page = offset / kPage; page * kPage < offset + bytes.size(); ++page) node_->mark(page);
    node_->changed = true;
    return bytes.size();
  }
  Status truncate(uint64_t size) override {
    if (auto error = enter(DiskOp::kTruncate)) return *error;
    node_->data.resize(size);
    node_->changed = true;
    return {};
  }
  Result<uint64_t> size() override {
    if (auto error = enter(DiskOp::kSize)) return *error;
    return static_cast<uint64_t>(node_->data.size());
  }
  Status sync() override {
    auto error = enter(DiskOp::kSync);
    const std::vector<uint64_t> dirty = std::exchange(node_->dirty, {});
    node_->changed = false;
    if (error) return *error;
    node_->durable.resize(node_->data.size());
    for (const uint64_t page : dirty) node_->durable.take_page(page, node_->data);
    return {};
  }

 private:
  std::optional<Error> enter(DiskOp op, bool* shortened = nullptr) {
    if (process_ != disk_.process_) return gone();
    return disk_.enter(op, path_, shortened);
  }

  FaultDisk& disk_;
  std::string path_;
  std::shared_ptr<FaultDisk::Node> node_;
  uint64_t process_;
};

class FaultLock final : public DiskLock {
 public:
  FaultLock(FaultDisk& disk, std::string path) : disk_(disk), path_(std::move(path)), process_(disk.process_) {}
  ~FaultLock() override {
    const auto held = disk_.locks_.find(path_);
    if (held != disk_.locks_.end() && held->second == process_) disk_.locks_.erase(held);
  }
  FaultLock(const FaultLock&) = delete;
  FaultLock& operator=(const FaultLock&) = delete;

 private:
  FaultDisk& disk_;
  std::string path_;
  uint64_t process_;
};

uint64_t FaultDisk::used() const {
  uint64_t sum = 0;
  for (const auto& [path, node] : entries_) sum += node->data.size();
  return sum;
}

std::optional<Error> FaultDisk::enter(DiskOp op, const std::string& path, bool* shortened) {
  ++calls_;
  if (crashed()) return gone();
  if (!judge_) return std::nullopt;
  const auto fault = judge_({calls_, op, path});
  if (!fault) return std::nullopt;
  const std::string what = std::string(to_string(op)) + " " + path;
  if (*fault == DiskFault::kShort && shortened != nullptr) {
    *shortened = true;
    return std::nullopt;
  }
  return errno_error(*fault == DiskFault::kNoSpace ? ENOSPC : EIO, what);
}

void FaultDisk::change_entries(Entries next) {
  entries_ = std::move(next);
  history_.push_back(entries_);
  // Bounds the memory of a caller that never syncs. Dropping one of the possible states after a power loss is harmless.
  if (history_.size() > kMaxHistory) history_.erase(history_.begin() + 1);
}

void FaultDisk::restart() {
  crash_at_ = 0;
  ++process_;
  locks_.clear();
}

void FaultDisk::lose_pages(Node& node, Random& random) {
  Bytes after = node.durable;
  if (node.changed) after.resize(random.below(2) == 0 ? node.data.size() : node.durable.size());
  std::array<char, kSector> sector{};
  for (const uint64_t page : node.dirty) {
    const uint64_t fate = random.below(4);  // kept, kept, torn, lost
    if (fate == 3) continue;
    for (uint64_t at = page * kPage; at < (page + 1) * kPage; at += kSector) {
      if (at >= node.data.size() || (fate == 2 && random.below(2) == 0)) continue;
      const size_t count = node.data.read(at, sector.data(), sector.size());
      if (at + count <= after.size()) after.write(at, {sector.data(), count});
    }
  }
  node.data = after;
  node.durable = std::move(after);
  node.dirty.clear();
  node.changed = false;
}

void FaultDisk::lose_power(Random& random) {
  entries_ = history_[random.below(history_.size())];
  history_ = {entries_};
  for (const auto& [path, node] : entries_) lose_pages(*node, random);
  restart();
}

std::map<std::string, std::string> FaultDisk::contents() const {
  std::map<std::string, std::string> result;
  for (const auto& [path, node] : entries_) result[path] = node->data.text();
  return result;
}

void FaultDisk::put(const std::string& path, std::string_view content) {
  auto node = std::make_shared<Node>();
  node->data.write(0, content);
  node->durable = node->data;
  entries_[path] = node;
  for (Entries& entries : history_) entries[path] = node;
}

Result<std::string> FaultDisk::read_file(const std::string& path, size_t max_bytes) {
  if (auto error = enter(DiskOp::kRead, path)) return *error;
  const auto found = entries_.find(path);
  if (found == entries_.end()) return errno_error(ENOENT, "opening " + path);
  if (found->second->data.size() > max_bytes) return Error(Code::kResourceExhausted, path + " is too large");
  return found->second->data.text();
}

Status FaultDisk::write_file(const std::string& path, std::string_view content) {
  if (auto error = enter(DiskOp::kWrite, path)) return *error;
  put(path, content);
  return {};
}

Status FaultDisk::make_folder(const std::string& path) {
  if (auto error = enter(DiskOp::kFolder, path)) return *error;
  return {};
}

Status FaultDisk::remove_file(const std::string& path) {
  if (auto error = enter(DiskOp::kRemove, path)) return *error;
  if (!entries_.contains(path)) return {};
  Entries next = entries_;
  next.erase(path);
  change_entries(std::move(next));
  return {};
}

Result<std::unique_ptr<DiskFile>> FaultDisk::open_file(const std::string& path, Open mode) {
  if (auto error = enter(mode == Open::kCreate ? DiskOp::kCreate : DiskOp::kOpen, path)) return *error;
  const bool exists = entries_.contains(path);
  if (exists == (mode == Open::kCreate)) return errno_error(exists ? EEXIST : ENOENT, "opening " + path);
  if (!exists) {
    if (!has_room(1)) return errno_error(ENOSPC, "opening " + path);
    Entries next = entries_;
    next[path] = std::make_shared<Node>();
    change_entries(std::move(next));
  }
  return std::unique_ptr<DiskFile>(std::make_unique<FaultFile>(*this, path, entries_[path]));
}

Result<std::vector<std::string>> FaultDisk::list_folder(const std::string& path) {
  if (auto error = enter(DiskOp::kList, path)) return *error;
  std::vector<std::string> names;
  for (const auto& [name, node] : entries_) {
    if (folder_of(name) == path) names.push_back(name.substr(path.size() + 1));
  }
  return names;
}

Status FaultDisk::rename_file(const std::string& from, const std::string& to) {
  if (auto error = enter(DiskOp::kRename, from)) return *error;
  Entries next = entries_;
  const auto found = next.find(from);
  if (found == next.end()) return errno_error(ENOENT, "renaming " + from);
  next[to] = found->second;
  next.erase(from);
  change_entries(std::move(next));
  return {};
}

Status FaultDisk::sync_folder(const std::string& path) {
  auto error = enter(DiskOp::kSync, path);
  if (error) return *error;
  history_ = {entries_};
  return {};
}

Result<std::unique_ptr<DiskLock>> FaultDisk::lock_file(const std::string& path, const std::string& what) {
  if (auto error = enter(DiskOp::kLock, path)) return *error;
  if (locks_.contains(path)) return Error(Code::kAborted, what + " is in use by process 1 (lock file " + path + ")");
  locks_[path] = process_;
  return std::unique_ptr<DiskLock>(std::make_unique<FaultLock>(*this, path));
}

}  // namespace monitor::testing
