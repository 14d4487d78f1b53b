//! Weights by name: read from safetensors files, Caffe's or PyTorch's without copying them into memory, made at random, or
//! put in one by one.
//!
//! A [`Weights`] holds each tensor as it is stored (f32, f16 or bf16, mapped or owned) and decodes to f32 on demand, a
//! whole tensor or a run of rows at a time, so that a large file never exists twice in memory.

#[cfg(feature = "checkpoints")]
mod caffe;
mod element;
#[cfg(feature = "safetensors")]
mod format;
#[cfg(all(feature = "safetensors", not(target_arch = "wasm32")))]
mod map;
mod random;
mod requirements;
#[cfg(feature = "safetensors")]
mod safetensors;
mod scaling;
#[cfg(feature = "checkpoints")]
mod torch;
pub mod vgg;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

pub use element::Element;
use scaling::Scaling;

/// Named weights of a network. Cloning is cheap: clones share the stored values.
///
/// ```
/// use switchback::{Tensor, weights::Weights};
/// let mut weights = Weights::new();
/// weights.insert("conv1.weight", &Tensor::full([8, 3, 3, 3], 0.1)?);
/// weights.insert("conv1.bias", &Tensor::vector(vec![0.0; 8])?);
/// assert_eq!(weights.tensor("conv1.bias")?.shape(), [1, 8, 1, 1].into());
/// assert_eq!(weights.tensor_rows("conv1.weight", 2..5)?.shape(), [3, 3, 3, 3].into());
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Weights {
    entries: BTreeMap<String, Entry>,
    /// What a file held besides.
    left_out: Vec<LeftOut>,
}

/// Something in a weight file that is no weight here.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LeftOut {
    /// Its name in the file.
    pub name: String,
    /// Why it was left out.
    pub reason: &'static str,
}

/// One stored tensor: what is known about it without decoding its values.
#[derive(Clone)]
pub struct Entry {
    shape: Vec<usize>,
    element: Element,
    storage: Arc<Storage>,
    bytes: Range<usize>,
    /// What its numbers are multiplied by as they are decoded.
    scalings: Vec<Arc<Scaling>>,
}

/// Where the bytes of one or more entries are.
enum Storage {
    Owned(Vec<u8>),
    #[cfg(all(feature = "safetensors", not(target_arch = "wasm32")))]
    Mapped(memmap2::Mmap),
}

impl Storage {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            #[cfg(all(feature = "safetensors", not(target_arch = "wasm32")))]
            Self::Mapped(map) => map,
        }
    }
}

impl Entry {
    fn stored(shape: Vec<usize>, element: Element, storage: Arc<Storage>, bytes: Range<usize>) -> Self {
        Self { shape, element, storage, bytes, scalings: Vec::new() }
    }

    /// Its extents as stored, of any rank; the last varies fastest.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How its numbers are stored.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// Number of its elements.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.bytes.len() / self.element.bytes()
    }

    /// Bytes it takes up as stored.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Its extents as an operator wants them: rank 4 as it is, rank 2 `[o, i]` as `o x i x 1 x 1` (a fully connected
    /// layer is a 1x1 convolution), rank 1 as the per-channel vector `1 x C x 1 x 1`; `None` for other ranks.
    #[must_use]
    pub fn operand_shape(&self) -> Option<Shape> {
        match *self.shape {
            [c] => Some(Shape::vector(c)),
            [o, i] => Some([o, i, 1, 1].into()),
            [n, c, h, w] => Some([n, c, h, w].into()),
            _ => None,
        }
    }

    /// Whether it decodes to the numbers of `other`, bit for bit, as far as its bytes and factors tell.
    pub(crate) fn decodes_as(&self, other: &Self) -> bool {
        let same_bytes = || match Arc::ptr_eq(&self.storage, &other.storage) {
            // Of one file, which is not read for this.
            true => self.bytes == other.bytes,
            false => self.stored_bytes() == other.stored_bytes(),
        };
        let described = |entry: &Self| (entry.element, entry.bytes.len());
        described(self) == described(other) && self.scalings == other.scalings && same_bytes()
    }

    fn stored_bytes(&self) -> &[u8] {
        &self.storage.bytes()[self.bytes.clone()]
    }
}

