#include "plugins/host/native.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/counted.h"
#include "base/disk.h"
#include "base/text.h"
#include "plugins/host/elf_check.h"
#include "plugins/host/elf_needs.h"
#include "plugins/host/options.h"
#include "plugins/host/sized.h"
#include "sdk/plugin.h"

namespace monitor::plugin_host {

using plugin_wire::tame;
using plugin_wire::Verdict;

namespace {

constexpr size_t kMaxState = size_t{4} * 1024 * 1024;
constexpr size_t kSpare = 1024;  // points that a plugin may add to a batch
// The size of structs that plugins create, in version 1.0.
constexpr size_t kLeastSeries = offsetof(monitor_series, label_count) + sizeof(size_t);
constexpr size_t kLeastOption = offsetof(monitor_option, count) + sizeof(size_t);
constexpr size_t kLeastPlugin = offsetof(monitor_plugin, save);

std::string_view from_c(monitor_text text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

monitor_text to_c(std::string_view text) { return {text.data(), text.size()}; }

constexpr uint64_t kMostFile = uint64_t{256} * 1024 * 1024;

// If the kernel supports it, the file cannot be executed as a program: it is only mapped.
Fd make_memory_file() {
  constexpr unsigned kNoExecSeal = 0x8;  // MFD_NOEXEC_SEAL, Linux 6.3
  Fd made(memfd_create("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal));
  if (!made.valid() && errno == EINVAL) made = Fd(memfd_create("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  return made;
}

// A view of a file's bytes, valid while this object exists.
class Mapped {
 public:
  explicit Mapped(int fd) {
    struct stat info{};
    if (fstat(fd, &info) != 0 || info.st_size <= 0) return;
    size_ = static_cast<size_t>(info.st_size);
    at_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  }
  ~Mapped() {
    if (at_ != MAP_FAILED) munmap(at_, size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::string_view bytes() const {
    return at_ == MAP_FAILED ? std::string_view() : std::string_view(static_cast<const char*>(at_), size_);
  }

 private:
  void* at_ = MAP_FAILED;
  size_t size_ = 0;
};

Error cannot_be_loaded(const std::string& path, const std::string& why) {
  return Error(Code::kInvalidArgument, fmt::format("cannot be loaded: {}: {}", path, why));
}

}  // namespace

Result<Fd> copy_library(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer must not block the host.
  const Fd from(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!from.valid()) return errno_error(errno, path);
  struct stat info{};
  if (fstat(from.get(), &info) != 0) return errno_error(errno, path);
  if (!S_ISREG(info.st_mode)) return Error(Code::kInvalidArgument, path + " is not a regular file");
  if (static_cast<uint64_t>(info.st_size) > kMostFile) {
    return cannot_be_loaded(path, fmt::format("it has {} bytes, the limit is {}", info.st_size, kMostFile));
  }
  Fd to = make_memory_file();
  if (!to.valid()) return errno_error(errno, "memfd_create");
  std::array<char, size_t{64} * 1024> buffer{};
  uint64_t copied = 0;
  for (ssize_t n = 0; (n = read(from.get(), buffer.data(), buffer.size())) != 0;) {
    if (n < 0) return errno_error(errno, "reading " + path);
    // The file may grow while it is read.
    copied += static_cast<uint64_t>(n);
    if (copied > kMostFile) return cannot_be_loaded(path, fmt::format("it has more than {} bytes", kMostFile));
    if (write(to.get(), buffer.data(), static_cast<size_t>(n)) != n) return errno_error(errno, "copying " + path);
  }
  if (fcntl(to.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return errno_error(errno, "sealing the copy of " + path);
  }
  // The loader gets this very descriptor, and reads from its current position.
  if (lseek(to.get(), 0, SEEK_SET) != 0) return errno_error(errno, path);
  return to;
}

Status open_needed(const Fd& copy, const std::string& path) {
  const Mapped file(copy.get());
  if (const std::string missing = missing_of_elf(copy.get(), file.bytes().size()); !missing.empty()) {
    return cannot_be_loaded(path, missing);
  }
  const auto names = needed_libraries(file.bytes());
  if (!names) return cannot_be_loaded(path, names.error().message());
  for (const std::string& name : *names) {
    if (dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) continue;
    return cannot_be_loaded(
        path, fmt::format("it needs {}, which cannot be loaded from the system's library folders: {}", tame(name),
                          tame(dlerror())));  // NOLINT(concurrency-mt-unsafe): one thread
  }
  return {};
}

class NativeLibrary {
 public:
  std::string name;
  monitor_plugin plugin{};  // a copy of what the library returns, without anything beyond its size
};

Result<std::shared_ptr<NativeLibrary>> open_library(Fd copy, Sandbox& sandbox, const std::string& path,
                                                    const std::string& name) {
  auto library = std::make_shared<NativeLibrary>();
  library->name = name;
  // The sandbox gives the loader this descriptor, whatever the name. No other code can be mapped.
  const std::string by_fd = fmt::format("/proc/self/fd/{}", copy.get());
  sandbox.lend(copy.release());
  void* const handle = dlopen(by_fd.c_str(), RTLD_NOW | RTLD_LOCAL);
  sandbox.lend(-1);
  if (handle == nullptr) {
    std::string why = dlerror();  // NOLINT(concurrency-mt-unsafe): one thread
    if (const size_t at = why.find(by_fd); at != std::string::npos) why.replace(at, by_fd.size(), path);
    return Error(Code::kInvalidArgument, "cannot be loaded: " + tame(why));
  }
  using Entry = const monitor_plugin* (*)(uint32_t, uint32_t);
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "monitor_plugin_entry"));
  if (entry == nullptr)
    return Error(Code::kInvalidArgument, "is not a plugin: it does not export monitor_plugin_entry");
  const monitor_plugin* const said = entry(MONITOR_PLUGIN_ABI_MAJOR, MONITOR_PLUGIN_ABI_MINOR);
  if (said == nullptr) {
    return Error(Code::kInvalidArgument,
                 fmt::format("reports that it cannot run with version {}.{} of the plugin interface",
                             MONITOR_PLUGIN_ABI_MAJOR, MONITOR_PLUGIN_ABI_MINOR));
  }
  if (said->abi_major != MONITOR_PLUGIN_ABI_MAJOR) {
    return Error(Code::kInvalidArgument,
                 fmt::format("plugin {} was built for version {}.{} of the plugin interface, this host has {}.{}", name,
                             said->abi_major, said->abi_minor, MONITOR_PLUGIN_ABI_MAJOR, MONITOR_PLUGIN_ABI_MINOR));
  }
  const auto plugin = read_sized(said, kLeastPlugin);
  if (!plugin) {
    return Error(Code::kInvalidArgument,
                 fmt::format("reports a monitor_plugin of {} bytes, the minimum is {}", said->size, kLeastPlugin));
  }
  library->plugin = *plugin;
  if (library->plugin.create == nullptr || library->plugin.run == nullptr || library->plugin.finalize == nullptr) {
    return Error(Code::kInvalidArgument, "its monitor_plugin lacks create, run or finalize");
  }
  return library;
}

namespace {

class Native final : public Instance {
 public:
  Native(std::shared_ptr<NativeLibrary> library, Log log) : library_(std::move(library)), log_(std::move(log)) {
    host_.size = sizeof host_;
    host_.abi_major = MONITOR_PLUGIN_ABI_MAJOR;
    host_.abi_minor = MONITOR_PLUGIN_ABI_MINOR;
    host_.context = this;
    host_.series = [](void* self, uint32_t id) { return of(self).series_of(id); };
    host_.intern = [](void* self, const monitor_series* series) { return of(self).intern(series); };
    host_.log = [](void* self, int level, monitor_text line) {
      of(self).log_(static_cast<uint32_t>(std::clamp(level, 0, 3)), from_c(line));
    };
    host_.fail = [](void* self, monitor_text reason) { of(self).reason_ = tame(from_c(reason)); };
    host_.option = [](void* self, monitor_text path, monitor_option* out) { of(self).option(path, out); };
    host_.option_name = [](void* self, monitor_text path, size_t index) {
      return of(self).options_ ? to_c(of(self).options_->name(from_c(path), index)) : monitor_text{"", 0};
    };
    host_.refuse = [](void* self, monitor_text path, monitor_text message) {
      if (of(self).options_) of(self).options_->refuse(from_c(path), tame(from_c(message)));
    };
  }
  ~Native() override {
    if (self_ == nullptr) return;
    reason_.clear();
    library_->plugin.finalize(self_);
    if (!reason_.empty()) print_last(library_->name, reason_);
  }

  Result<plugin_wire::Loaded> load(const plugin_wire::Load& load) override {
    auto options = Options::parse(load.config);
    if (!options) return options.error();
    options_ = std::move(*options);
    reason_.clear();
    self_ = library_->plugin.create(&host_);
    const std::string problem = options_->problem();
    options_.reset();
    if (!problem.empty()) return Error(Code::kInvalidArgument, problem);
    if (self_ == nullptr) return failure("cannot be started");
    const auto text = [](const char* given) { return tame(given == nullptr ? "" : given); };
    return plugin_wire::Loaded{text(library_->plugin.name), text(library_->plugin.version), has_state() ? 1U : 0U,
                               library_->plugin.abi_major, library_->plugin.abi_minor};
  }

  Result<Verdict> run(HostTick& tick) override {
    static_assert(sizeof(monitor_point) == sizeof(metrics::Point));
    if (tick.room.size() < tick.count + kSpare) tick.room.resize(tick.count + kSpare);
    auto* const points = reinterpret_cast<monitor_point*>(tick.room.data());
    monitor_batch batch{};
    batch.size = sizeof batch;
    batch.time_ns = tick.head.time_ns;
    batch.rates_since_ns = tick.head.rates_since_ns;
    batch.mono_ns = tick.head.due_mono_ns;
    batch.points = points;
    batch.point_count = tick.count;
    batch.point_capacity = tick.count + kSpare;
    reason_.clear();
    const int said = library_->plugin.run(self_, &batch);
    if (said == MONITOR_DROP) return Verdict::kDropped;
    if (said != MONITOR_KEEP) {
      return said == MONITOR_FAILED
                 ? failure("failed")
                 : Error(Code::kInternal, fmt::format("run() returned {}, which is not defined", said));
    }
    if (batch.points != points) return Error(Code::kInternal, "it changed the address of a batch's points");
    if (batch.point_count > tick.count + kSpare) {
      return Error(Code::kInternal, fmt::format("it returned {} in a batch with room for {}",
                                                counted(batch.point_count, "point"), tick.count + kSpare));
    }
    // The plugin may report anything, so the number is bounded by what went in and what came out.
    tick.dropped = std::min<uint64_t>(batch.dropped, tick.count + kSpare);
    tick.count = batch.point_count;
    return Verdict::kChanged;
  }

  Result<std::string> save() override {
    std::string state;
    if (!has_state()) return state;
    const monitor_sink sink = {sizeof sink, &state, [](void* to, const void* data, size_t size) {
                                 auto& text = *static_cast<std::string*>(to);
                                 // one byte more than allowed, to detect a state that is too large
                                 const size_t room = kMaxState + 1 - std::min(kMaxState + 1, text.size());
                                 text.append(static_cast<const char*>(data), std::min(size, room));
                               }};
    reason_.clear();
    if (library_->plugin.save(self_, &sink) != 0) return failure("cannot save");
    if (state.size() > kMaxState) return Error(Code::kResourceExhausted, "its state has more than 4 MiB");
    return state;
  }

  Status restore(std::string_view state) override {
    if (!has_state()) return {};
    reason_.clear();
    if (library_->plugin.restore(self_, state.data(), state.size()) != 0) return failure("cannot restore");
    return {};
  }

 private:
  static Native& of(void* self) { return *static_cast<Native*>(self); }
  bool has_state() const { return library_->plugin.save != nullptr && library_->plugin.restore != nullptr; }
  Error failure(const char* otherwise) const { return Error(Code::kInternal, reason_.empty() ? otherwise : reason_); }

  // A series in the form of the plugin interface; created once.
  struct Shown {
    std::vector<monitor_label> labels;
    monitor_series series{};
  };

  const monitor_series* series_of(uint32_t id) {
    const size_t own = (id & plugin_wire::kOwnSeries) != 0 ? 1 : 0;
    const size_t index = id & ~plugin_wire::kOwnSeries;
    const metrics::Series* const from = series_.find(id);
    if (from == nullptr) return nullptr;
    auto& shown = shown_.at(own);
    if (index >= shown.size()) shown.resize(index + 1);
    if (shown[index] == nullptr) shown[index] = show(*from);
    return &shown[index]->series;
  }

  static std::unique_ptr<Shown> show(const metrics::Series& from) {
    auto shown = std::make_unique<Shown>();
    for (const auto& [name, value] : from.labels) shown->labels.push_back({to_c(name), to_c(value)});
    shown->series = {sizeof(monitor_series), from.kind == metrics::Kind::kCounter ? 1U : 0U,
                     from.integer ? 1U : 0U, from.exponent,
                     to_c(from.name),        to_c(from.unit),
                     shown->labels.data(),   shown->labels.size()};
    return shown;
  }

  uint32_t intern(const monitor_series* said) {
    // The plugin's data may be wrong: reads are bounded, and the series is checked before it is stored.
    constexpr size_t kMostLabels = 64;
    const auto given = read_sized(said, kLeastSeries);
    if (!given || given->label_count > kMostLabels) return MONITOR_NO_SERIES;
    metrics::Series series;
    series.name = from_c(given->name);
    series.unit = from_c(given->unit);
    series.kind = given->kind == MONITOR_COUNTER ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = given->integer != 0;
    series.exponent = given->exponent;
    for (size_t i = 0; i < given->label_count; ++i) {
      metrics::set_label(series.labels, from_c(given->labels[i].name), from_c(given->labels[i].value));
    }
    const auto id = series_.intern(std::move(series));
    return id ? *id : MONITOR_NO_SERIES;
  }

  void option(monitor_text path, monitor_option* out) {
    monitor_option value{sizeof(monitor_option), MONITOR_OPTION_ABSENT, 0, {"", 0}, 0};
    if (options_) {
      const Options::Found found = options_->find(from_c(path));
      value.type = static_cast<uint32_t>(found.type);
      value.number = found.number;
      value.text = to_c(found.text);
      value.count = found.count;
    }
    write_sized(out, kLeastOption, value);
  }

  std::shared_ptr<NativeLibrary> library_;
  Log log_;
  monitor_host host_{};
  void* self_ = nullptr;
  std::optional<Options> options_;
  std::string reason_;
  std::array<std::vector<std::unique_ptr<Shown>>, 2> shown_;  // the agent's, own ones
};

}  // namespace

std::unique_ptr<Instance> make_native(std::shared_ptr<NativeLibrary> library, Instance::Log log) {
  return std::make_unique<Native>(std::move(library), std::move(log));
}

}  // namespace monitor::plugin_host
