//! Replacing a file in one step.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::unfinished::Unfinished;
use crate::error::{Error, Result};

/// Writes a file through `write` so that others see the old content or the whole new one, never a part.
///
/// The bytes go to a new file beside the target, which is renamed over it at the end and removed if anything fails, also by
/// [`abandon_writes`](crate::abandon_writes); on Unix it has the target's permissions. A link is followed to the file that it
/// leads to. What is there and cannot be replaced (a device, a pipe, `/dev/stdout` wherever it leads) is written in place, at
/// its end.
///
/// # Errors
/// [`Error::Io`] that names the target.
pub fn replace_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let written = if is_fixed(path) {
        File::options().append(true).open(path).and_then(|file| write_all(file, write)).map(drop)
    } else {
        // A link that leads nowhere gives way to the file.
        replace(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), write)
    };
    written.map_err(|source| Error::io(path, source))
}

/// Whether something is there that another file cannot take the place of: no file, or one of the system's names for open
/// files, such as `/dev/stdout` and `/dev/fd/3`.
fn is_fixed(path: &Path) -> bool {
    let Ok(existing) = fs::metadata(path) else { return false };
    let is_opened = |folder: PathBuf| folder == Path::new("/dev") || folder.starts_with("/proc");
    let of_system = || path.parent().and_then(|folder| fs::canonicalize(folder).ok()).is_some_and(is_opened);
    !existing.is_dir() && (!existing.is_file() || of_system())
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, expected a file name"));
    }
    let (unfinished, file) = Unfinished::create(beside(path)?)?;
    // Synchronised, or a crash soon after could leave the new name with none of the bytes.
    write_all(keep_permissions(path, file)?, write)?.sync_all()?;
    unfinished.replace(path)
}

/// Gives a new file the permissions of the one whose place it will take.
fn keep_permissions(path: &Path, file: File) -> io::Result<File> {
    if cfg!(unix)
        && let Ok(existing) = fs::metadata(path)
        && existing.permissions() != file.metadata()?.permissions()
    {
        file.set_permissions(existing.permissions())?;
    }
    Ok(file)
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

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_its_file_keeps_its_permissions() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let [file, link, loose] = ["file", "link", "loose"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("file", &link).unwrap();
        symlink("nowhere", &loose).unwrap();
        for path in [&link, &loose] {
            replace_file(path, |to| to.write_all(b"new")).unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), "new");
        }
        assert!(link.is_symlink() && !loose.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// As `/dev/stdout` is one where a shell has redirected it to a file.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_file_of_the_system_s_is_written_at_its_end() {
        use std::os::fd::AsRawFd as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"first ").unwrap();
        let opened = PathBuf::from(format!("/dev/fd/{}", file.as_raw_fd()));
        replace_file(&opened, |to| to.write_all(b"second")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first second");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error_and_stays_a_device() {
        let full = Path::new("/dev/full");
        assert!(replace_file(full, |to| to.write_all(b"x")).is_err());
        assert!(!full.is_file());
    }
}
