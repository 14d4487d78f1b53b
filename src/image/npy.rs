//! NumPy's `.npy`: scores out, and back in.
//!
//! Format (numpy.lib.format, version 1.0): magic `\x93NUMPY`, version, little-endian header length, a Python dictionary
//! literal padded with spaces so that the data begins at a multiple of 64 bytes, a newline, the data.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::error::{Error, Result};
use crate::file::replace_file;
use crate::shape::Shape;
use crate::tensor::Tensor;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes in which a header has to end. NumPy's own reader takes no more than 10,000.
const MOST_HEADER: u64 = 1 << 16;

/// Writes a tensor as little-endian float32 of shape `(n, c, h, w)`, in C order.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write_npy(path: impl AsRef<Path>, tensor: &Tensor) -> Result<()> {
    let Shape { n, c, h, w } = tensor.shape();
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {c}, {h}, {w}), }}");
    let before_padding = MAGIC.len() + 4 + dictionary.len() + 1;
    let header = format!(
        "{dictionary:<width$}\n",
        width = dictionary.len() + before_padding.next_multiple_of(64) - before_padding
    );
    // Four decimal numbers and fixed text: far below 2^16.
    let length = u16::try_from(header.len()).unwrap_or(u16::MAX);
    replace_file(path.as_ref(), |to| {
        to.write_all(MAGIC)?;
        to.write_all(&[1, 0])?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(header.as_bytes())?;
        tensor.data().iter().try_for_each(|value| to.write_all(&value.to_le_bytes()))
    })
}

/// Reads a four-dimensional array of little-endian float32 in C order.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Image`] if it holds anything else.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let read = File::open(path).and_then(read).map_err(|error| Error::io(path, error))?;
    read.map_err(|reason| Error::Image { path: path.to_owned(), reason })
}

/// Reads as much as the header announces, and no more than a byte beyond; what is wrong with that is the inner error.
fn read(from: impl io::Read) -> io::Result<Result<Tensor, String>> {
    let mut from = from;
    let mut bytes = Vec::new();
    from.by_ref().take(MOST_HEADER).read_to_end(&mut bytes)?;
    let Some((shape, begun)) = split(&bytes) else {
        return Ok(Err("is no .npy file of four-dimensional '<f4' in C order".to_owned()));
    };
    let shape = Shape::from(shape);
    if let Err(error) = shape.check("npy", "shape") {
        return Ok(Err(error.to_string()));
    }
    let announced = 4 * shape.elements() as u64;
    let mut data = begun.to_vec();
    from.take((announced + 1).saturating_sub(data.len() as u64)).read_to_end(&mut data)?;
    Ok(match data.len() as u64 {
        found if found > announced => Err(format!("goes on after the {announced} bytes of {shape}")),
        found if found < announced => Err(format!("ends after {found} of the {announced} bytes of {shape}")),
        _ => {
            let (values, _) = data.as_chunks::<4>();
            let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            Tensor::new(shape, values).map_err(|error| error.to_string())
        }
    })
}

/// The shape of a `<f4` array in C order, and its data.
fn split(bytes: &[u8]) -> Option<([usize; 4], &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?, rest),
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length)?;
    let header: String = std::str::from_utf8(header).ok()?.split_whitespace().collect();
    if !header.contains("'descr':'<f4'") || !header.contains("'fortran_order':False") {
        return None;
    }
    let (_, shape) = header.split_once("'shape':(")?;
    let (shape, _) = shape.split_once(')')?;
    let shape: Result<Vec<usize>, _> = shape.split_terminator(',').map(str::parse).collect();
    Some((shape.ok()?.try_into().ok()?, data))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// What `numpy.save` writes for `numpy.arange(2, dtype='f4').reshape(1, 2, 1, 1)`.
    fn numpy_file() -> Vec<u8> {
        let header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1, 1), }";
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(header);
        bytes.resize(127, b' ');
        bytes.push(b'\n');
        bytes.extend(0.0_f32.to_le_bytes());
        bytes.extend(1.0_f32.to_le_bytes());
        bytes
    }

    #[test]
    fn writes_what_numpy_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.npy");
        let tensor = Tensor::new([1, 2, 1, 1], vec![0.0, 1.0]).unwrap();
        write_npy(&path, &tensor).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), numpy_file());
        assert_eq!(read_npy(&path).unwrap(), tensor);
    }

    #[test]
    fn keeps_order_and_every_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.npy");
        let tensor =
            Tensor::from_fn([2, 3, 5, 7], |[n, c, y, x]| f32::from_bits((n * 1000 + c * 100 + y * 10 + x) as u32));
        let tensor = tensor.unwrap();
        write_npy(&path, &tensor).unwrap();
        assert_eq!(read_npy(&path).unwrap(), tensor);
    }

    #[test]
    fn anything_else_is_refused() {
        let parse = |bytes: &[u8]| read(bytes).unwrap();
        let good = numpy_file();
        assert!(parse(&good).is_ok());
        let replaced = |from: &[u8], to: &[u8]| {
            let at = good.windows(from.len()).position(|window| window == from).unwrap();
            [&good[..at], to, &good[at + from.len()..]].concat()
        };
        for bad in [
            Vec::new(),
            good[..50].to_vec(),
            good[..good.len() - 1].to_vec(),
            good[..good.len() - 4].to_vec(),
            [good.as_slice(), &[0]].concat(),
            replaced(b"<f4", b"<f8"),
            replaced(b"False", b"True "),
            replaced(b"(1, 2, 1, 1)", b"(2, 1, 1)   "),
            replaced(b"(1, 2, 1, 1)", b"(9, 9, 9, 9)"),
            replaced(b"(1, 2, 1, 1)", b"(1, -2, 1,1)"),
        ] {
            assert!(parse(&bad).is_err(), "{:?}", String::from_utf8_lossy(&bad));
        }
    }

    /// Behind the header, and behind no header.
    #[test]
    fn what_has_no_end_is_refused() {
        let endless = |begin: &'static [u8]| read(begin.chain(io::repeat(0))).unwrap().unwrap_err();
        let file = numpy_file();
        assert_eq!(endless(file.leak()), "goes on after the 8 bytes of 1x2x1x1");
        assert!(endless(b"").starts_with("is no .npy file"));
        assert!(endless(b"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF").starts_with("is no .npy file"));
    }
}
