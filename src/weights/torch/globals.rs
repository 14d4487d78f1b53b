//! The functions and classes that a pickle may name: all of them, and what is said about any other.

use std::fmt;

/// What to do about a checkpoint that holds more than tensors.
pub(super) const WAY_OUT: &str = "save the state dict alone, as in torch.save(model.state_dict(), path)";

/// A name that is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`, and the older one without the last arguments.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.FloatStorage`
    F32,
    /// `torch.HalfStorage`
    F16,
    /// `torch.BFloat16Storage`
    Bf16,
    /// `torch.DoubleStorage`
    F64,
    /// The storages of whole numbers and of truth values: counters, not weights.
    Integers {
        /// Bytes of each.
        bytes: u8,
    },
    /// What makes NumPy's scalars, such as a best score beside the weights.
    Opaque,
}

/// Every name that is let in.
const ALLOWED: [(&str, &str, Global); 20] = [
    ("collections", "OrderedDict", Global::OrderedDict),
    ("torch._utils", "_rebuild_tensor_v2", Global::RebuildTensor),
    ("torch._utils", "_rebuild_tensor", Global::RebuildTensor),
    ("torch._utils", "_rebuild_parameter", Global::RebuildParameter),
    ("torch", "FloatStorage", Global::F32),
    ("torch", "HalfStorage", Global::F16),
    ("torch", "BFloat16Storage", Global::Bf16),
    ("torch", "DoubleStorage", Global::F64),
    ("torch", "LongStorage", Global::Integers { bytes: 8 }),
    ("torch", "IntStorage", Global::Integers { bytes: 4 }),
    ("torch", "ShortStorage", Global::Integers { bytes: 2 }),
    ("torch", "CharStorage", Global::Integers { bytes: 1 }),
    ("torch", "ByteStorage", Global::Integers { bytes: 1 }),
    ("torch", "BoolStorage", Global::Integers { bytes: 1 }),
    ("numpy.core.multiarray", "scalar", Global::Opaque),
    ("numpy._core.multiarray", "scalar", Global::Opaque),
    ("numpy", "dtype", Global::Opaque),
    ("numpy.dtypes", "Float64DType", Global::Opaque),
    ("_codecs", "encode", Global::Opaque),
    ("torch", "Size", Global::Opaque),
];

impl Global {
    pub(super) fn find(module: &str, name: &str) -> Option<Self> {
        let found = ALLOWED.iter().find(|(allowed, names, _)| (*allowed, *names) == (module, name));
        found.map(|&(_, _, global)| global)
    }

    /// Bytes of each number, of a storage.
    pub(super) fn number_bytes(self) -> Option<usize> {
        match self {
            Self::F16 | Self::Bf16 => Some(2),
            Self::F32 => Some(4),
            Self::F64 => Some(8),
            Self::Integers { bytes } => Some(bytes.into()),
            _ => None,
        }
    }
}

impl fmt::Display for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ALLOWED.iter().find(|(_, _, global)| global == self) {
            Some((module, name, _)) => write!(f, "{module}.{name}"),
            None => f.write_str("a function"),
        }
    }
}

/// Why a name is not let in.
pub(super) fn refusal(module: &str, name: &str) -> String {
    let name = super::super::quoted(&format!("{module}.{name}"));
    format!("it names {name}, which reading weights does not need and which could run anything; {WAY_OUT}")
}
