//! The safetensors format: eight bytes of header length, a JSON header, and the tensors' bytes without holes.
//!
//! The types of the header are the `safetensors` crate's. Its own validation is not enough here: it adds offsets from the
//! file unchecked, and says neither which tensor is wrong nor what to do.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use ::safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::{Element, Entry, Storage, Weights, decode, dims, multi_index, quoted};
use crate::error::{Error, Result};
#[cfg(not(target_arch = "wasm32"))]
use crate::file::replace_file;

/// Bytes of the header's length, a little-endian u64.
const LENGTH_BYTES: usize = 8;
/// Longest header, as in the `safetensors` crate.
const MAX_HEADER_BYTES: usize = 100_000_000;
/// The one name in a header that is no tensor's.
const METADATA: &str = "__metadata__";
/// Elements decoded and encoded at a time when writing, so that a large tensor is never held twice.
const RUN_ELEMENTS: usize = 1 << 20;

const NOT_SAFETENSORS: &str = "weights are read from safetensors, .pth and .caffemodel files";

impl Weights {
    /// The weights as a safetensors file in memory, every tensor stored as `element`.
    ///
    /// # Errors
    /// [`Error::Weights`] for a value that is NaN, infinite, or too large for `element`, and for a tensor called `__metadata__`.
    pub fn to_bytes(&self, element: Element) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let written = self.write_to(&mut bytes, element);
        written.map_err(|error| error.downcast().unwrap_or_else(|error| Error::Weights(error.to_string())))?;
        Ok(bytes)
    }

    /// Writes a safetensors file with every tensor stored as `element`: whole under `path`, or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] for a path that cannot be written, [`Error::Weights`] for a value that is NaN, infinite, or too
    /// large for `element`. Neither leaves a file behind, nor touches one that was there.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn save(&self, path: impl AsRef<std::path::Path>, element: Element) -> Result<()> {
        match replace_file(path.as_ref(), |file| self.write_to(file, element)) {
            Err(Error::Io { path, cause }) => Err(cause.downcast().unwrap_or_else(|cause| Error::Io { path, cause })),
            done => done,
        }
    }

    /// Writes the file; an unfit value comes as an [`Error`] within the [`io::Error`].
    fn write_to(&self, out: &mut dyn Write, element: Element) -> io::Result<()> {
        out.write_all(&self.header(element).map_err(io::Error::other)?)?;
        let mut bytes = Vec::new();
        for (name, entry) in &self.entries {
            for start in (0..entry.elements()).step_by(RUN_ELEMENTS) {
                let values = decode(name, entry, start..entry.elements().min(start + RUN_ELEMENTS));
                let values = values.map_err(io::Error::other)?;
                bytes.clear();
                element.encode(&values, &mut bytes).map_err(|position| {
                    let index = multi_index(start + position, &entry.shape);
                    let value = values[position];
                    let fault = format!("{} holds {value} at {index:?}, too large for {element}", quoted(name));
                    io::Error::other(Error::Weights(fault))
                })?;
                out.write_all(&bytes)?;
            }
        }
        Ok(())
    }

    /// Length and header of the file that stores every tensor as `element`, in order of the names.
    fn header(&self, element: Element) -> Result<Vec<u8>> {
        if self.entries.contains_key(METADATA) {
            return Err(Error::Weights(format!("{} is the format's own name; rename that tensor", quoted(METADATA))));
        }
        let mut end = 0;
        let infos = self.entries.iter().map(|(name, entry)| {
            let start = end;
            end += entry.elements() * element.bytes();
            (name.clone(), TensorInfo { dtype: dtype(element), shape: entry.shape.clone(), data_offsets: (start, end) })
        });
        let metadata = Metadata::new(None, infos.collect()).map_err(|error| Error::Weights(error.to_string()))?;
        let mut json = serde_json::to_vec(&metadata).map_err(|error| Error::Weights(error.to_string()))?;
        json.resize(json.len().next_multiple_of(LENGTH_BYTES), b' ');
        Ok([&(json.len() as u64).to_le_bytes(), json.as_slice()].concat())
    }
}

/// Whether a file may be one: a header of a length that the format allows, and the beginning of JSON.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map(|&length| u64::from_le_bytes(length));
    length.is_some_and(|length| length <= MAX_HEADER_BYTES as u64) && bytes.get(LENGTH_BYTES) == Some(&b'{')
}

