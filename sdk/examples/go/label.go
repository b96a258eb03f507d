// A native plugin in Go: adds the label `team` with the option `value` (default "ops") to every series, and counts its
// ticks, also over a reload.
//
//	go build -buildmode=c-shared -o go_label.so .
//
// It uses the C interface of the SDK, plugin.h, through cgo; entry.c has the struct of functions that it exports. Go's runtime
// starts threads of its own: an agent's entry for it needs at least "threads": 16, which is the default.
package main

/*
#cgo CFLAGS: -I../.. -I/usr/include/monitor
#include <stdlib.h>
#include "plugin.h"

static const monitor_series* series_of(const monitor_host* host, uint32_t id) { return host->series(host->context, id); }
static uint32_t intern(const monitor_host* host, const monitor_series* series) { return host->intern(host->context, series); }
static void fail(const monitor_host* host, const char* text, size_t size) {
  host->fail(host->context, (monitor_text){text, size});
}
static void say(const monitor_host* host, const char* text, size_t size) {
  host->log(host->context, MONITOR_LOG_INFO, (monitor_text){text, size});
}
static monitor_option option(const monitor_host* host, const char* path, size_t size) {
  monitor_option found = {sizeof found, MONITOR_OPTION_ABSENT, 0, {0, 0}, 0};
  host->option(host->context, (monitor_text){path, size}, &found);
  return found;
}
static void refuse(const monitor_host* host, const char* path, size_t path_size, const char* text, size_t size) {
  host->refuse(host->context, (monitor_text){path, path_size}, (monitor_text){text, size});
}
static void give(const monitor_sink* sink, const void* data, size_t size) { sink->write(sink->context, data, size); }
*/
import "C"

import (
	"encoding/binary"
	"runtime/cgo"
	"unsafe"
)

type label struct {
	host     *C.monitor_host
	value    *C.char
	size     C.size_t
	team     *C.char
	labelled map[C.uint32_t]C.uint32_t // by the series without the label
	ticks    uint64
}

// withC calls a function with a text in C's memory, which C code must not keep.
func withC(text string, call func(*C.char, C.size_t)) {
	copied := C.CString(text)
	defer C.free(unsafe.Pointer(copied))
	call(copied, C.size_t(len(text)))
}

func goText(text C.monitor_text) string { return C.GoStringN(text.data, C.int(text.size)) }

// withLabel returns the number of the same series with the label. Computed once for each series.
func (plugin *label) withLabel(id C.uint32_t) (C.uint32_t, bool) {
	if known, found := plugin.labelled[id]; found {
		return known, known != C.MONITOR_NO_SERIES
	}
	old := C.series_of(plugin.host, id)
	if old == nil {
		return 0, false
	}
	count := int(old.label_count)
	block := (*C.monitor_label)(C.calloc(C.size_t(count+1), C.size_t(unsafe.Sizeof(C.monitor_label{}))))
	defer C.free(unsafe.Pointer(block))
	labels := unsafe.Slice(block, count+1)
	used := 0
	for _, one := range unsafe.Slice(old.labels, count) {
		if goText(one.name) != "team" {
			labels[used] = one
			used++
		}
	}
	labels[used] = C.monitor_label{C.monitor_text{plugin.team, 4}, C.monitor_text{plugin.value, plugin.size}}
	series := (*C.monitor_series)(C.malloc(C.size_t(unsafe.Sizeof(*old))))
	defer C.free(unsafe.Pointer(series))
	*series = *old
	series.size = C.uint32_t(unsafe.Sizeof(*series))
	series.labels = block
	series.label_count = C.size_t(used + 1)
	made := C.intern(plugin.host, series)
	plugin.labelled[id] = made
	return made, made != C.MONITOR_NO_SERIES
}

func of(self unsafe.Pointer) *label { return (*(*cgo.Handle)(self)).Value().(*label) }

//export label_create
func label_create(host *C.monitor_host) unsafe.Pointer {
	value := "ops"
	good := true
	withC("/value", func(path *C.char, size C.size_t) {
		option := C.option(host, path, size)
		if option._type == C.MONITOR_OPTION_TEXT {
			value = goText(option.text)
		} else if option._type != C.MONITOR_OPTION_ABSENT {
			withC("must be a text", func(text *C.char, length C.size_t) { C.refuse(host, path, size, text, length) })
			good = false
		}
	})
	if !good {
		return nil
	}
	withC("hello from Go", func(text *C.char, size C.size_t) { C.say(host, text, size) })
	plugin := &label{host: host, value: C.CString(value), size: C.size_t(len(value)), team: C.CString("team"),
		labelled: map[C.uint32_t]C.uint32_t{}}
	self := (*cgo.Handle)(C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0)))))
	*self = cgo.NewHandle(plugin)
	return unsafe.Pointer(self)
}

//export label_run
func label_run(self unsafe.Pointer, batch *C.monitor_batch) C.int {
	plugin := of(self)
	plugin.ticks++
	for i := range unsafe.Slice(batch.points, int(batch.point_count)) {
		point := &unsafe.Slice(batch.points, int(batch.point_count))[i]
		id, good := plugin.withLabel(point.series)
		if !good {
			withC("too many series", func(text *C.char, size C.size_t) { C.fail(plugin.host, text, size) })
			return C.MONITOR_FAILED
		}
		point.series = id
	}
	return C.MONITOR_KEEP
}

//export label_finalize
func label_finalize(self unsafe.Pointer) {
	plugin := of(self)
	C.free(unsafe.Pointer(plugin.value))
	C.free(unsafe.Pointer(plugin.team))
	(*(*cgo.Handle)(self)).Delete()
	C.free(self)
}

//export label_save
func label_save(self unsafe.Pointer, sink *C.monitor_sink) C.int {
	data := C.CBytes(binary.LittleEndian.AppendUint64(nil, of(self).ticks))
	C.give(sink, data, 8)
	C.free(data)
	return 0
}

//export label_restore
func label_restore(self unsafe.Pointer, data unsafe.Pointer, size C.size_t) C.int {
	plugin := of(self)
	if size != 8 {
		withC("the state does not have 8 bytes", func(text *C.char, length C.size_t) { C.fail(plugin.host, text, length) })
		return 1
	}
	plugin.ticks = binary.LittleEndian.Uint64(C.GoBytes(data, 8))
	return 0
}

func main() {}
