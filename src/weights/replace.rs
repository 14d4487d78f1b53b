//! Writing a file whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// Writes a new file beside `path` and renames it over `path` once it is complete; on any failure removes it.
///
/// Beside it, because only within one folder is renaming sure to be a single step.
///
/// # Errors
/// [`Error::Io`] that names `path`, or what `write` says.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let failed = |source| Error::io(path, source);
    let (partial, file) = Partial::create(path).map_err(failed)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    write(&mut out)?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(failed)?;
    drop(out);
    partial.rename_to(path).map_err(failed)
}

/// A file under a temporary name, which goes away unless it is renamed.
struct Partial(Option<PathBuf>);

impl Partial {
    fn create(target: &Path) -> io::Result<(Self, File)> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let invalid = |reason| io::Error::new(io::ErrorKind::InvalidInput, reason);
        let name = target.file_name().ok_or_else(|| invalid("names no file"))?;
        // A device or a folder must not be renamed over.
        if std::fs::metadata(target).is_ok_and(|there| !there.is_file()) {
            return Err(invalid("is not a regular file"));
        }
        loop {
            let mut temporary = std::ffi::OsString::from(".");
            temporary.push(name);
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            temporary.push(format!(".{}-{count}.partial", std::process::id()));
            let temporary = target.with_file_name(temporary);
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok((Self(Some(temporary)), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn rename_to(mut self, target: &Path) -> io::Result<()> {
        match self.0.take() {
            None => Ok(()),
            Some(temporary) => std::fs::rename(&temporary, target).inspect_err(|_| self.0 = Some(temporary)),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(temporary) = self.0.take() {
            // Already failing: there is nobody left to tell.
            let _ = std::fs::remove_file(temporary);
        }
    }
}
