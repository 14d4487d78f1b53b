//! Max unpooling.

use crate::error::Result;
use crate::op::MaxUnpool2d;
use crate::tensor::{Switches, Tensor};

/// [`MaxUnpool2d`] of `x`: its values go back to where the switches say, over zeros.
///
/// # Errors
/// As [`MaxUnpool2d::output_shape`].
pub fn max_unpool2d(op: &MaxUnpool2d, x: &Tensor, switches: &Switches) -> Result<Tensor> {
    let shape = op.output_shape(x.shape(), switches.shape(), switches.origin())?;
    let width = switches.origin()[1];
    let mut y = Tensor::zeros(shape)?;
    for (position, (&value, &switch)) in x.data().iter().zip(switches.indices()).enumerate() {
        let [n, c, _, _] = x.shape().position(position);
        let (row, column) = (switch as usize / width, switch as usize % width);
        y.data_mut()[shape.index([n, c, row, column])] = value; // of several, the last in raster order stays
    }
    Ok(y)
}