impl Weights {
    /// No weights yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a tensor in as f32, in place of any of that name. A per-channel vector `1 x C x 1 x 1` whose name ends in
    /// `.bias`, or that can only be part of a normalisation (`.running_mean`, `.running_var`, `.scale`, `.shift`), is
    /// stored with rank 1, as PyTorch does; everything else with rank 4.
    pub fn insert(&mut self, name: impl Into<String>, tensor: &Tensor) {
        let name = name.into();
        let shape = stored_shape(&name, tensor.shape());
        let bytes = tensor.data().iter().flat_map(|value| value.to_le_bytes()).collect();
        self.insert_owned(name, shape, bytes);
    }

    /// Puts little-endian f32 bytes in; they have `shape`.
    fn insert_owned(&mut self, name: String, shape: Vec<usize>, bytes: Vec<u8>) {
        let range = 0..bytes.len();
        let storage = Arc::new(Storage::Owned(bytes));
        self.entries.insert(name, Entry::stored(shape, Element::F32, storage, range));
    }

    /// Takes a tensor out; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.entries.remove(name).is_some()
    }

    /// Moves a tensor to another name, over any of that name.
    ///
    /// # Errors
    /// [`Error::Weights`] if there is none of the old name.
    pub fn rename(&mut self, from: &str, to: impl Into<String>) -> Result<()> {
        let entry = self.entries.remove(from).ok_or_else(|| self.missing(from))?;
        self.entries.insert(to.into(), entry);
        Ok(())
    }

    /// Gives a tensor other extents over the same elements.
    ///
    /// # Errors
    /// [`Error::Weights`] for a missing name or extents that hold another number of elements.
    pub fn reshape(&mut self, name: &str, shape: &[usize]) -> Result<()> {
        let Some(entry) = self.entries.get_mut(name) else { return Err(self.missing(name)) };
        let elements = shape.iter().try_fold(1, |product: usize, &extent| product.checked_mul(extent));
        if elements != Some(entry.elements()) {
            let (name, found) = (quoted(name), dims(&entry.shape));
            return Err(Error::Weights(format!("{name} is {found}, which cannot become {}", dims(shape))));
        }
        entry.shape = shape.to_vec();
        Ok(())
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// What the file that these weights were read from held besides: counters, constants that a network has itself, batch
    /// norms that are part of the convolutions already.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Shape and element type of a tensor, or `None` if there is none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Number of tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Shape of a tensor as an operator wants it; see [`Entry::operand_shape`].
    ///
    /// # Errors
    /// [`Error::Weights`] for a missing name, a rank other than 1, 2 or 4, or an empty axis.
    pub fn shape(&self, name: &str) -> Result<Shape> {
        Ok(self.operand(name)?.1)
    }

    /// A tensor decoded to f32; for its shape see [`Entry::operand_shape`].
    ///
    /// # Errors
    /// [`Error::Weights`] for a missing name, a rank other than 1, 2 or 4, an empty axis, or a value that is NaN or
    /// infinite.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let (entry, shape) = self.operand(name)?;
        Tensor::new(shape, decode(name, entry, 0..shape.elements())?)
    }

    /// Rows `rows` of a tensor's first stored axis, decoded to f32 alone: of a convolution's weight a run of output
    /// channels (`rows.len() x Cin x kh x kw`), of a bias a run of its values (`1 x rows.len() x 1 x 1`).
    ///
    /// # Errors
    /// As [`Weights::tensor`], and for rows that are empty or not there.
    pub fn tensor_rows(&self, name: &str, rows: Range<usize>) -> Result<Tensor> {
        let (entry, whole) = self.operand(name)?;
        if rows.is_empty() || rows.end > entry.shape[0] {
            let expected = format!("rows within 0..{}", entry.shape[0]);
            return Err(Error::operand("weights", format!("rows of {}", quoted(name)), expected, format!("{rows:?}")));
        }
        let shape = match entry.shape.len() {
            1 => Shape::vector(rows.len()),
            _ => Shape { n: rows.len(), ..whole },
        };
        let row = whole.elements() / entry.shape[0];
        Tensor::new(shape, decode(name, entry, rows.start * row..rows.end * row)?)
    }

    fn operand(&self, name: &str) -> Result<(&Entry, Shape)> {
        let entry = self.entries.get(name).ok_or_else(|| self.missing(name))?;
        let shape = entry.operand_shape().ok_or_else(|| {
            let expected = "one, two or four axes";
            Error::Weights(format!("{} is {}, expected {expected}", quoted(name), dims(&entry.shape)))
        })?;
        if shape.check("weights", name).is_err() {
            let found = dims(&entry.shape);
            let expected = "at least one element along every axis and fewer than 2^31 in all";
            return Err(Error::Weights(format!("{} is {found}, expected {expected}", quoted(name))));
        }
        Ok((entry, shape))
    }

    /// The error about a name that is not there; offers those of the same layer, or else the first few.
    fn missing(&self, name: &str) -> Error {
        const MAX_SHOWN: usize = 4;
        let layer = |name: &str| name.split('.').next().map(str::to_owned);
        let related: Vec<String> =
            self.names().filter(|n| layer(n) == layer(name)).take(MAX_SHOWN).map(quoted).collect();
        let there = match (self.is_empty(), related.is_empty()) {
            (true, _) => "there are no weights at all".to_owned(),
            (_, false) => format!("there are {}", related.join(", ")),
            _ => {
                let first: Vec<String> = self.names().take(MAX_SHOWN).map(quoted).collect();
                format!("there are {} tensors, such as {}", self.len(), first.join(", "))
            }
        };
        Error::Weights(format!("{} is missing; {there}", quoted(name)))
    }
}

