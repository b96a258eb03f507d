/* What the library exports, with the functions of label.go. */
#include "_cgo_export.h"

static void* create(const monitor_host* host) { return label_create((monitor_host*)host); }
static int save(void* self, const monitor_sink* sink) { return label_save(self, (monitor_sink*)sink); }
static int restore(void* self, const void* data, size_t size) { return label_restore(self, (void*)data, size); }

const monitor_plugin* monitor_plugin_entry(uint32_t host_abi_major, uint32_t host_abi_minor) {
  static const monitor_plugin plugin = {sizeof plugin, MONITOR_PLUGIN_ABI_MAJOR, MONITOR_PLUGIN_ABI_MINOR, "go_label", "0.1.0",
                                        create, label_run, label_finalize, save, restore};
  (void)host_abi_major;
  (void)host_abi_minor;
  return &plugin;
}
