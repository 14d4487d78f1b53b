//! Ctrl-C, SIGTERM and a terminal that is closed: the process ends as it would by itself, but leaves no half-written file behind.

/// From here on, a signal to end removes what is being written first. Whoever sent it sees the process end by that signal
/// (130, 143 and 129 in shells). Signals that are ignored stay so, as Ctrl-C is for what a script runs in the background, and SIGHUP
/// under `nohup`.
///
/// Where it cannot be done, signals end the process as ever. Windows has no signals; a part file may stay there.
#[cfg(unix)]
pub(crate) fn clean_up_when_told_to_end() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    let (caught, from_here) = std::sync::mpsc::channel::<()>();
    let wait = move || {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !is_ignored(signal)));
        drop(caught);
        let Ok(mut signals) = signals else { return };
        for signal in signals.forever() {
            switchback::abandon_writes();
            if emulate_default_handler(signal).is_err() {
                std::process::exit(128 + signal);
            }
        }
    };
    // Without a thread to wait in, signals are not caught either; with one, they are before anything is written.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
    let _ = from_here.recv();
}

#[cfg(not(unix))]
pub(crate) fn clean_up_when_told_to_end() {}

/// Whether the process was started with a signal ignored, as far as the system tells (Linux does, proc(5)).
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored >> (signal - 1) & 1 == 1
}