/// Reads header and layout; what is wrong comes back as text, to which the caller adds where it was.
pub(super) fn read(storage: Storage) -> Result<Weights, String> {
    let bytes = storage.bytes();
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(format!("{} bytes are too few for a safetensors file; {NOT_SAFETENSORS}", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    let header_length = usize::try_from(length).ok().filter(|&n| n <= MAX_HEADER_BYTES).ok_or_else(|| {
        format!(
            "the header would be {length} bytes long, more than the format's {MAX_HEADER_BYTES}: \
             not a safetensors file; {NOT_SAFETENSORS}"
        )
    })?;
    let Some((json, data)) = rest.split_at_checked(header_length) else {
        return Err(format!("the header is {header_length} bytes long, but only {} follow: truncated", rest.len()));
    };
    let Header(infos) = serde_json::from_slice(json).map_err(|error| format!("the header is not valid: {error}"))?;
    check_layout(&infos, data.len())?;

    let data_start = LENGTH_BYTES + header_length;
    let storage = Arc::new(storage);
    let entry = |(name, info): (String, TensorInfo)| {
        let element = element(info.dtype).ok_or_else(|| {
            format!(
                "{} is stored as {}, expected F32, F16 or BF16; convert it with .float(), or leave it out of the file",
                quoted(&name),
                info.dtype
            )
        })?;
        let (start, end) = info.data_offsets;
        let bytes = data_start + start..data_start + end;
        Ok((name, Entry::stored(info.shape, element, Arc::clone(&storage), bytes)))
    };
    Ok(Weights { entries: infos.into_iter().map(entry).collect::<Result<_, String>>()?, left_out: Vec::new() })
}

/// Checks that the tensors cover the data section exactly: in some order, one after the other, each as long as its shape
/// and type say.
fn check_layout(infos: &BTreeMap<String, TensorInfo>, data_length: usize) -> Result<(), String> {
    let mut by_offset: Vec<(&String, &TensorInfo)> = infos.iter().collect();
    by_offset.sort_by_key(|(_, info)| info.data_offsets);
    let mut covered = 0;
    for (name, info) in by_offset {
        let (start, end) = info.data_offsets;
        let tensor = || format!("{} claims bytes {start}..{end}", quoted(name));
        if start > end {
            return Err(format!("{}, which end before they begin", tensor()));
        }
        if start < covered {
            return Err(format!("{}, which overlap another tensor's that reach to {covered}", tensor()));
        }
        if start > covered {
            return Err(format!("{}, which leave a hole from {covered}", tensor()));
        }
        if end > data_length {
            return Err(format!("{} of {data_length}: truncated, or not its own header", tensor()));
        }
        let bits = info.shape.iter().try_fold(info.dtype.bitsize(), |bits, &extent| bits.checked_mul(extent));
        if bits != (end - start).checked_mul(8) || bits.is_none() {
            let found = end - start;
            return Err(format!("{} is {} of {}, but {found} bytes", quoted(name), dims(&info.shape), info.dtype));
        }
        covered = end;
    }
    if covered < data_length {
        return Err(format!("{} bytes follow the last tensor, expected none", data_length - covered));
    }
    Ok(())
}

/// The tensors of a header, by name.
struct Header(BTreeMap<String, TensorInfo>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tensors;

        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from names to tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut infos = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let name_for_message = quoted(&name);
                    let info = map
                        .next_value::<TensorInfo>()
                        .map_err(|error| A::Error::custom(format!("{name_for_message}: {error}")))?;
                    if infos.insert(name, info).is_some() {
                        return Err(A::Error::custom(format!("{name_for_message} occurs twice")));
                    }
                }
                Ok(Header(infos))
            }
        }

        deserializer.deserialize_map(Tensors)
    }
}

fn element(dtype: Dtype) -> Option<Element> {
    match dtype {
        Dtype::F32 => Some(Element::F32),
        Dtype::F16 => Some(Element::F16),
        Dtype::BF16 => Some(Element::Bf16),
        _ => None,
    }
}

fn dtype(element: Element) -> Dtype {
    match element {
        Element::F32 => Dtype::F32,
        Element::F16 => Dtype::F16,
        Element::Bf16 => Dtype::BF16,
    }
}
