//! Files that are being written: gone whenever a write does not come to its end, also where the program is told to end first.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All there are in this process.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new file that takes another's place once it is written, and is removed if it never does.
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Creates it, where nothing is yet.
    pub(super) fn create(path: PathBuf) -> io::Result<(Self, File)> {
        let mut all = unfinished();
        let file = File::create_new(&path)?;
        all.push(path.clone());
        Ok((Self(path), file))
    }

    /// Puts it in place of `target`.
    pub(super) fn replace(self, target: &Path) -> io::Result<()> {
        let mut all = unfinished();
        fs::rename(&self.0, target)?;
        all.retain(|path| *path != self.0);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut all = unfinished();
        if let Some(position) = all.iter().position(|path| *path == self.0) {
            all.swap_remove(position);
            // The write's own error is the one to report; a leftover that cannot be removed either is not worth hiding it.
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// Removes the unfinished files of all [writes](crate::replace_file) under way in this process, which then never come to an
/// end, and lets none begin: for a program that is told to end, as by Ctrl-C, and ends right after.
///
/// Not for a signal handler itself, in which hardly anything is allowed, but for a thread that one wakes. Writes wait from
/// here on, so that nothing is put in place half-written, nor reported as a failure, while the program ends.
pub fn abandon_writes() {
    let all = unfinished();
    for path in all.iter() {
        // What cannot be removed stays; there is nobody left to tell.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(all);
}
