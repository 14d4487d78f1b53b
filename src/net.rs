//! Published networks as graphs: the fully convolutional networks on VGG16 and on AlexNet, VGG16 itself made fully
//! convolutional, and the networks that unpool: SegNet and DeconvNet.
//!
//! Channel widths and class counts come from the weights, so a slim network is just a smaller file:
//!
//! ```no_run
//! use switchback::{net::{Fcn, Head}, weights::Weights};
//! let weights = Weights::open("fcn8s.safetensors")?;
//! let graph = Fcn::from_weights(Head::Stride8, &weights)?.graph_from_image([375, 500])?;
//! # Ok::<(), switchback::Error>(())
//! ```

mod alexnet;
mod coordinates;
mod deconv_view;
mod deconvnet;
mod fcn;
mod layers;
mod located;
mod norm;
mod region;
mod segmentation;
mod segnet;
mod vgg16;

pub use alexnet::FcnAlexNet;
pub use coordinates::CoordinateMap;
pub use deconv_view::{Activation, DeconvView, Sight, plate};
pub use deconvnet::{DeconvNet, Proposals};
pub use fcn::{Fcn, Head};
pub use region::Region;
pub use segmentation::Segmentation;
pub use segnet::{SegNet, SegNetBasic};
pub use vgg16::Vgg16;
