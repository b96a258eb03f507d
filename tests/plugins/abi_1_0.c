/* A plugin built against version 1.0 of the interface, in C. It contains copies of that version's structs, so that the
 * test detects an incompatible change of sdk/plugin.h. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct {
  const char* data;
  size_t size;
} text_1_0;
typedef union {
  int64_t integer;
  double real;
} value_1_0;
typedef struct {
  uint32_t series;
  uint32_t reserved;
  value_1_0 value;
} point_1_0;
typedef struct {
  uint32_t size;
  uint32_t reserved;
  int64_t time_ns;
  int64_t rates_since_ns;
  int64_t mono_ns;
  point_1_0* points;
  size_t point_count;
  size_t point_capacity;
} batch_1_0;
typedef struct host_1_0 {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  void* context;
  const void* (*series)(void*, uint32_t);
  uint32_t (*intern)(void*, const void*);
  void (*log)(void*, int, text_1_0);
} host_1_0;
typedef struct {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  const char* name;
  const char* version;
  void* (*create)(const host_1_0*);
  int (*run)(void*, batch_1_0*);
  void (*finalize)(void*);
} plugin_1_0;

static void* create(const host_1_0* host) {
  if (host->size < sizeof(host_1_0) || host->abi_major != 1) return NULL;
  host->log(host->context, 1, (text_1_0){"built for 1.0", 13});
  return malloc(1);
}

/* Keeps the first point of every batch. */
static int run(void* self, batch_1_0* batch) {
  (void)self;
  if (batch->point_count > 1) batch->point_count = 1;
  return 0;
}

const plugin_1_0* monitor_plugin_entry(uint32_t major, uint32_t minor);
const plugin_1_0* monitor_plugin_entry(uint32_t major, uint32_t minor) {
  static const plugin_1_0 plugin = {sizeof(plugin_1_0), 1, 0, "abi_1_0", "1.0", create, run, free};
  (void)minor;
  return major == 1 ? &plugin : NULL;
}
