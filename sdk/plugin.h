/* The interface between a native plugin and its host: plain C, so that it holds over compilers and their versions.
 * C++ plugins use plugin.hpp, which wraps it. docs/plugins.md is the guide, docs/plugin-abi.md the reference.
 *
 * - Every struct that may grow begins with its size. Whoever reads one reads no more than that, and takes what is
 *   beyond for absent: a plugin that was built against minor version n runs with n+1 and the other way round.
 * - A newer major version is refused.
 * - No exception and no object of C++ crosses. Who allocates frees. Texts have a length and need no end; those that a
 *   call is given are valid until it returns.
 * - Every function of the plugin is called on one thread, one at a time. The host's functions may be called only from
 *   within such a call.
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

/* What a point is of. Names 1 to 256 bytes, labels' values up to 1,024, at most 32 labels; all UTF-8. */
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
  uint32_t series; /* a number, as the host gave it */
  uint32_t reserved;
  union {
    int64_t integer; /* of a series of integers */
    double real;
  } value;
} monitor_point;

/* What was read at one moment. Points may be changed, removed (by making point_count smaller) and added, up to
 * point_capacity. */
typedef struct monitor_batch {
  uint32_t size;
  uint32_t reserved;
  int64_t time_ns;        /* Unix time */
  int64_t rates_since_ns; /* since when its rates hold; 0: no rates in it */
  int64_t mono_ns;        /* its place on the monotonic clock: for what counts time between ticks */
  monitor_point* points;
  size_t point_count;
  size_t point_capacity;
  /* Since 1.2 (size says whether it is there): add to it how many points were removed, so that those are counted also
   * where others came in their place. Without it what is counted is by how many there are fewer. */
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

/* What the host does for a plugin. Lives as long as the plugin. */
typedef struct monitor_host {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  void* context; /* first argument of the functions */

  /* The series of a number; NULL when there is none. Valid as long as the plugin lives. */
  const monitor_series* (*series)(void* context, uint32_t id);
  /* The number of a series, the same for the same one. MONITOR_NO_SERIES when it is not valid or there are too many. */
  uint32_t (*intern)(void* context, const monitor_series* series);
  /* A line of the agent's log. */
  void (*log)(void* context, int level, monitor_text line);
  /* Why the call that is running fails. */
  void (*fail)(void* context, monitor_text reason);

  /* The plugin's configuration, in create() only: `path` is a JSON pointer, as "/factor". What no call asks for at the
   * top level is refused as unknown. */
  void (*option)(void* context, monitor_text path, monitor_option* out);
  monitor_text (*option_name)(void* context, monitor_text path, size_t index);
  /* An option is wrong: the plugin is not started, and the message stands in log and status. */
  void (*refuse)(void* context, monitor_text path, monitor_text message);
} monitor_host;

enum { MONITOR_KEEP = 0, MONITOR_DROP = 1, MONITOR_FAILED = 2 };

/* Takes what save() gives. */
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

  /* Once, before the first batch; the configuration comes by host->option(). NULL: it cannot start; fail() says why. */
  void* (*create)(const monitor_host* host);
  /* MONITOR_KEEP: the batch, as it is now, goes on. MONITOR_DROP: it ends here. MONITOR_FAILED: it is lost, and
   * counted as failed; fail() says why. */
  int (*run)(void* self, monitor_batch* batch);
  /* Once, after the last batch; frees self. */
  void (*finalize)(void* self);

  /* Since 1.1; both may be NULL. When the plugin is replaced, the old one saves at a batch boundary and the new one
   * restores before its first batch. 0: done; else fail() says why, and the new one starts empty. 4 MiB at most. */
  int (*save)(void* self, const monitor_sink* sink);
  int (*restore)(void* self, const void* data, size_t size);
} monitor_plugin;

/* The one symbol that a plugin exports. NULL: it cannot run with this host. What it returns lives as long as the
 * library is loaded. */
const monitor_plugin* monitor_plugin_entry(uint32_t host_abi_major, uint32_t host_abi_minor);

#ifdef __cplusplus
}
#endif

#endif
