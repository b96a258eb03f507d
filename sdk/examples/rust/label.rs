//! A native plugin in Rust: adds the label `team` with the option `value` (default "ops") to every series, and counts its
//! ticks, also over a reload.
//!
//!     rustc --edition 2021 --crate-type cdylib -O -C panic=abort -o rust_label.so label.rs
//!
//! It uses the C interface of plugin.h of the SDK, whose types come first, and the standard library only. A panic ends the plugin's
//! process, and the agent restarts it.
use std::os::raw::{c_char, c_int, c_void};
use std::{mem, ptr, slice};

// --- sdk/plugin.h

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    data: *const c_char,
    size: usize,
}

impl Text {
    fn new(text: &str) -> Text {
        Text { data: text.as_ptr().cast(), size: text.len() }
    }
    /// The text must outlive the result.
    unsafe fn as_str<'a>(self) -> &'a str {
        if self.data.is_null() {
            return "";
        }
        std::str::from_utf8(slice::from_raw_parts(self.data.cast(), self.size)).unwrap_or("")
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Label {
    name: Text,
    value: Text,
}

#[repr(C)]
pub struct Series {
    size: u32,
    kind: u32,
    integer: u32,
    exponent: i32,
    name: Text,
    unit: Text,
    labels: *const Label,
    label_count: usize,
}

#[repr(C)]
pub struct Point {
    series: u32,
    reserved: u32,
    value: u64, // an i64 or an f64
}

#[repr(C)]
pub struct Batch {
    size: u32,
    reserved: u32,
    time_ns: i64,
    rates_since_ns: i64,
    mono_ns: i64,
    points: *mut Point,
    point_count: usize,
    point_capacity: usize,
    dropped: u64,
}

const OPTION_ABSENT: u32 = 0;
const OPTION_TEXT: u32 = 4;

#[repr(C)]
pub struct PluginOption {
    size: u32,
    kind: u32,
    number: f64,
    text: Text,
    count: usize,
}

#[repr(C)]
pub struct Host {
    size: u32,
    abi_major: u16,
    abi_minor: u16,
    context: *mut c_void,
    series: extern "C" fn(*mut c_void, u32) -> *const Series,
    intern: extern "C" fn(*mut c_void, *const Series) -> u32,
    log: extern "C" fn(*mut c_void, c_int, Text),
    fail: extern "C" fn(*mut c_void, Text),
    option: extern "C" fn(*mut c_void, Text, *mut PluginOption),
    option_name: extern "C" fn(*mut c_void, Text, usize) -> Text,
    refuse: extern "C" fn(*mut c_void, Text, Text),
}

#[repr(C)]
pub struct Sink {
    size: u32,
    context: *mut c_void,
    write: extern "C" fn(*mut c_void, *const c_void, usize),
}

#[repr(C)]
pub struct Plugin {
    size: u32,
    abi_major: u16,
    abi_minor: u16,
    name: *const c_char,
    version: *const c_char,
    create: extern "C" fn(*const Host) -> *mut c_void,
    run: extern "C" fn(*mut c_void, *mut Batch) -> c_int,
    finalize: extern "C" fn(*mut c_void),
    save: extern "C" fn(*mut c_void, *const Sink) -> c_int,
    restore: extern "C" fn(*mut c_void, *const c_void, usize) -> c_int,
}

// Its texts are constants.
unsafe impl Sync for Plugin {}

const NO_SERIES: u32 = u32::MAX;
const KEEP: c_int = 0;
const FAILED: c_int = 2;
const LOG_INFO: c_int = 1;

// --- The plugin

struct RustLabel {
    host: *const Host,
    value: String,
    labelled: Vec<u32>, // by the series without the label; NO_SERIES: not known yet
    ticks: u64,
}

impl RustLabel {
    /// The number of the same series with the label. Computed once for each series.
    unsafe fn labelled(&mut self, id: u32) -> Option<u32> {
        let index = id as usize;
        if index >= self.labelled.len() {
            self.labelled.resize(index + 1, NO_SERIES);
        }
        if self.labelled[index] == NO_SERIES {
            let host = &*self.host;
            let old = (host.series)(host.context, id).as_ref()?;
            let mut labels: Vec<Label> = if old.label_count == 0 {
                Vec::new()
            } else {
                slice::from_raw_parts(old.labels, old.label_count).to_vec()
            };
            labels.retain(|label| label.name.as_str() != "team");
            labels.push(Label { name: Text::new("team"), value: Text::new(&self.value) });
            let new = Series { size: mem::size_of::<Series>() as u32, labels: labels.as_ptr(), label_count: labels.len(), ..*old };
            self.labelled[index] = (host.intern)(host.context, &new);
        }
        Some(self.labelled[index]).filter(|id| *id != NO_SERIES)
    }
}

extern "C" fn create(host: *const Host) -> *mut c_void {
    unsafe {
        let to = &*host;
        let mut option = PluginOption {
            size: mem::size_of::<PluginOption>() as u32,
            kind: OPTION_ABSENT,
            number: 0.0,
            text: Text { data: ptr::null(), size: 0 },
            count: 0,
        };
        (to.option)(to.context, Text::new("/value"), &mut option);
        let value = match option.kind {
            OPTION_ABSENT => "ops".to_string(),
            OPTION_TEXT => option.text.as_str().to_string(),
            _ => {
                (to.refuse)(to.context, Text::new("/value"), Text::new("must be a text"));
                return ptr::null_mut();
            }
        };
        (to.log)(to.context, LOG_INFO, Text::new("hello from Rust"));
        Box::into_raw(Box::new(RustLabel { host, value, labelled: Vec::new(), ticks: 0 })).cast()
    }
}

extern "C" fn run(this: *mut c_void, batch: *mut Batch) -> c_int {
    unsafe {
        let plugin = &mut *this.cast::<RustLabel>();
        let batch = &mut *batch;
        plugin.ticks += 1;
        if batch.point_count == 0 {
            return KEEP;
        }
        for point in slice::from_raw_parts_mut(batch.points, batch.point_count) {
            match plugin.labelled(point.series) {
                Some(id) => point.series = id,
                None => {
                    let host = &*plugin.host;
                    (host.fail)(host.context, Text::new("too many series"));
                    return FAILED;
                }
            }
        }
        KEEP
    }
}

extern "C" fn finalize(this: *mut c_void) {
    unsafe { drop(Box::from_raw(this.cast::<RustLabel>())) }
}

extern "C" fn save(this: *mut c_void, sink: *const Sink) -> c_int {
    unsafe {
        let ticks = (*this.cast::<RustLabel>()).ticks.to_le_bytes();
        ((*sink).write)((*sink).context, ticks.as_ptr().cast(), ticks.len());
    }
    0
}

extern "C" fn restore(this: *mut c_void, data: *const c_void, size: usize) -> c_int {
    unsafe {
        let plugin = &mut *this.cast::<RustLabel>();
        if size == 8 {
            plugin.ticks = u64::from_le_bytes(*data.cast::<[u8; 8]>());
            return 0;
        }
        let host = &*plugin.host;
        (host.fail)(host.context, Text::new("the state does not have 8 bytes"));
    }
    1
}

static PLUGIN: Plugin = Plugin {
    size: mem::size_of::<Plugin>() as u32,
    abi_major: 1,
    abi_minor: 2,
    name: b"rust_label\0".as_ptr().cast(),
    version: b"0.1.0\0".as_ptr().cast(),
    create,
    run,
    finalize,
    save,
    restore,
};

#[no_mangle]
pub extern "C" fn monitor_plugin_entry(_major: u32, _minor: u32) -> *const Plugin {
    &PLUGIN
}
