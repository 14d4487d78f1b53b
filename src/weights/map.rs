//! Memory-mapped files: the one place of the weight reader that needs `unsafe`.
#![allow(unsafe_code, reason = "mapping a file is unsafe by nature; see `map` for what is asked of the caller")]

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// Maps a regular file read-only.
///
/// The map stays valid while the file is replaced by renaming another one over it, or deleted; it does not while another
/// process truncates it or writes into it, which [`super::Weights::open`] asks its callers not to do.
///
/// # Errors
/// What the system says about a file that is missing, unreadable, a folder or a pipe.
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    // Asked of the path, because merely opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
    }
    let file = File::open(path)?;
    // SAFETY: the bytes are only read, through bounds-checked slices, and no value of them can break an invariant: every
    // offset derived from them is validated, and floats have no invalid bit patterns. What remains is the file being
    // changed from outside while it is mapped, which no reader of mapped files can exclude and `open` documents.
    unsafe { Mmap::map(&file) }
}
