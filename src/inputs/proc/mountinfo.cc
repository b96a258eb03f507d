#include "inputs/proc/mountinfo.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

constexpr size_t kMaxBytes = size_t{64} << 20;
constexpr int kMostReadings = 4;

// Decodes "\040" and similar escapes; the kernel writes three octal digits, at most \377.
std::string unescape(std::string_view text) {
  std::string out;
  const auto octal = [&](size_t at, char most) { return at < text.size() && text[at] >= '0' && text[at] <= most; };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && octal(i + 1, '3') && octal(i + 2, '7') && octal(i + 3, '7')) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Removes the text up to the next blank from `rest` and returns it; a field may be empty.
std::string_view take_field(std::string_view& rest) {
  const size_t end = rest.find(' ');
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return field;
}

bool parse_line(std::string_view line, Mount& mount) {
  const auto id = parse_u64(take_field(line));
  const auto parent = parse_u64(take_field(line));
  if (!id || !parent) return false;
  mount.id = *id;
  mount.parent = *parent;
  mount.device = take_field(line);
  mount.root = unescape(take_field(line));
  mount.mount_point = unescape(take_field(line));
  take_field(line);  // options of the mount
  // Optional fields end with a lone hyphen.
  while (!line.empty() && take_field(line) != "-") {
  }
  mount.type = unescape(take_field(line));  // the subtype of a FUSE filesystem may be any text
  mount.source = unescape(take_field(line));
  mount.super_options = unescape(take_field(line));
  return !mount.type.empty() && mount.mount_point.starts_with('/');
}

std::string_view parent_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

// Determines which mounts are on top, from the tree of mounts in the table.
class Visibility {
 public:
  explicit Visibility(const std::vector<Mount>& mounts) : mounts_(mounts), state_(mounts.size(), kUnknown) {
    for (size_t i = 0; i < mounts.size(); ++i) by_id_[mounts[i].id] = i;
    // Of several mounts at the same place on the same parent, the one in the later line is on top.
    for (size_t i = 0; i < mounts.size(); ++i) children_[parent_of(i)][mounts[i].mount_point] = i;
  }

  bool visible(size_t index) {
    std::vector<size_t> chain;
    size_t at = index;
    bool above = true;
    while (true) {
      if (state_[at] != kUnknown) {
        above = state_[at] == kVisible;
        break;
      }
      state_[at] = kHidden;  // breaks a cycle in a damaged table
      chain.push_back(at);
      const auto parent = by_id_.find(parent_of(at));
      if (parent == by_id_.end()) break;
      at = parent->second;
    }
    // A hidden parent hides the mounts on it. A covered parent hides them only where the cover reaches, which covered()
    // checks among the parent's children.
    for (auto i = chain.rbegin(); i != chain.rend(); ++i) {
      above = above && !beside_hides(*i);
      state_[*i] = above ? kVisible : kHidden;
    }
    return state_[index] == kVisible && !covered(index);
  }

 private:
  enum State : uint8_t { kUnknown, kVisible, kHidden };
  static constexpr uint64_t kNoParent = UINT64_MAX;

  // The parent of the initial root is itself.
  uint64_t parent_of(size_t index) const {
    return mounts_[index].parent == mounts_[index].id ? kNoParent : mounts_[index].parent;
  }

  // True if another mount on the same parent hides it: a later one at the same place, or one above it.
  bool beside_hides(size_t index) const {
    const Mount& mount = mounts_[index];
    const auto& beside = children_.at(parent_of(index));
    if (beside.at(mount.mount_point) != index) return true;
    const bool has_parent = by_id_.contains(parent_of(index));
    for (std::string_view path = mount.mount_point; path.size() > 1;) {
      path = parent_path(path);
      // Mounts whose parent is not in the table are treated as children of its root.
      if (path.size() == 1 && !has_parent) break;
      const auto found = beside.find(std::string(path));
      if (found != beside.end() && found->second != index) return true;
    }
    return false;
  }

  // True if a mount at the root of this one covers all of it.
  bool covered(size_t index) const {
    const auto children = children_.find(mounts_[index].id);
    if (children == children_.end()) return false;
    const auto found = children->second.find(mounts_[index].mount_point);
    return found != children->second.end() && found->second != index;
  }

