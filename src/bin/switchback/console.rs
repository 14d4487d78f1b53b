//! What the user sees: results on stdout, progress, notices and warnings on stderr; and files, if there is a place for them.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows the library's warnings on stderr (`RUST_LOG` chooses others).
pub(crate) fn show_warnings() {
    // wgpu and naga log what they also return as errors.
    let default = "warn,wgpu_core=off,wgpu_hal=off,naga=off";
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(default))
        .format(|to, record| writeln!(to, "switchback: {}: {}", record.level().as_str().to_lowercase(), record.args()))
        .init();
}

/// A line of results, on stdout: of a command whose results are just that, which may end where nobody reads on.
pub(crate) fn print(line: impl Display) -> crate::Result {
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// A line about results that go to files, on stdout: they are wanted whether or not anybody reads on.
pub(crate) fn report(line: impl Display) -> crate::Result {
    match print(line) {
        Err(error) if is_closed_pipe(error.as_ref()) => Ok(()),
        reported => reported,
    }
}

/// Refuses a file to write whose folder is not there, before the work that would fill it.
pub(crate) fn check_folder(file: &Path) -> crate::Result {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => Err(format!("{}: there is no folder {}", file.display(), folder.display()).into()),
        None => Ok(()),
    }
}

/// Something the user did not ask for but should know, on stderr; whoever closed that does not want it.
pub(crate) fn notice(text: impl Display) {
    let _ = writeln!(io::stderr(), "switchback: {text}");
}

/// Whether this is a write to a pipe that nobody reads: stdout, or a file by such a name (`/dev/stdout`).
pub(crate) fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let cause = match error.downcast_ref() {
        Some(switchback::Error::Io { cause, .. }) => Some(cause),
        _ => error.downcast_ref::<io::Error>(),
    };
    cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

/// Progress of long work: a bar and what is being done, on stderr if that is a terminal, otherwise nothing.
///
/// It goes away when dropped, so that an error's message stands alone.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Says what is being done now.
    pub(crate) fn doing(&self, what: impl Display) {
        self.0.set_message(what.to_string());
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// Shows a notice without disturbing the bar.
    pub(crate) fn notice(&self, text: impl Display) {
        self.0.suspend(|| notice(text));
    }

    /// [`print()`] without disturbing the bar.
    pub(crate) fn print(&self, line: impl Display) -> crate::Result {
        self.0.suspend(|| print(line))
    }

    /// [`report()`] without disturbing the bar.
    pub(crate) fn report(&self, line: impl Display) -> crate::Result {
        self.0.suspend(|| report(line))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
