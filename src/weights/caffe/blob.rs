//! Caffe's `BlobProto`: extents, new or old, and numbers.

use std::ops::Range;
use std::sync::Arc;

use super::super::{Element, Entry, Storage, dims};
use super::wire::{Fields, Value};

/// Most axes of a blob, as in Caffe.
const MAX_AXES: usize = 32;

/// What a blob holds, before anything of it is believed.
#[derive(Default)]
pub(super) struct Blob {
    /// The extents of `shape`, if there is one.
    shape: Option<Vec<i64>>,
    /// `num`, `channels`, `height`, `width`, if there is any of them: they count before `shape`.
    legacy: Option<[i64; 4]>,
    /// Little-endian f32.
    floats: Numbers,
    /// Little-endian f64: they count before `floats`.
    doubles: Numbers,
}

/// The numbers of a repeated field, which may be written in one run, in several, or one by one.
#[derive(Default)]
enum Numbers {
    #[default]
    None,
    /// Bytes of the file.
    Run(Range<usize>),
    /// Several runs, put together.
    Joined(Vec<u8>),
}

impl Numbers {
    fn add(&mut self, bytes: &[u8], run: Range<usize>) {
        match self {
            _ if run.is_empty() => {}
            Self::None => *self = Self::Run(run),
            Self::Run(first) => *self = Self::Joined([&bytes[first.clone()], &bytes[run]].concat()),
            Self::Joined(joined) => joined.extend_from_slice(&bytes[run]),
        }
    }

    fn bytes<'a>(&'a self, file: &'a [u8]) -> &'a [u8] {
        match self {
            Self::None => &[],
            Self::Run(run) => &file[run.clone()],
            Self::Joined(joined) => joined,
        }
    }
}

impl Blob {
    pub(super) fn read(bytes: &[u8], message: Range<usize>) -> Result<Self, String> {
        let mut blob = Self::default();
        let mut fields = Fields::of(bytes, message);
        while let Some(field) = fields.next()? {
            match (field.number, field.value) {
                (1..=4, Value::Varint(extent)) => {
                    blob.legacy.get_or_insert_default()[field.number as usize - 1] = extent as i64;
                }
                (5, Value::Bytes(run) | Value::Fixed32(run)) => blob.floats.add(bytes, run),
                (7, Value::Bytes(shape)) => {
                    let mut extents = blob.shape.take().unwrap_or_default();
                    read_shape(Fields::of(bytes, shape), &mut extents)?;
                    blob.shape = Some(extents);
                }
                (8, Value::Bytes(run) | Value::Fixed64(run)) => blob.doubles.add(bytes, run),
                (1..=5 | 7 | 8, _) => return Err(format!("field {} of a blob has another wire type", field.number)),
                // Gradients (6, 9) and what later versions may add.
                _ => {}
            }
        }
        Ok(blob)
    }

    /// The blob as a tensor, its extents as written: the file's own bytes where the numbers are f32 in one run.
    pub(super) fn into_entry(self, storage: &Arc<Storage>) -> Result<Entry, String> {
        let shape = self.extents()?;
        let is_double = !matches!(self.doubles, Numbers::None);
        let (numbers, size, kind) = if is_double { (self.doubles, 8, "doubles") } else { (self.floats, 4, "floats") };
        let length = numbers.bytes(storage.bytes()).len();
        let elements = shape.iter().try_fold(1, |product: usize, &extent| product.checked_mul(extent));
        if elements.and_then(|elements| elements.checked_mul(size)) != Some(length) {
            let shape = dims(&shape);
            return Err(format!("it is {shape}, but {length} bytes of {kind} are there"));
        }
        let owned = match numbers {
            Numbers::Run(run) if !is_double => {
                return Ok(Entry::stored(shape, Element::F32, Arc::clone(storage), run));
            }
            Numbers::Joined(joined) if !is_double => joined,
            doubles => narrowed(doubles.bytes(storage.bytes()))?,
        };
        let range = 0..owned.len();
        Ok(Entry::stored(shape, Element::F32, Arc::new(Storage::Owned(owned)), range))
    }

    fn extents(&self) -> Result<Vec<usize>, String> {
        let extents = match (&self.legacy, &self.shape) {
            (Some(legacy), _) => legacy.as_slice(),
            (None, Some(shape)) => shape.as_slice(),
            (None, None) => return Err("it has no shape".to_owned()),
        };
        if extents.len() > MAX_AXES {
            return Err(format!("it has {} axes, Caffe allows {MAX_AXES}", extents.len()));
        }
        let positive = |&extent: &i64| usize::try_from(extent).ok().filter(|&extent| extent > 0);
        let found = extents.iter().map(positive).collect::<Option<Vec<_>>>();
        found.ok_or_else(|| format!("its extents are {extents:?}, expected numbers from 1"))
    }
}

/// Appends the extents of a `BlobShape`, packed or not.
fn read_shape(mut fields: Fields, extents: &mut Vec<i64>) -> Result<(), String> {
    while let Some(field) = fields.next()? {
        match (field.number, field.value) {
            (1, Value::Varint(extent)) => extents.push(extent as i64),
            (1, Value::Bytes(run)) => {
                let mut packed = fields.within(run);
                while !packed.is_empty() {
                    extents.push(packed.varint()? as i64);
                }
            }
            (1, _) => return Err("the extents of a blob have another wire type".to_owned()),
            _ => {}
        }
        if extents.len() > MAX_AXES {
            return Err(format!("it has more than {MAX_AXES} axes, which Caffe does not allow"));
        }
    }
    Ok(())
}

/// Little-endian f64 as f32.
fn narrowed(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut narrowed = Vec::with_capacity(bytes.len() / 2);
    for &word in bytes.as_chunks::<8>().0 {
        let value = f64::from_le_bytes(word);
        let rounded = value as f32;
        if rounded.is_infinite() && value.is_finite() {
            return Err(format!("it holds {value:e}, too large for f32"));
        }
        narrowed.extend(rounded.to_le_bytes());
    }
    Ok(narrowed)
}
