//! Which kind of file it is: told by its first bytes, whatever its name.

use super::{Storage, Weights, safetensors};
use crate::error::{Error, Result};

impl Weights {
    /// Reads a weight file that is already in memory, without copying its values; see [`Weights::open`].
    ///
    /// # Errors
    /// [`Error::Weights`] for anything but a whole and consistent file.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        read(Storage::Owned(bytes)).map_err(Error::Weights)
    }

    /// Opens a weight file by mapping it into memory: its values are read from the disk when they are decoded, and the
    /// system may drop them again. Its content tells which kind it is:
    ///
    /// - safetensors, of f32, f16 and bf16 tensors;
    /// - PyTorch's `.pth` and `.pt` as `torch.save` writes them (feature `checkpoints`): a dict of tensors, or one under
    ///   `model_state_dict` or `state_dict`. The pickle in them is interpreted, nothing is executed, and whatever could be is
    ///   refused by name;
    /// - Caffe's `.caffemodel` (feature `checkpoints`), in the new layer format and the old one, under the names
    ///   `LAYER.weight`, `LAYER.bias`, and for batch norms of SegNet's and DeconvNet's Caffe `LAYER.scale`, `LAYER.shift`.
    ///
    /// [`Weights::left_out`] lists what was in the file besides.
    ///
    /// The file must not be truncated or written to while the weights (or a clone) live; replacing it by renaming
    /// another file over it, as [`Weights::save`] does, is safe.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Weights`] for anything but a whole and consistent one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self> {
        let path = path.as_ref();
        let map = super::map::map(path).map_err(|source| Error::io(path, source))?;
        read(Storage::Mapped(map)).map_err(|reason| Error::Weights(format!("{}: {reason}", path.display())))
    }
}

/// Reads a file of any kind; what is wrong comes back as text, to which the caller adds where it was.
fn read(storage: Storage) -> Result<Weights, String> {
    let bytes = storage.bytes();
    if safetensors::begins(bytes) {
        return safetensors::read(storage);
    }
    #[cfg(feature = "checkpoints")]
    {
        use super::{caffe, torch};
        if torch::is_zip(bytes) {
            return torch::read(storage);
        }
        if torch::is_legacy(bytes) {
            return torch::read_legacy(storage);
        }
        if caffe::begins(bytes) {
            return caffe::read(storage);
        }
    }
    let begins = |other: &&Other| bytes.get(other.at..).is_some_and(|rest| rest.starts_with(other.mark));
    match OTHERS.iter().find(begins) {
        Some(other) => Err(format!("it is {}; {}", other.what, other.way_out)),
        None => safetensors::read(storage),
    }
}

/// A kind of file that people have in place of weights.
struct Other {
    at: usize,
    mark: &'static [u8],
    what: &'static str,
    way_out: &'static str,
}

const OTHERS: &[Other] = &[
    #[cfg(not(feature = "checkpoints"))]
    Other {
        at: 0,
        mark: b"PK",
        what: "a PyTorch checkpoint, which needs the feature `checkpoints`",
        way_out: "or save it with safetensors.torch.save_file(model.state_dict(), path)",
    },
    Other {
        at: 0,
        mark: b"version https://git-lfs",
        what: "a pointer of Git LFS, not the file that it stands for",
        way_out: "run `git lfs pull`",
    },
    Other { at: 0, mark: b"<!DOCTYPE", what: "a web page", way_out: "download the file that it links to" },
    Other { at: 0, mark: b"<html", what: "a web page", way_out: "download the file that it links to" },
    Other { at: 0, mark: b"\x1f\x8b", what: "compressed by gzip", way_out: "unpack it first" },
    Other { at: 0, mark: b"\x89HDF", what: "an HDF5 file", way_out: "save Caffe's snapshot as BINARYPROTO instead" },
    Other {
        at: 257,
        mark: b"ustar",
        what: "a tar archive, as PyTorch wrote before 0.1.10",
        way_out: "load it and save it again with a current PyTorch",
    },
    Other {
        at: 0,
        mark: b"\x80\x02",
        what: "a bare pickle",
        way_out: "save it with torch.save(model.state_dict(), path)",
    },
    Other { at: 0, mark: b"name:", what: "a prototxt, the text beside the weights", way_out: "give the .caffemodel" },
    Other { at: 0, mark: b"layer", what: "a prototxt, the text beside the weights", way_out: "give the .caffemodel" },
];
