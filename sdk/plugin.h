/* The interface between a native plugin and its host. It is plain C, so that it is stable across compilers.
 * C++ plugins use plugin.hpp, which wraps it. docs/plugins.md is the guide, docs/plugin-abi.md the reference.
 *
 * - Every struct that may grow begins with its size. The reader must not read beyond that size, and must treat
 *   fields beyond it as absent. A plugin built against minor version n therefore runs on a host with n+1, and vice
 *   versa.
 * - The host rejects a newer major version.
 * - No exception and no C++ object crosses the interface. The side that allocates memory frees it. Strings have a
 *   length and no terminator. String arguments are valid until the call returns.
 * - The host calls the plugin's functions on one thread, one at a time. The plugin may call the host's functions only
 *   during such a call.
 */
#ifndef MONITOR_PLUGIN_H
#define MONITOR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MONITOR_PLUGIN_ABI_MAJOR 1
#define MONITOR_PLUGIN_ABI_MINOR 2 /* 1: save and restore; 2: dropped, of a batch */

typedef struct monitor_text {
  const char* data;
  size_t size;
} monitor_text;

typedef struct monitor_label {
  monitor_text name;
  monitor_text value;
} monitor_label;

enum { MONITOR_GAUGE = 0, MONITOR_COUNTER = 1 };

/* The identity of a series. Names have 1 to 256 bytes, label values up to 1,024; at most 32 labels; all UTF-8. */
typedef struct monitor_series {
  uint32_t size;
  uint32_t kind;    /* MONITOR_GAUGE, MONITOR_COUNTER */
  uint32_t integer; /* 1: value = integer x 10^exponent, which is exact */
  int32_t exponent; /* -18 to 18; 0 unless integer */
  monitor_text name;
  monitor_text unit; /* UCUM: "1", "By", "By/s" */
  const monitor_label* labels;
  size_t label_count;
} monitor_series;

#define MONITOR_NO_SERIES UINT32_MAX

typedef struct monitor_point {
  uint32_t series; /* the id from series() or intern() */
  uint32_t reserved;
  union {
    int64_t integer; /* if the series is an integer series */
    double real;
  } value;
} monitor_point;

/* The points read at one point in time. The plugin may change points, remove them (by reducing point_count) and add
 * them, up to point_capacity. */
typedef struct monitor_batch {
  uint32_t size;
  uint32_t reserved;
  int64_t time_ns;        /* Unix time */
  int64_t rates_since_ns; /* start of the time span of its rates; 0: no rates */
  int64_t mono_ns;        /* monotonic clock: use it to measure time between ticks */
  monitor_point* points;
  size_t point_count;
  size_t point_capacity;
  /* Since 1.2 (check size): the plugin adds the number of removed points, so that they are counted even if it also
   * added points. Without this field, the host counts the decrease of point_count. */
  uint64_t dropped;
} monitor_batch;

enum {
  MONITOR_OPTION_ABSENT = 0,
  MONITOR_OPTION_NULL = 1,
  MONITOR_OPTION_BOOLEAN = 2, /* number is 0 or 1 */
  MONITOR_OPTION_NUMBER = 3,
  MONITOR_OPTION_TEXT = 4,
  MONITOR_OPTION_LIST = 5,   /* count elements: PATH/0, PATH/1 ... */
  MONITOR_OPTION_OBJECT = 6, /* count members, named by option_name() */
};

typedef struct monitor_option {
  uint32_t size;
  uint32_t type;
  double number;
  monitor_text text;
  size_t count;
} monitor_option;

enum { MONITOR_LOG_DEBUG = 0, MONITOR_LOG_INFO = 1, MONITOR_LOG_WARNING = 2, MONITOR_LOG_ERROR = 3 };

/* The host's functions. Valid for the plugin's lifetime. */
typedef struct monitor_host {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  void* context; /* first argument of the functions */

  /* Returns the series with this id, or NULL. Valid for the plugin's lifetime. */
  const monitor_series* (*series)(void* context, uint32_t id);
  /* Returns the id of a series; equal series have the same id. MONITOR_NO_SERIES: invalid, or too many series. */
  uint32_t (*intern)(void* context, const monitor_series* series);
  /* Writes a line to the agent's log. */
  void (*log)(void* context, int level, monitor_text line);
  /* Sets the reason for the failure of the current call. */
  void (*fail)(void* context, monitor_text reason);

  /* Reads the plugin's configuration, in create() only. `path` is a JSON pointer such as "/factor". The host rejects
   * top-level options that no call has read as unknown. */
  void (*option)(void* context, monitor_text path, monitor_option* out);
  monitor_text (*option_name)(void* context, monitor_text path, size_t index);
  /* Reports an invalid option: the plugin is not started, and the message appears in the log and the status. */
  void (*refuse)(void* context, monitor_text path, monitor_text message);
} monitor_host;

enum { MONITOR_KEEP = 0, MONITOR_DROP = 1, MONITOR_FAILED = 2 };

/* Receives the state that save() writes. */
typedef struct monitor_sink {
  uint32_t size;
  void* context;
  void (*write)(void* context, const void* data, size_t size);
} monitor_sink;

typedef struct monitor_plugin {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  const char* name;
  const char* version;

  /* Called once, before the first batch. Reads the configuration with host->option(). NULL: it cannot start; report the
   * reason with fail(). */
  void* (*create)(const monitor_host* host);
  /* MONITOR_KEEP: the next stage gets the modified batch. MONITOR_DROP: the batch is dropped. MONITOR_FAILED: the batch
   * is lost and counted as failed; report the reason with fail(). */
  int (*run)(void* self, monitor_batch* batch);
  /* Called once, after the last batch. Frees self. */
  void (*finalize)(void* self);

  /* Since 1.1; both may be NULL. When the plugin is replaced, the old instance saves its state (at most 4 MiB) at a
   * batch boundary, and the new one restores it before its first batch. 0: success. Otherwise report the reason with
   * fail(); the new instance then starts without state. */
  int (*save)(void* self, const monitor_sink* sink);
  int (*restore)(void* self, const void* data, size_t size);
} monitor_plugin;

/* The only symbol that a plugin exports. NULL: the plugin cannot run on this host. The result is valid while the
 * library is loaded. */
const monitor_plugin* monitor_plugin_entry(uint32_t host_abi_major, uint32_t host_abi_minor);

#ifdef __cplusplus
}
#endif

#endif
