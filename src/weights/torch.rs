//! PyTorch's checkpoints (`.pth`, `.pt`), as `torch.save` writes them: a zip with a pickle that describes tensors and
//! a record for each storage, or before PyTorch 1.6 the same parts one after another. Nothing in a file is executed.
//!
//! The weights are the tensors of the dict itself, or of its `model_state_dict` or `state_dict`. Tensors of whole numbers
//! (`num_batches_tracked`) are left out. Where every name begins with `module.`, as `DataParallel` leaves them, that goes.

mod globals;
mod legacy;
mod pickle;
mod tensor;
mod values;
mod zip;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{LeftOut, Storage, Weights, quoted};
use tensor::Reader;
use values::{Id, Pickle, Value};
use zip::Archive;

/// Keys under which training scripts put a model's state dict.
const WRAPPERS: [&str; 2] = ["model_state_dict", "state_dict"];
/// What `torch.nn.DataParallel` puts before every name.
const PARALLEL: &str = "module.";

/// Whether a file may be a zip.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK")
}

pub(super) use legacy::{begins as is_legacy, read as read_legacy};

/// Reads a zipped checkpoint; what is wrong comes back as text, to which the caller adds where it was.
pub(super) fn read(storage: Storage) -> Result<Weights, String> {
    let storage = Arc::new(storage);
    let bytes = storage.bytes();
    let archive = Archive::read(bytes)?;
    let mut pickles = archive.names().filter_map(|name| name.strip_suffix("/data.pkl"));
    let root = match (pickles.next(), pickles.next()) {
        (Some(root), None) => root.to_owned(),
        (None, _) => return Err("the zip holds no `data.pkl`: not a PyTorch checkpoint".to_owned()),
        (Some(one), Some(other)) => {
            return Err(format!("the zip holds two `data.pkl`, in {} and in {}", quoted(one), quoted(other)));
        }
    };
    if let Some(order) = archive.content(&format!("{root}/byteorder"))? {
        match &bytes[order] {
            b"little" => {}
            b"big" => return Err("its byteorder is big; save it again on a little-endian machine".to_owned()),
            other => {
                let found = quoted(&String::from_utf8_lossy(other));
                return Err(format!("its byteorder is {found}, expected little"));
            }
        }
    }
    let described = archive.content(&format!("{root}/data.pkl"))?.unwrap_or(0..0);
    let pickle = Pickle::read(&bytes[described])?;
    weights(&storage, &pickle, |held, length| {
        let name = format!("{root}/data/{}", held.key);
        let record = archive.content(&name)?.ok_or_else(|| format!("the zip has no record {}", quoted(&name)))?;
        if record.len() != length {
            let found = record.len();
            return Err(format!("the zip's record {} is {found} bytes, expected {length}", quoted(&name)));
        }
        Ok(record)
    })
}

/// The weights that a pickle describes; `record` gives where a storage of so many bytes is.
fn weights(
    storage: &Arc<Storage>,
    pickle: &Pickle,
    record: impl Fn(&values::Storage, usize) -> Result<Range<usize>, String>,
) -> Result<Weights, String> {
    let mut weights = Weights::new();
    let mut reader = Reader::new(storage);
    let mut taken = BTreeSet::new();
    for &(key, value) in state_dict(pickle)? {
        let Value::Tensor(tensor) = pickle.value(value) else { continue };
        let Value::Text(name) = pickle.value(key) else {
            return Err("a tensor's name is no string".to_owned());
        };
        let of_tensor = |reason: String| format!("{}: {reason}", quoted(name));
        if !taken.insert(name.clone()) {
            return Err(of_tensor("two tensors have this name".to_owned()));
        }
        let Value::Storage(held) = pickle.value(tensor.storage) else {
            return Err(of_tensor("its storage is none".to_owned()));
        };
        match reader.entry(tensor, held, &record).map_err(of_tensor)? {
            Some(entry) => {
                weights.entries.insert(name.clone(), entry);
            }
            None => weights.left_out.push(LeftOut { name: name.clone(), reason: "whole numbers, not weights" }),
        }
    }
    if weights.is_empty() {
        return Err(format!("it holds no tensors{}; {}", keys(pickle), globals::WAY_OUT));
    }
    if weights.names().all(|name| name.starts_with(PARALLEL)) {
        let bare = |(name, entry): (String, _)| (name[PARALLEL.len()..].to_owned(), entry);
        weights.entries = weights.entries.into_iter().map(bare).collect();
        for left in &mut weights.left_out {
            left.name = left.name.trim_start_matches(PARALLEL).to_owned();
        }
    }
    Ok(weights)
}

/// The items of the dict that holds the tensors.
fn state_dict(pickle: &Pickle) -> Result<&[(Id, Id)], String> {
    let Value::Dict(items) = pickle.value(pickle.result) else {
        return Err(format!("it holds no dict of tensors; {}", globals::WAY_OUT));
    };
    for wrapper in WRAPPERS {
        let is_wrapper = |key: Id| matches!(pickle.value(key), Value::Text(name) if name == wrapper);
        if let Some((_, value)) = items.iter().find(|&&(key, _)| is_wrapper(key))
            && let Value::Dict(items) = pickle.value(*value)
        {
            return Ok(items);
        }
    }
    Ok(items)
}

/// The first few keys of the outermost dict, for a message.
fn keys(pickle: &Pickle) -> String {
    const MAX_SHOWN: usize = 6;
    let Value::Dict(items) = pickle.value(pickle.result) else { return String::new() };
    let name = |&(key, _): &(Id, Id)| match pickle.value(key) {
        Value::Text(name) => Some(quoted(name)),
        _ => None,
    };
    let names: Vec<String> = items.iter().filter_map(name).take(MAX_SHOWN).collect();
    if names.is_empty() { String::new() } else { format!(", but {}", names.join(", ")) }
}
