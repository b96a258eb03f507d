#include "outputs/file/rotating_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace monitor::agent {

namespace {

constexpr uint64_t kChunk = uint64_t{64} * 1024;

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Status RotatingFile::open() {
  auto lock = disk_.lock_file(options_.path + ".lock", "output file " + options_.path);
  if (!lock) return lock.error();
  const auto opened = open_file();
  if (!opened) return opened.error();
  lock_ = std::move(*lock);
  return {};
}

Result<RotatingFile::Opened> RotatingFile::open_file() {
  auto file = disk_.open_file(options_.path, FileDisk::Open::kWrite);
  if (!file && file.error().code() == Code::kNotFound) {
    file = disk_.open_file(options_.path, FileDisk::Open::kCreate);
    folder_unsynced_ = true;
  }
  if (!file) return file.error();
  Opened opened{std::move(*file), 0};
  const auto size = opened.file->size();
  if (!size) return size.error();
  opened.size = *size;
  if (const Status whole = remove_torn_line(opened); !whole) return whole.error();
  return opened;
}

// Usually reads a single byte, because the last byte ends a line.
Status RotatingFile::remove_torn_line(Opened& opened) const {
  uint64_t end = opened.size;
  std::string chunk;
  for (uint64_t length = 1; end > 0; length = kChunk) {
    chunk.resize(std::min(length, end));
    const auto n = opened.file->read_at(end - chunk.size(), chunk.data(), chunk.size());
    if (!n) return n.error();
    chunk.resize(*n);
    const size_t at = chunk.rfind('\n');
    end -= std::min<uint64_t>(end, length);
    if (at == std::string::npos) continue;
    end += at + 1;
    break;
  }
  if (end == opened.size) return {};
  if (const Status cut = opened.file->truncate(end); !cut) return cut;
  opened.size = end;
  return {};
}

bool RotatingFile::exists(const std::string& path) {
  const auto file = disk_.open_file(path, FileDisk::Open::kRead);
  return file.ok() || file.error().code() != Code::kNotFound;
}

// Moves files up to the first free number, so that an interrupted rotation does not lose a file.
Status RotatingFile::rotate() {
  const uint64_t oldest = options_.files - 1;
  if (oldest == 0) {
    if (Status removed = disk_.remove_file(options_.path); !removed) return removed;
  }
  uint64_t free = 1;
  while (free < oldest && exists(rotated(free))) ++free;
  for (uint64_t to = std::min(free, oldest); to > 0; --to) {
    const std::string from = to == 1 ? options_.path : rotated(to - 1);
    if (Status moved = disk_.rename_file(from, rotated(to)); !moved) return moved;
  }
  folder_unsynced_ = true;
  ++rotations_;
  return {};
}

Status RotatingFile::write(Opened& opened, std::string_view lines) const {
  uint64_t at = opened.size;
  while (!lines.empty()) {
    const auto n = opened.file->write_at(at, lines);
    if (!n) return n.error();
    if (*n == 0) return Error(Code::kResourceExhausted, fmt::format("writing {}: no byte was written", options_.path));
    at += *n;
    lines.remove_prefix(*n);
  }
  return opened.file->sync();
}

Status RotatingFile::append(std::string_view lines) {
  auto opened = open_file();
  if (!opened) return opened.error();
  if (opened->size > 0 && opened->size + lines.size() > options_.max_bytes) {
    if (Status rotated = rotate(); !rotated) return rotated;
    opened = open_file();
    if (!opened) return opened.error();
  }
  Status written = write(*opened, lines);
  if (written && folder_unsynced_) written = disk_.sync_folder(folder_of(options_.path));
  if (!written) {
    (void)opened->file->truncate(opened->size);
    return written;
  }
  folder_unsynced_ = false;
  return {};
}

}  // namespace monitor::agent
