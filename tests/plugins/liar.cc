// A test plugin on the C interface that gives its host wrong data. Option "how" selects the kind.
#include <cstdlib>
#include <cstring>
#include <string>

#include "plugin.h"

namespace {

struct Liar {
  const monitor_host* host;
  std::string how;
};

void* create(const monitor_host* host) {
  monitor_option option{};
  option.size = sizeof option;
  const char path[] = "/how";
  host->option(host->context, {path, 4}, &option);
  return new Liar{host, std::string(option.text.data, option.text.size)};
}

int run(void* self, monitor_batch* batch) {
  const Liar& liar = *static_cast<Liar*>(self);
  static monitor_point elsewhere[4] = {};
  if (liar.how == "count") batch->point_count = batch->point_capacity + 1'000'000;
  if (liar.how == "pointer") batch->points = elsewhere;
  if (liar.how == "series" && batch->point_count > 0) batch->points[0].series = 123'456;
  if (liar.how == "own_series" && batch->point_count > 0) batch->points[0].series = 0x8000'0005U;
  if (liar.how == "answer") return 77;
  if (liar.how == "bad_text") {
    const char name[] = "\xff\xfe";
    monitor_series series{};
    series.size = sizeof series;
    series.name = {name, 2};
    const uint32_t id = liar.host->intern(liar.host->context, &series);
    if (id == MONITOR_NO_SERIES) {
      const char why[] = "the host rejected a series with a name that is not UTF-8";
      liar.host->fail(liar.host->context, {why, sizeof why - 1});
      return MONITOR_FAILED;
    }
  }
  if (liar.how == "labels") {
    monitor_series series{};
    series.size = sizeof series;
    series.name = {"x", 1};
    series.label_count = 1'000'000'000;
    if (liar.host->intern(liar.host->context, &series) == MONITOR_NO_SERIES) {
      const char why[] = "the host rejected a series with a billion labels";
      liar.host->fail(liar.host->context, {why, sizeof why - 1});
      return MONITOR_FAILED;
    }
  }
  return MONITOR_KEEP;
}

void finalize(void* self) { delete static_cast<Liar*>(self); }

}  // namespace

#ifndef LIAR_MAJOR
#define LIAR_MAJOR MONITOR_PLUGIN_ABI_MAJOR
#define LIAR_MINOR MONITOR_PLUGIN_ABI_MINOR
#define LIAR_SIZE sizeof(monitor_plugin)
#endif

extern "C" __attribute__((visibility("default"))) const monitor_plugin* monitor_plugin_entry(uint32_t, uint32_t) {
  static const monitor_plugin plugin = {
      static_cast<uint32_t>(LIAR_SIZE), LIAR_MAJOR, LIAR_MINOR, "liar", "1.0", create, run, finalize, nullptr, nullptr};
  return &plugin;
}
