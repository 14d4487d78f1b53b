//! The adapter that tests run on. Without one, a test that wants it says loudly that it was skipped, and how many were;
//! `SWITCHBACK_REQUIRE_ADAPTER=1`, for machines that promise an adapter, turns that into a failure.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use switchback::gpu::GpuBuilder;
use switchback::{Error, Gpu};

/// The device that a binary's tests share, with rails: fresh memory is poisoned and guarded.
///
/// ```ignore
/// let Some(gpu) = adapter::gpu() else { return };
/// ```
pub(crate) fn gpu() -> Option<Gpu> {
    static SHARED: OnceLock<Option<Gpu>> = OnceLock::new();
    let gpu = SHARED.get_or_init(|| try_open(Gpu::builder().rails(true))).clone();
    if gpu.is_none() {
        skip();
    }
    gpu
}

/// A device of its own for a test that forces limits or loses it.
pub(crate) fn open(builder: GpuBuilder) -> Option<Gpu> {
    let gpu = try_open(builder);
    if gpu.is_none() {
        skip();
    }
    gpu
}

/// Whether a device has matrix units; `SWITCHBACK_REQUIRE_COOPERATIVE=1` promises them.
pub(crate) fn has_matrix_units(gpu: &Gpu) -> bool {
    let found = gpu.caps().cooperative.is_some();
    let promised = std::env::var("SWITCHBACK_REQUIRE_COOPERATIVE").is_ok_and(|value| value == "1");
    assert!(found || !promised, "{} has no matrix units, which SWITCHBACK_REQUIRE_COOPERATIVE promises", gpu.info());
    if !found {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        say(&format!("SKIPPED of {name}: matrix units, which {} does not have", gpu.info()));
    }
    found
}

fn try_open(builder: GpuBuilder) -> Option<Gpu> {
    static SAID: OnceLock<()> = OnceLock::new();
    match builder.build() {
        Ok(gpu) => {
            SAID.get_or_init(|| say(&format!("adapter: {}", gpu.info())));
            Some(gpu)
        }
        Err(Error::NoAdapter { .. }) if !required() => None,
        Err(error) => panic!("{error}"),
    }
}

fn required() -> bool {
    std::env::var("SWITCHBACK_REQUIRE_ADAPTER").is_ok_and(|value| !value.is_empty() && value != "0")
}

fn skip() {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let skipped = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    say(&format!("SKIPPED {name}: no GPU adapter ({skipped} skipped so far)"));
}

/// Past the test harness, which keeps what passing tests print.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}
