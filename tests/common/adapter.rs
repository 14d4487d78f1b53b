//! The adapter that tests run on. Without one, a test that wants it says loudly that it was skipped, and how many were;
//! `SWITCHBACK_REQUIRE_ADAPTER=1`, for machines that promise an adapter, turns that into a failure.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use switchback::gpu::GpuBuilder;
use switchback::{Error, Gpu};

/// A device that a binary's tests share, with rails: fresh memory is poisoned and guarded. A test has the same one whenever
/// it asks.
///
/// ```ignore
/// let Some(gpu) = adapter::gpu() else { return };
/// ```
pub(crate) fn gpu() -> Option<Gpu> {
    static SHARED: PerSeat<Option<Gpu>> = PerSeat::new();
    let gpu = SHARED.get_or_init(|| try_open(Gpu::builder().rails(true))).clone();
    if gpu.is_none() {
        skip();
    }
    gpu
}

/// Something of which tests that run at the same time have one each: Mesa's software driver compiles one pipeline at a time on a
/// device, which is most of what these tests take.
pub(crate) struct PerSeat<T>([OnceLock<T>; SEATS]);

/// Devices at most, on machines of many cores.
const SEATS: usize = 4;

impl<T> PerSeat<T> {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; SEATS])
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        SEAT.with(|seat| self.0[seat.0].get_or_init(make))
    }
}

thread_local! {
    /// Where this thread, which runs one test, sits until it ends.
    static SEAT: Seat = Seat::take();
}

/// How many threads sit where.
static TAKEN: Mutex<[usize; SEATS]> = Mutex::new([0; SEATS]);

struct Seat(usize);

impl Seat {
    /// One of the emptiest, of no more than threads run at a time.
    fn take() -> Self {
        let useful = thread::available_parallelism().map_or(1, |threads| threads.get().min(SEATS));
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let seat = (0..useful).min_by_key(|&seat| taken[seat]).unwrap_or(0);
        taken[seat] += 1;
        Self(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner)[self.0] -= 1;
    }
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
        let name = thread::current().name().unwrap_or("a test").to_owned();
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
    let name = thread::current().name().unwrap_or("a test").to_owned();
    say(&format!("SKIPPED {name}: no GPU adapter ({skipped} skipped so far)"));
}

/// Past the test harness, which keeps what passing tests print.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}
