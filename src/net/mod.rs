//! Published networks as graphs: the fully convolutional networks on VGG16, and VGG16 itself made fully convolutional.
//!
//! Channel widths and class counts come from the weights, so a slim network is just a smaller file:
//!
//! ```no_run
//! use switchback::{net::{Fcn, Head}, weights::Weights};
//! let weights = Weights::open("fcn8s.safetensors")?;
//! let graph = Fcn::from_weights(Head::Stride8, &weights)?.graph_from_image([375, 500])?;
//! # Ok::<(), switchback::Error>(())
//! ```

mod coordinates;
mod fcn;
mod layers;
mod vgg16;

pub use coordinates::CoordinateMap;
pub use fcn::{Fcn, Head};
pub use vgg16::Vgg16;