impl std::fmt::Debug for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(&self.entries).finish()
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", dims(&self.shape), self.element)
    }
}

/// The extents to store an operand under.
fn stored_shape(name: &str, shape: Shape) -> Vec<usize> {
    let parts = ["bias", "running_mean", "running_var", "scale", "shift"];
    let is_part = name.rsplit_once('.').is_some_and(|(_, part)| parts.contains(&part));
    if is_part && shape == Shape::vector(shape.c) { vec![shape.c] } else { shape.dims().to_vec() }
}

/// Decodes a run of an entry's elements and refuses what no sum survives: NaN and infinities.
fn decode(name: &str, entry: &Entry, elements: Range<usize>) -> Result<Vec<f32>> {
    let size = entry.element.bytes();
    let mut values = entry.element.decode(&entry.stored_bytes()[elements.start * size..elements.end * size]);
    if !entry.scalings.is_empty() {
        for (position, value) in (elements.start..).zip(&mut values) {
            let factor: f64 = entry.scalings.iter().map(|scaling| scaling.factor(position)).product();
            *value = (f64::from(*value) * factor) as f32;
        }
    }
    if let Some(position) = values.iter().position(|value| !value.is_finite()) {
        let index = multi_index(elements.start + position, &entry.shape);
        let value = values[position];
        return Err(Error::Weights(format!("{} holds {value} at {index:?}, expected finite numbers", quoted(name))));
    }
    Ok(values)
}

/// The index along each axis of a flat position.
fn multi_index(mut position: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = Vec::with_capacity(shape.len());
    for &extent in shape.iter().rev() {
        index.push(position % extent);
        position /= extent;
    }
    index.reverse();
    index
}

/// Extents as in `64x3x3x3`, for messages.
fn dims(shape: &[usize]) -> String {
    const MAX_SHOWN: usize = 8;
    match shape.len() {
        0 => "a scalar".to_owned(),
        1..=MAX_SHOWN => shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x"),
        rank => format!("of rank {rank}"),
    }
}

/// A name in backquotes, for messages: names come from files, so control characters are escaped and length is limited.
fn quoted(name: &str) -> String {
    const MAX_SHOWN: usize = 100;
    let shown: String = name.chars().take(MAX_SHOWN).collect();
    let cut = if shown.len() < name.len() { "..." } else { "" };
    format!("`{}{cut}`", shown.escape_debug())
}
