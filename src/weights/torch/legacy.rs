//! Checkpoints from before PyTorch 1.6, among them the published ones of pytorch-fcn: five pickles one after another (a
//! magic number, a version, the machine's number sizes, the tensors, the storages' names), then each storage's count and
//! numbers.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::super::{Storage, Weights, quoted};
use super::globals::Global;
use super::values::{Pickle, Value};

/// The pickle of the number that such a file begins with.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/// The only version there ever was.
const VERSION: i128 = 1001;

/// Whether a file may be one.
pub(in super::super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads such a checkpoint; what is wrong comes back as text, to which the caller adds where it was.
pub(in super::super) fn read(storage: Storage) -> Result<Weights, String> {
    let storage = Arc::new(storage);
    let bytes = storage.bytes();
    let mut at = MAGIC.len();
    let mut next = || {
        let pickle = Pickle::read(&bytes[at..])?;
        at += pickle.length;
        Ok::<_, String>(pickle)
    };
    let (version, machine, tensors, keys) = (next()?, next()?, next()?, next()?);
    if !matches!(version.value(version.result), Value::Int(VERSION)) {
        return Err(format!("it is a legacy checkpoint of another version than {VERSION}"));
    }
    if !matches!(machine.value(machine.result), Value::Dict(_)) {
        return Err("it is a legacy checkpoint without the machine's number sizes".to_owned());
    }
    let records = records(bytes, at, &tensors, &keys)?;
    super::weights(&storage, &tensors, |held, length| match records.get(&held.key) {
        Some(record) if record.len() == length => Ok(record.clone()),
        Some(record) => Err(format!("its storage is {} bytes, expected {length}", record.len())),
        None => Err(format!("there is no storage {}", quoted(&held.key))),
    })
}

/// Where each storage's numbers are, in the order of `keys`, from `at` on.
fn records(
    bytes: &[u8],
    mut at: usize,
    tensors: &Pickle,
    keys: &Pickle,
) -> Result<HashMap<String, Range<usize>>, String> {
    let kinds: HashMap<&str, Global> = tensors.storages().map(|storage| (storage.key.as_str(), storage.kind)).collect();
    let Value::List(keys_list) = keys.value(keys.result) else {
        return Err("the names of its storages are no list".to_owned());
    };
    let mut records = HashMap::new();
    for &key in keys_list {
        let Value::Text(key) = keys.value(key) else { return Err("a storage's name is no string".to_owned()) };
        let cut = || format!("storage {}: cut off", quoted(key));
        let size = kinds.get(key.as_str()).and_then(|kind| kind.number_bytes());
        let size = size.ok_or_else(|| format!("storage {}: nothing says what it holds", quoted(key)))?;
        let count = bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|&word| u64::from_le_bytes(word));
        let length = count.and_then(|count| usize::try_from(count).ok()?.checked_mul(size)).ok_or_else(cut)?;
        let start = at + 8;
        at = start.checked_add(length).filter(|&end| end <= bytes.len()).ok_or_else(cut)?;
        if records.insert(key.clone(), start..at).is_some() {
            return Err(format!("two storages are called {}", quoted(key)));
        }
    }
    if at < bytes.len() {
        return Err(format!("{} bytes follow the last storage, expected none", bytes.len() - at));
    }
    Ok(records)
}
