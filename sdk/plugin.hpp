// A native plugin in C++ is one class and one macro. This header is C++17 and depends only on plugin.h.
//
//   class Tag final : public monitor::sdk::Plugin {
//    public:
//     void initialize(monitor::sdk::Options& options) override { team_ = options.text("team", "ops"); }
//     bool run(monitor::sdk::Batch& batch) override {
//       for (auto point : batch) point.set_label("team", team_);
//       return true;
//     }
//    private:
//     std::string team_;
//   };
//   MONITOR_PLUGIN(Tag, "tag", "1.0")
//
// The host calls all methods on one thread. A method may throw; what() then appears in the agent's log and status.
// After an exception from initialize() the plugin is not started; after one from run() this batch is lost.
#ifndef MONITOR_PLUGIN_HPP
#define MONITOR_PLUGIN_HPP

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin.h"

namespace monitor::sdk {

inline monitor_text to_c(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view from_c(monitor_text text) { return {text.data, text.size}; }

// The identity of a series.
struct Series {
  std::string name;
  std::string unit;
  std::map<std::string, std::string> labels;
  bool counter = false;
  bool integer = false;
  int exponent = 0;  // value = integer x 10^exponent
};

using SeriesId = uint32_t;

// The host's functions.
class Host {
 public:
  explicit Host(const monitor_host* host) : host_(host) {}

  const monitor_series& raw(SeriesId id) const {
    const monitor_series* const series = host_->series(host_->context, id);
    if (series == nullptr) throw std::out_of_range("unknown series " + std::to_string(id));
    return *series;
  }
  Series series(SeriesId id) const {
    const monitor_series& from = raw(id);
    Series to{std::string(from_c(from.name)),
              std::string(from_c(from.unit)),
              {},
              from.kind == MONITOR_COUNTER,
              from.integer != 0,
              from.exponent};
    for (size_t i = 0; i < from.label_count; ++i) {
      to.labels.emplace(from_c(from.labels[i].name), from_c(from.labels[i].value));
    }
    return to;
  }
  // Throws if the series is invalid or there are too many.
  SeriesId intern(const Series& series) const {
    std::vector<monitor_label> labels;
    labels.reserve(series.labels.size());
    for (const auto& [name, value] : series.labels) labels.push_back({to_c(name), to_c(value)});
    monitor_series to{};
    to.size = sizeof to;
    to.kind = series.counter ? MONITOR_COUNTER : MONITOR_GAUGE;
    to.integer = series.integer ? 1 : 0;
    to.exponent = series.exponent;
    to.name = to_c(series.name);
    to.unit = to_c(series.unit);
    to.labels = labels.data();
    to.label_count = labels.size();
    const SeriesId id = host_->intern(host_->context, &to);
    if (id == MONITOR_NO_SERIES)
      throw std::length_error("series " + series.name + " is invalid, or there are too many series");
    return id;
  }
  void log(int level, std::string_view line) const { host_->log(host_->context, level, to_c(line)); }

 private:
  const monitor_host* host_;
};

// The plugin's configuration. An absent option has its default value. Invalid options are rejected, and so are options
// that the plugin does not read.
class Options {
 public:
  explicit Options(const monitor_host* host) : host_(host) {}

  double number(std::string_view name, double default_value, double min = -1e300, double max = 1e300) const {
    const monitor_option option = find(path(name));
    if (option.type == MONITOR_OPTION_ABSENT) return default_value;
    if (option.type == MONITOR_OPTION_NUMBER && option.number >= min && option.number <= max) return option.number;
    refuse(name, "must be a number from " + short_text(min) + " to " + short_text(max));
    return default_value;
  }
  bool boolean(std::string_view name, bool default_value) const {
    const monitor_option option = find(path(name));
    if (option.type == MONITOR_OPTION_BOOLEAN) return option.number != 0;
    if (option.type != MONITOR_OPTION_ABSENT) refuse(name, "must be true or false");
    return default_value;
  }
  std::string text(std::string_view name, std::string_view default_value) const {
    const monitor_option option = find(path(name));
    if (option.type == MONITOR_OPTION_TEXT) return std::string(from_c(option.text));
    if (option.type != MONITOR_OPTION_ABSENT) refuse(name, "must be a string");
    return std::string(default_value);
  }
  // Reads a list of strings. A single string counts as a list of one.
  std::vector<std::string> texts(std::string_view name) const {
    const monitor_option option = find(path(name));
    if (option.type == MONITOR_OPTION_TEXT) return {std::string(from_c(option.text))};
    std::vector<std::string> all;
    if (option.type != MONITOR_OPTION_LIST) {
      if (option.type != MONITOR_OPTION_ABSENT) refuse(name, "must be a string or a list of strings");
      return all;
    }
    for (size_t i = 0; i < option.count; ++i) {
      const monitor_option one = find(path(name) + "/" + std::to_string(i));
      if (one.type != MONITOR_OPTION_TEXT) {
        refuse(name, "must be a string or a list of strings");
        return all;
      }
      all.emplace_back(from_c(one.text));
    }
    return all;
  }
  // Reads an object whose values are strings.
  std::map<std::string, std::string> map(std::string_view name) const {
    const monitor_option option = find(path(name));
    std::map<std::string, std::string> all;
    if (option.type != MONITOR_OPTION_OBJECT) {
      if (option.type != MONITOR_OPTION_ABSENT) refuse(name, "must be an object with string values");
      return all;
    }
    for (size_t i = 0; i < option.count; ++i) {
      const std::string key(from_c(host_->option_name(host_->context, to_c(path(name)), i)));
      const monitor_option one = find(path(name) + path(key));
      if (one.type != MONITOR_OPTION_TEXT) {
        refuse(name, "must be an object with string values");
        return all;
      }
      all.emplace(key, from_c(one.text));
    }
    return all;
  }
  void refuse(std::string_view name, std::string_view message) const {
    const std::string where = path(name);
    host_->refuse(host_->context, to_c(where), to_c(message));
  }

 private:
  static std::string path(std::string_view name) {
    std::string out = "/";
    for (const char c : name) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
    return out;
  }
  static std::string short_text(double value) {
    std::string text = std::to_string(value);
    if (std::fabs(value) >= 1e15) return value < 0 ? "-1e300" : "1e300";
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
  }
  monitor_option find(const std::string& path) const {
    monitor_option option{};
    option.size = sizeof option;
    host_->option(host_->context, to_c(path), &option);
    return option;
  }

  const monitor_host* host_;
};

// A point of a batch. Valid until add() or remove_if() changes the batch.
class Point {
 public:
  Point(monitor_point* point, const Host* host) : point_(point), host_(host) {}

  SeriesId series_id() const { return point_->series; }
  void set_series(SeriesId id) { point_->series = id; }
  std::string_view name() const { return from_c(host_->raw(point_->series).name); }
  std::string_view unit() const { return from_c(host_->raw(point_->series).unit); }
  // Returns "" if the label is absent.
  std::string_view label(std::string_view name) const {
    const monitor_series& series = host_->raw(point_->series);
    for (size_t i = 0; i < series.label_count; ++i) {
      if (from_c(series.labels[i].name) == name) return from_c(series.labels[i].value);
    }
    return {};
  }
  double value() const {
    const monitor_series& series = host_->raw(point_->series);
    if (series.integer == 0) return point_->value.real;
    const double power = std::pow(10.0, std::abs(series.exponent));
    const auto integer = static_cast<double>(point_->value.integer);
    return series.exponent < 0 ? integer / power : integer * power;
  }
  // Keeps the series: in an integer series the value is rounded to the nearest representable one.
  void set_value(double value) {
    const monitor_series& series = host_->raw(point_->series);
    if (series.integer == 0) {
      point_->value.real = value;
      return;
    }
    const double scaled = value * std::pow(10.0, -series.exponent);
    if (!(std::fabs(scaled) < 9.2e18)) throw std::range_error("value out of range for its integer series");
    point_->value.integer = std::llround(scaled);
  }
  // Moves the point to a series with this label. If you do this for every batch, cache the id that intern() returns.
  void set_label(std::string_view name, std::string_view value) {
    Series series = host_->series(point_->series);
    series.labels[std::string(name)] = std::string(value);
    point_->series = host_->intern(series);
  }

 private:
  monitor_point* point_;
  const Host* host_;
};

// The points read at one point in time.
class Batch {
 public:
  Batch(monitor_batch* batch, const Host* host) : batch_(batch), host_(host) {}

  class Iterator {
   public:
    Iterator(monitor_point* at, const Host* host) : at_(at), host_(host) {}
    Point operator*() const { return {at_, host_}; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    monitor_point* at_;
    const Host* host_;
  };
  Iterator begin() const { return {batch_->points, host_}; }
  Iterator end() const { return {batch_->points + batch_->point_count, host_}; }
  size_t size() const { return batch_->point_count; }
  bool empty() const { return batch_->point_count == 0; }
  Point operator[](size_t i) const { return {batch_->points + i, host_}; }
  int64_t time_ns() const { return batch_->time_ns; }
  int64_t rates_since_ns() const { return batch_->rates_since_ns; }
  int64_t mono_ns() const { return batch_->mono_ns; }

  template <typename Predicate>
  void remove_if(Predicate predicate) {
    monitor_point* const begin = batch_->points;
    monitor_point* const end = std::remove_if(begin, begin + batch_->point_count,
                                              [&](monitor_point& point) { return predicate(Point(&point, host_)); });
    // A host older than this header does not have the field.
    if (batch_->size >= offsetof(monitor_batch, dropped) + sizeof batch_->dropped) {
      batch_->dropped += batch_->point_count - static_cast<size_t>(end - begin);
    }
    batch_->point_count = static_cast<size_t>(end - begin);
  }
  // Throws if the batch is full.
  void add(SeriesId series, double value) {
    if (batch_->point_count >= batch_->point_capacity) throw std::length_error("too many points in a batch");
    monitor_point& point = batch_->points[batch_->point_count];
    point = {};
    point.series = series;
    Point(&point, host_).set_value(value);
    ++batch_->point_count;
  }

 private:
  monitor_batch* batch_;
  const Host* host_;
};

class Plugin {
 public:
  Plugin() = default;
  virtual ~Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // Called once, before the first batch.
  virtual void initialize(Options& options) { (void)options; }
  // May change the batch. False drops it.
  virtual bool run(Batch& batch) = 0;
  // Called once, after the last batch.
  virtual void finalize() {}
  // The state that is passed to the next version of this plugin, or to this version with a new configuration.
  virtual std::string save() { return {}; }
  virtual void restore(std::string_view state) { (void)state; }

  const Host& host() const { return *host_; }
  void attach(const monitor_host* host) { host_ = std::make_unique<Host>(host); }

 private:
  std::unique_ptr<Host> host_;
};

// Implements the functions of monitor_plugin for a class. They never throw.
template <typename P>
struct Adapter {
  struct Instance {
    const monitor_host* host;
    P plugin;
  };

  static void fail(const monitor_host* host, std::string_view reason) { host->fail(host->context, to_c(reason)); }

  template <typename Call>
  static int guarded(const monitor_host* host, Call call) {
    try {
      return call();
    } catch (const std::exception& e) {
      fail(host, e.what());
    } catch (...) {
      fail(host, "threw an object that is not a std::exception");
    }
    return MONITOR_FAILED;
  }

  static void* create(const monitor_host* host) {
    std::unique_ptr<Instance> made;
    const int done = guarded(host, [&] {
      made.reset(new Instance{host, {}});
      made->plugin.attach(host);
      Options options(host);
      made->plugin.initialize(options);
      return 0;
    });
    return done == 0 ? made.release() : nullptr;
  }
  static int run(void* self, monitor_batch* raw) {
    auto* const instance = static_cast<Instance*>(self);
    return guarded(instance->host, [&] {
      Batch batch(raw, &instance->plugin.host());
      return instance->plugin.run(batch) ? MONITOR_KEEP : MONITOR_DROP;
    });
  }
  static void finalize(void* self) {
    const std::unique_ptr<Instance> instance(static_cast<Instance*>(self));
    guarded(instance->host, [&] {
      instance->plugin.finalize();
      return 0;
    });
  }
  static int save(void* self, const monitor_sink* sink) {
    auto* const instance = static_cast<Instance*>(self);
    return guarded(instance->host, [&] {
      const std::string state = instance->plugin.save();
      sink->write(sink->context, state.data(), state.size());
      return 0;
    });
  }
  static int restore(void* self, const void* data, size_t size) {
    auto* const instance = static_cast<Instance*>(self);
    return guarded(instance->host, [&] {
      instance->plugin.restore({static_cast<const char*>(data), size});
      return 0;
    });
  }
};

}  // namespace monitor::sdk

// Exports a class as this library's plugin.
#define MONITOR_PLUGIN(CLASS, NAME, VERSION)                                                                         \
  extern "C" __attribute__((visibility("default"))) const monitor_plugin* monitor_plugin_entry(uint32_t, uint32_t) { \
    using MonitorAdapter = monitor::sdk::Adapter<CLASS>;                                                             \
    static const monitor_plugin kPlugin = {sizeof(monitor_plugin),                                                   \
                                           MONITOR_PLUGIN_ABI_MAJOR,                                                 \
                                           MONITOR_PLUGIN_ABI_MINOR,                                                 \
                                           NAME,                                                                     \
                                           VERSION,                                                                  \
                                           MonitorAdapter::create,                                                   \
                                           MonitorAdapter::run,                                                      \
                                           MonitorAdapter::finalize,                                                 \
                                           MonitorAdapter::save,                                                     \
                                           MonitorAdapter::restore};                                                 \
    return &kPlugin;                                                                                                 \
  }

#endif
