//! Factors along one axis of a stored tensor, applied as it is decoded: a batch norm becomes part of a filter without a
//! second copy of it.

use std::sync::Arc;

use super::{Weights, dims, quoted};
use crate::error::{Error, Result};

/// A factor for each position along an axis.
#[derive(Debug)]
pub(super) struct Scaling {
    factors: Vec<f64>,
    /// Elements from one position along the axis to the next.
    step: usize,
}

/// Bit for bit: zeros of the other sign make other products.
impl PartialEq for Scaling {
    fn eq(&self, other: &Self) -> bool {
        let bits = |scaling: &Self| scaling.factors.iter().map(|factor| factor.to_bits()).collect::<Vec<_>>();
        self.step == other.step && bits(self) == bits(other)
    }
}

impl Scaling {
    /// The factor of the element at a flat position.
    pub(super) fn factor(&self, position: usize) -> f64 {
        self.factors[position / self.step % self.factors.len()]
    }
}

impl Weights {
    /// Multiplies a tensor by a factor for each position along one of its stored axes: of a convolution's weight axis 0 is
    /// the output channels, of a transposed one's axis 1. The stored values stay as they are; products are made in f64
    /// and rounded once, whenever they are decoded.
    ///
    /// # Errors
    /// [`Error::Weights`] for a missing name, or an axis of another extent than there are factors.
    pub fn scale_axis(&mut self, name: &str, axis: usize, factors: &[f64]) -> Result<()> {
        let Some(entry) = self.entries.get_mut(name) else { return Err(self.missing(name)) };
        if factors.is_empty() || entry.shape.get(axis) != Some(&factors.len()) {
            let (name, found, expected) = (quoted(name), dims(&entry.shape), factors.len());
            return Err(Error::Weights(format!(
                "{name} is {found}, expected {expected} along axis {axis} to scale it"
            )));
        }
        let step = entry.shape[axis + 1..].iter().product();
        entry.scalings.push(Arc::new(Scaling { factors: factors.to_vec(), step }));
        Ok(())
    }
}