  const std::vector<Mount>& mounts_;
  std::vector<State> state_;
  std::unordered_map<uint64_t, size_t> by_id_;
  std::unordered_map<uint64_t, std::unordered_map<std::string, size_t>> children_;
};

bool is_proc(const std::string& path) {
  struct statfs info{};
  return statfs(path.c_str(), &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    Mount mount;
    if (parse_line(next_line(text), mount)) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<Mount> visible_mounts(std::vector<Mount> mounts) {
  Visibility visibility(mounts);
  std::vector<bool> keep(mounts.size());
  for (size_t i = 0; i < mounts.size(); ++i) keep[i] = visibility.visible(i);
  std::vector<Mount> result;
  for (size_t i = 0; i < mounts.size(); ++i) {
    if (keep[i]) result.push_back(std::move(mounts[i]));
  }
  return result;
}

MountTable::MountTable(Roots roots) : roots_(std::move(roots)) {
  for (std::string* path : {&roots_.procfs, &roots_.rootfs}) {
    while (path->size() > 1 && path->ends_with('/')) path->pop_back();
  }
}

// If /proc or the root are not those of this process, reads the mounts of that host's first process.
Status MountTable::open_table() {
  is_kernels_ = is_proc(roots_.procfs);
  const bool foreign = roots_.procfs != "/proc" || (!roots_.rootfs.empty() && roots_.rootfs != "/");
  const std::string of_init = roots_.procfs + "/1/mountinfo";
  const std::string own = roots_.procfs + "/self/mountinfo";
  if (foreign) {
    fd_ = Fd(open(of_init.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd_.valid()) {
      choose_origin(true);
      return {};
    }
    if (is_kernels_ && !std::exchange(warned_, true)) {
      log_warning(
          "the host's mounts cannot be read; using those of the agent's own container. Share the "
          "host's process namespace with it, and where that /proc is mounted with hidepid, run the agent as root",
          {{"reason", errno_error(errno, "opening " + of_init)}});
    }
  }
  fd_ = Fd(open(own.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_.valid()) return errno_error(errno, "opening " + own);
  choose_origin(false);
  return {};
}

void MountTable::choose_origin(bool of_init) {
  origin_ = MountOrigin();
  if (!is_kernels_) {
    if (!roots_.rootfs.empty()) origin_.rootfs = roots_.rootfs;
    return;
  }
  origin_.check = of_init ? MountOrigin::Check::kDevice : MountOrigin::Check::kMountId;
  if (!of_init) return;
  constexpr std::string_view kProc = "/proc";
  const std::string_view procfs = roots_.procfs;
  if (!roots_.rootfs.empty()) {
    origin_.rootfs = roots_.rootfs;
  } else if (procfs.ends_with(kProc) && procfs.size() > kProc.size()) {
    origin_.rootfs = procfs.substr(0, procfs.size() - kProc.size());
  }
}

Result<std::string> MountTable::read_whole() const {
  std::string text;
  std::string piece(size_t{1} << 16, '\0');
  while (true) {
    const ssize_t n = pread(fd_.get(), piece.data(), piece.size(), static_cast<off_t>(text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "reading the mount table of " + roots_.procfs);
    if (n == 0) return text;
    text.append(piece, 0, static_cast<size_t>(n));
    if (text.size() > kMaxBytes) {
      return Error(Code::kResourceExhausted, "the mount table of " + roots_.procfs + " is larger than 64 MiB");
    }
  }
}

// Returns true once after every change; a plain file never reports one.
bool MountTable::kernel_says_changed() const {
  pollfd watched{fd_.get(), POLLPRI, 0};
  return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLPRI | POLLERR)) != 0;
}

Result<bool> MountTable::refresh() {
  if (!fd_.valid()) {
    if (Status opened = open_table(); !opened) return opened.error();
    stale_ = true;
  }
  if (is_kernels_ && !kernel_says_changed() && !stale_) return false;
  for (int reading = 1;; ++reading) {
    auto text = read_whole();
    if (!text) {
      fd_.reset();
      return text.error();
    }
    if (is_kernels_ && reading < kMostReadings && kernel_says_changed()) continue;
    const bool changed = *text != text_ || stale_;
    stale_ = false;
    text_ = std::move(*text);
    if (changed) mounts_ = visible_mounts(parse_mountinfo(text_));
    return changed;
  }
}

}  // namespace monitor::agent
