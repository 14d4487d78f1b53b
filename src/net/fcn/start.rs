//! Weights to train an FCN from.

use super::{Fcn, Head, NAMES};
use crate::bilinear::bilinear_weight;
use crate::error::Result;
use crate::net::layers::Layers;
use crate::tensor::Tensor;
use crate::weights::{Weights, vgg};

impl Fcn {
    /// What training starts from: VGG16's convolutions with its fully connected layers turned into such, score layers
    /// of zeros, and bilinear upsampling on the channel diagonal of a dense weight.
    ///
    /// `vgg16` has torchvision's names and any widths ([`vgg::backbone`], whose notes on preprocessing apply). Its values
    /// are shared, not copied.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] that lists what `vgg16` lacks or has too much; [`crate::Error::Operand`] for no classes.
    pub fn starting_weights(head: Head, vgg16: &Weights, classes: usize) -> Result<Weights> {
        let mut weights = vgg::backbone(vgg16)?;
        let fcn = Self { layers: Layers::read(&NAMES, &weights, classes), ..Self::published(head, classes) };
        for (name, shape) in fcn.weights_required() {
            if name.starts_with("score") {
                weights.insert(name, &Tensor::zeros(shape)?);
            } else if name.starts_with("upscore") {
                weights.insert(name, &bilinear_weight(shape)?);
            }
        }
        weights.check(head.title(), fcn.weights_required())?;
        Ok(weights)
    }
}
