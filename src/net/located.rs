//! A value on its way through a network, and where its cells lie over the image, from which crops follow.

use super::CoordinateMap;
use crate::error::Result;
use crate::graph::{Edge, GraphBuilder, Parameters};
use crate::op::{Conv2d, ConvTranspose2d, Crop, MaxPool2d};

/// An edge, and the map from the image's cells to its own.
#[derive(Clone, Copy)]
pub(super) struct Located {
    pub(super) edge: Edge,
    pub(super) map: CoordinateMap,
}

impl Located {
    /// The image itself.
    pub(super) fn image(edge: Edge) -> Self {
        Self { edge, map: CoordinateMap::IDENTITY }
    }

    pub(super) fn conv2d(self, g: &mut GraphBuilder, name: &str, op: Conv2d, outputs: usize) -> Result<Self> {
        Ok(Self { edge: g.conv2d(name, self.edge, op, outputs)?, map: self.map.conv2d(&op) })
    }

    pub(super) fn max_pool2d(self, g: &mut GraphBuilder, name: &str, op: MaxPool2d) -> Result<Self> {
        Ok(Self { edge: g.max_pool2d(name, self.edge, op)?, map: self.map.max_pool2d(&op) })
    }

    /// Without a bias.
    pub(super) fn upsample(
        self,
        g: &mut GraphBuilder,
        name: &str,
        op: ConvTranspose2d,
        outputs: usize,
    ) -> Result<Self> {
        let parameters = Parameters::named(name).without_bias();
        let edge = g.conv_transpose2d_with(name, self.edge, op, outputs, parameters)?;
        Ok(Self { edge, map: self.map.conv_transpose2d(&op) })
    }

    /// Cropped to where the image is.
    pub(super) fn crop_to_image(self, g: &mut GraphBuilder, name: &str, image: Edge) -> Result<Edge> {
        let offset = self.map.crop_offset(&CoordinateMap::IDENTITY)?;
        let extent = g.shape(image)?.extent();
        g.crop(name, self.edge, Crop::new(offset, extent))
    }
}
