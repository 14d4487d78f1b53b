//! Element types of stored weights, and the way between their bytes and f32.

use half::{bf16, f16};

/// How a weight's numbers are stored; they are always computed with as f32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Element {
    /// IEEE binary32, four bytes.
    #[default]
    F32,
    /// IEEE binary16, two bytes: largest value 65504.
    F16,
    /// The upper half of a binary32, two bytes: f32's range with 8 significant bits.
    Bf16,
}

impl Element {
    /// Bytes of one element.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Its name in a safetensors file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    /// Little-endian bytes as f32, exactly; `bytes` holds whole elements.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => words(bytes).map(f32::from_le_bytes).collect(),
            Self::F16 => words(bytes).map(|word| f16::from_le_bytes(word).to_f32()).collect(),
            Self::Bf16 => words(bytes).map(|word| bf16::from_le_bytes(word).to_f32()).collect(),
        }
    }

    /// Appends `values` as little-endian bytes, rounded to nearest even; gives the position of the first finite value
    /// that this type cannot hold, where it stops.
    #[cfg(feature = "safetensors")]
    pub(super) fn encode(self, values: &[f32], bytes: &mut Vec<u8>) -> Result<(), usize> {
        bytes.reserve(values.len() * self.bytes());
        for (position, &value) in values.iter().enumerate() {
            let rounded = match self {
                Self::F32 => {
                    bytes.extend(value.to_le_bytes());
                    value
                }
                Self::F16 => {
                    let rounded = f16::from_f32(value);
                    bytes.extend(rounded.to_le_bytes());
                    rounded.to_f32()
                }
                Self::Bf16 => {
                    let rounded = bf16::from_f32(value);
                    bytes.extend(rounded.to_le_bytes());
                    rounded.to_f32()
                }
            };
            if rounded.is_infinite() && value.is_finite() {
                return Err(position);
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}
