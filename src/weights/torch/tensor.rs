//! Tensors as a checkpoint claims them, held to the records that there are.

use std::ops::Range;
use std::sync::Arc;

use super::super::{Element, Entry, Storage, dims};
use super::globals::Global;
use super::values;

/// Most axes of a tensor, as in PyTorch.
const MAX_AXES: usize = 64;
/// Bytes that views may always be copied into, however small the file.
const LEAST_BUDGET: usize = 1 << 20;

/// How a storage's numbers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    As(Element),
    F64,
}

impl Number {
    /// `None` for whole numbers, of which no weights are made.
    fn of(kind: Global) -> Result<Option<Self>, String> {
        Ok(Some(match kind {
            Global::F32 => Self::As(Element::F32),
            Global::F16 => Self::As(Element::F16),
            Global::Bf16 => Self::As(Element::Bf16),
            Global::F64 => Self::F64,
            Global::Integers { .. } => return Ok(None),
            other => return Err(format!("its storage is said to be {other}")),
        }))
    }

    fn bytes(self) -> usize {
        match self {
            Self::As(element) => element.bytes(),
            Self::F64 => 8,
        }
    }
}

/// Makes entries of tensors: those that lie in order share the file's bytes, others are copied, up to a total.
pub(super) struct Reader<'a> {
    file: &'a Arc<Storage>,
    budget: usize,
}

impl<'a> Reader<'a> {
    /// What views may be copied into is bounded by the file's size: a few bytes can claim many views of one storage.
    pub(super) fn new(file: &'a Arc<Storage>) -> Self {
        Self { file, budget: file.bytes().len().max(LEAST_BUDGET) }
    }

    /// The entry of a tensor; `None` if it holds whole numbers. `record` gives where a storage's bytes are.
    pub(super) fn entry(
        &mut self,
        tensor: &values::Tensor,
        storage: &values::Storage,
        record: impl FnOnce(&values::Storage, usize) -> Result<Range<usize>, String>,
    ) -> Result<Option<Entry>, String> {
        let Some(number) = Number::of(storage.kind)? else { return Ok(None) };
        let count = usize::try_from(storage.count).ok().filter(|count| count.checked_mul(number.bytes()).is_some());
        let count = count.ok_or_else(|| format!("its storage is said to hold {} numbers", storage.count))?;
        let record = record(storage, count * number.bytes())?;
        let view = View::check(tensor, count)?;
        match number {
            Number::As(element) if view.is_contiguous() => {
                let start = record.start + view.offset * element.bytes();
                let bytes = start..start + view.elements * element.bytes();
                Ok(Some(Entry::stored(view.size, element, Arc::clone(self.file), bytes)))
            }
            Number::As(element) => {
                let bytes = self.copy(&view, record, element.bytes(), |word| Ok(word.to_vec()))?;
                Ok(Some(owned(view.size, element, bytes)))
            }
            Number::F64 => {
                let bytes = self.copy(&view, record, 8, narrowed)?;
                Ok(Some(owned(view.size, Element::F32, bytes)))
            }
        }
    }

    /// The numbers of a view in order, each made of the bytes that are written for it.
    fn copy(
        &mut self,
        view: &View,
        record: Range<usize>,
        size: usize,
        number: impl Fn(&[u8]) -> Result<Vec<u8>, String>,
    ) -> Result<Vec<u8>, String> {
        let length = view.elements.checked_mul(size).filter(|&length| length <= self.budget);
        let length = length.ok_or_else(|| {
            format!(
                "it is a view of {} numbers that would have to be copied, more than the file's size allows",
                dims(&view.size)
            )
        })?;
        self.budget -= length;
        let storage = &self.file.bytes()[record];
        let mut bytes = Vec::with_capacity(length);
        view.for_each(|place| {
            bytes.extend(number(&storage[place * size..][..size])?);
            Ok(())
        })?;
        Ok(bytes)
    }
}

fn owned(shape: Vec<usize>, element: Element, bytes: Vec<u8>) -> Entry {
    let range = 0..bytes.len();
    Entry::stored(shape, element, Arc::new(Storage::Owned(bytes)), range)
}

/// One f64 as f32.
fn narrowed(word: &[u8]) -> Result<Vec<u8>, String> {
    let value = word.first_chunk().map_or(f64::NAN, |&word| f64::from_le_bytes(word));
    let rounded = value as f32;
    if rounded.is_infinite() && value.is_finite() {
        return Err(format!("it holds {value:e}, too large for f32"));
    }
    Ok(rounded.to_le_bytes().to_vec())
}

/// A view whose every number lies in its storage.
struct View {
    offset: usize,
    size: Vec<usize>,
    stride: Vec<usize>,
    elements: usize,
}

impl View {
    fn check(tensor: &values::Tensor, count: usize) -> Result<Self, String> {
        let (axes, strides) = (tensor.size.len(), tensor.stride.len());
        if axes != strides || axes > MAX_AXES {
            return Err(format!(
                "it has {axes} extents and {strides} strides, expected as many and at most {MAX_AXES}"
            ));
        }
        let unsigned = |numbers: &[i128]| numbers.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<_>>>();
        let claim = || {
            let (size, stride, offset) = (&tensor.size, &tensor.stride, tensor.offset);
            format!("it is {size:?} with strides {stride:?} from {offset} on, in a storage of {count} numbers")
        };
        let (Some(size), Some(stride), Ok(offset)) =
            (unsigned(&tensor.size), unsigned(&tensor.stride), usize::try_from(tensor.offset))
        else {
            return Err(claim());
        };
        let elements = size.iter().try_fold(1, |product: usize, &extent| product.checked_mul(extent));
        let elements = elements.ok_or_else(claim)?;
        let steps = size.iter().zip(&stride).try_fold(offset, |last: usize, (&extent, &stride)| {
            last.checked_add(extent.saturating_sub(1).checked_mul(stride)?)
        });
        let inside = if elements == 0 { offset <= count } else { steps.is_some_and(|last| last < count) };
        if !inside {
            return Err(claim());
        }
        Ok(Self { offset, size, stride, elements })
    }

    /// Whether the numbers lie one after the other, the last axis varying fastest.
    fn is_contiguous(&self) -> bool {
        // The product of all extents is known to fit; without an element there is no order to keep.
        let mut step = 1;
        self.elements == 0
            || self.size.iter().zip(&self.stride).rev().all(|(&extent, &stride)| {
                let fits = extent == 1 || stride == step;
                step *= extent;
                fits
            })
    }

    /// Calls `visit` with the place of each number in the storage, in order.
    fn for_each(&self, mut visit: impl FnMut(usize) -> Result<(), String>) -> Result<(), String> {
        let mut index = vec![0; self.size.len()];
        for _ in 0..self.elements {
            let steps: usize =
                index.iter().zip(&self.stride).map(|(&index, &stride): (&usize, &usize)| index * stride).sum();
            visit(self.offset + steps)?;
            for (index, &extent) in index.iter_mut().zip(&self.size).rev() {
                *index += 1;
                if *index < extent {
                    break;
                }
                *index = 0;
            }
        }
        Ok(())
    }
}
