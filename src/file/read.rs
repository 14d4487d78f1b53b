//! Reading a whole file of a bounded size: a name may lead to a device or a pipe that never ends, or to the wrong file.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use crate::error::{Error, Result};

/// A file's bytes, at most so many.
///
/// # Errors
/// [`Error::Io`] that names the file, also where it holds more.
pub(crate) fn read_file(path: &Path, most_bytes: u64) -> Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        // One more would be too many; where the length is known, none is read to learn that.
        let file = File::open(path)?;
        let known = file.metadata()?.len();
        if known > most_bytes || file.take(most_bytes + 1).read_to_end(&mut bytes)? as u64 > most_bytes {
            let reason = format!("holds more than {most_bytes} bytes, the most that is read of such a file");
            return Err(io::Error::new(ErrorKind::FileTooLarge, format!("{reason}; is it the right one?")));
        }
        Ok(bytes)
    };
    read().map_err(|error| Error::io(path, error))
}

/// Reads a text file of at most so many bytes.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("classes.txt");
/// std::fs::write(&path, "background\ndigit\n")?;
/// assert_eq!(switchback::read_text(&path, 1000)?.lines().count(), 2);
/// let error = switchback::read_text(&path, 10).unwrap_err();
/// assert!(error.to_string().contains("classes.txt: holds more than 10 bytes"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Io`] that names the file, also where it holds more or no UTF-8.
pub fn read_text(path: impl AsRef<Path>, most_bytes: u64) -> Result<String> {
    let path = path.as_ref();
    let no_text = |_| Error::io(path, io::Error::new(ErrorKind::InvalidData, "is no text in UTF-8"));
    String::from_utf8(read_file(path, most_bytes)?).map_err(no_text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_file_of_the_most_bytes_is_read_and_no_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for (content, read) in [("", true), ("1234", true), ("12345", false)] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(read_text(&path, 4).ok(), read.then(|| content.to_owned()), "{content:?}");
        }
        std::fs::write(&path, b"\xFF\xFE").unwrap();
        assert!(read_text(&path, 4).unwrap_err().to_string().ends_with("a.txt: is no text in UTF-8"));
    }

    /// What has no length is read as far as the bound.
    #[cfg(unix)]
    #[test]
    fn a_device_without_an_end_is_refused() {
        let error = read_file(Path::new("/dev/zero"), 1000).unwrap_err();
        assert!(error.to_string().starts_with("/dev/zero: holds more than 1000 bytes"), "{error}");
    }

    /// More than memory holds, of which nothing is read.
    #[test]
    fn a_huge_file_is_refused_by_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read_file(&path, 1 << 39).is_err());
    }
}
