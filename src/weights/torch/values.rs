//! What a pickle holds. Values live in one flat list and refer to each other by position: neither deep nesting nor a cycle
//! costs stack, and a value that is put in twice is not copied.

use super::globals::Global;

/// Position of a value.
pub(super) type Id = usize;

/// What a pickle is made of.
#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool,
    /// Whole numbers of up to 128 bits.
    Int(i128),
    /// Longer ones, fractions and byte strings: nothing here needs their value.
    Opaque,
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    Tensor(Tensor),
}

impl Value {
    /// Values that it lists.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::List(items) => items.len(),
            Self::Dict(items) => items.len(),
            _ => 0,
        }
    }
}

/// A run of numbers in a record of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Storage {
    pub(super) kind: Global,
    /// Name of the record.
    pub(super) key: String,
    /// How many numbers it is said to hold.
    pub(super) count: i128,
}

/// A view of a storage, as claimed: nothing of it is checked yet.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) storage: Id,
    pub(super) offset: i128,
    pub(super) size: Vec<i128>,
    pub(super) stride: Vec<i128>,
}

/// All values of a pickle, and which of them is its result.
#[derive(Debug)]
pub(super) struct Pickle {
    pub(super) values: Vec<Value>,
    pub(super) result: Id,
    /// Bytes of the pickle, up to its end.
    pub(super) length: usize,
}

impl Pickle {
    /// Every storage that it names.
    pub(super) fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.values.iter().filter_map(|value| match value {
            Value::Storage(storage) => Some(storage),
            _ => None,
        })
    }

    pub(super) fn value(&self, id: Id) -> &Value {
        &self.values[id]
    }
}
