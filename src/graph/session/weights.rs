//! One network's weights on a device, for sessions at several extents.

use super::kept::Kept;
use crate::gpu::Gpu;
use crate::weights::Weights;

/// One network's weights on a device: whatever graphs are compiled with them share what they have in common of them.
///
/// A graph has the extent of its input, so that photographs of several sizes take a session each; moving the weights to the
/// device and packing them, into the order in which kernels read them, is most of what such a session costs.
///
/// ```no_run
/// use switchback::{Gpu, image, net::{Fcn, Head}, weights::Weights};
/// let weights = Weights::open("fcn8s.safetensors")?;
/// let network = Fcn::from_weights(Head::Stride8, &weights)?;
/// let mut weights = Gpu::new()?.weights(&weights);
/// for name in ["upright.jpg", "wide.jpg"] {
///     let photo = image::load(name)?;
///     let mut session = weights.compile(&network.labels_from_image(photo.extent())?)?;
///     let labels = session.run(&photo)?.argmax_channels()?;
/// }
/// # Ok::<(), switchback::Error>(())
/// ```
///
/// # What is shared
///
/// What is equal word for word: a weight as it is, where the same words of it are read; a packed one, where the same dispatches
/// pack the same numbers. Kernels are chosen by extent, and some pack in an order of their own, so that two sessions may have
/// few layers that differ: FCN-8s' `conv5_1` to `conv5_3` at 281x500 and 375x500, say. What is
/// [folded](crate::Graph::fold) into a weight is part of its numbers: of a graph with the batch norm behind a convolution and
/// one without, each gets its own. A session is the same, bit for bit, whoever compiles it.
///
/// # What it takes
///
/// Sessions own what they read together with the others that read it, and may outlive this value. It keeps alive what the
/// session that was compiled last reads, so that this one may end before the next is compiled: its
/// [`weight_bytes`](crate::graph::Plan::weight_bytes), 976 MiB for FCN-8s in f32 on a CPU driver. So there are never more on
/// the device than living sessions read and those of the last; what only the one before read is freed before anything is
/// packed.
#[derive(Debug)]
pub struct GpuWeights {
    pub(super) gpu: Gpu,
    pub(super) weights: Weights,
    pub(super) kept: Kept,
}

impl Gpu {
    /// These weights for graphs to be compiled with by this clone, with the variants and [elements](Gpu::with_elements) that it
    /// asks for. Nothing is on the device before the first is.
    #[must_use]
    pub fn weights(&self, weights: &Weights) -> GpuWeights {
        GpuWeights { gpu: self.clone(), weights: weights.clone(), kept: Kept::default() }
    }
}

impl GpuWeights {
    /// The device.
    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The weights as they were given.
    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }
}
