//! Replacing a file in one step.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file through `write` so that others see the old content or the whole new one, never a part.
///
/// The bytes go to a new file beside the target, which is renamed over it at the end and removed if anything fails. A
/// target that is not a regular file (a device, a pipe) is written in place.
///
/// # Errors
/// [`Error::Io`] that names the target.
pub fn replace_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let in_place = fs::metadata(path).is_ok_and(|existing| !existing.is_file() && !existing.is_dir());
    let written = if in_place {
        File::options().write(true).open(path).and_then(|file| write_all(file, write)).map(drop)
    } else {
        replace(path, write)
    };
    written.map_err(|source| Error::io(path, source))
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, expected a file name"));
    }
    let temporary = beside(path)?;
    // Synchronised, or a crash soon after could leave the new name with none of the bytes.
    let written = File::create_new(&temporary)
        .and_then(|file| write_all(file, write)?.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The write's own error is the one to report; a leftover that cannot be removed either is not worth hiding it.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_all(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<File> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)
}

/// A name in the target's folder that no other process and no other call of this one uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    static CALLS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a file name"));
    };
    let call = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{call}.part", std::process::id()));
    Ok(path.with_file_name(temporary))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_whole_files_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for content in ["a longer first content", "second"] {
            replace_file(&path, |to| to.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        let failed = replace_file(&path, |to| {
            to.write_all(&[0; 100_000])?;
            Err(io::Error::other("planted"))
        });
        assert!(failed.unwrap_err().to_string().contains("a.txt: planted"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn refuses_folders_and_paths_below_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        for bad in [folder.path().to_owned(), folder.path().join("file/below"), folder.path().join("no/such/folder")] {
            let error = replace_file(&bad, |_| Ok(())).unwrap_err().to_string();
            assert!(error.starts_with(&bad.display().to_string()), "{error}");
        }
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error_and_stays_a_device() {
        let full = Path::new("/dev/full");
        assert!(replace_file(full, |to| to.write_all(b"x")).is_err());
        assert!(!full.is_file());
    }
}
