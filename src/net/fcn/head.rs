//! The four ways back up from stride 32 to the image.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::op::ConvTranspose2d;

/// Which of the family: how fine the coarsest map is that is upsampled in one step, and how skips are scaled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Head {
    /// FCN-32s: scores at stride 32 go back to the image in one step.
    Stride32,
    /// FCN-16s: scores of `pool4` join at stride 16.
    Stride16,
    /// FCN-8s: scores of `pool4` join at stride 16 and those of `pool3` at stride 8.
    Stride8,
    /// FCN-8s-at-once: as FCN-8s, with `pool4` scaled by 0.01 and `pool3` by 0.0001 before they are scored, so that it
    /// can be trained in one stage.
    Stride8AtOnce,
}

/// A pooled map that is scored and joins on the way up.
pub(super) struct Tap {
    /// Number of the pooling, from 1.
    pub(super) pool: usize,
    /// Position of the convolution before it, whose width it has.
    pub(super) layer: usize,
    /// Name of the convolution that scores it.
    pub(super) score: &'static str,
    /// Name of the sum.
    pub(super) fuse: &'static str,
    /// Name and factor of FCN-8s-at-once's scaling.
    pub(super) scale: (&'static str, f32),
}

/// A transposed convolution whose kernel is twice its stride.
pub(super) struct Upsampling {
    pub(super) name: &'static str,
    pub(super) stride: usize,
}

const TAPS: [Tap; 2] = [
    Tap { pool: 4, layer: 9, score: "score_pool4", fuse: "fuse_pool4", scale: ("scale_pool4", 0.01) },
    Tap { pool: 3, layer: 6, score: "score_pool3", fuse: "fuse_pool3", scale: ("scale_pool3", 0.0001) },
];

impl Head {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Stride32, Self::Stride16, Self::Stride8, Self::Stride8AtOnce];

    /// Its name on the command line: `fcn32s`, `fcn16s`, `fcn8s`, `fcn8s-atonce`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stride32 => "fcn32s",
            Self::Stride16 => "fcn16s",
            Self::Stride8 => "fcn8s",
            Self::Stride8AtOnce => "fcn8s-atonce",
        }
    }

    /// Its name in the literature.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Stride32 => "FCN-32s",
            Self::Stride16 => "FCN-16s",
            Self::Stride8 => "FCN-8s",
            Self::Stride8AtOnce => "FCN-8s-at-once",
        }
    }

    /// The maps that join on the way up, coarse to fine.
    pub(super) const fn taps(self) -> &'static [Tap] {
        match self {
            Self::Stride32 => &[],
            Self::Stride16 => std::slice::from_ref(&TAPS[0]),
            Self::Stride8 | Self::Stride8AtOnce => &TAPS,
        }
    }

    /// The steps up, coarse to fine: one before each tap, and a last one to the image.
    pub(super) const fn upsamplings(self) -> &'static [Upsampling] {
        match self {
            Self::Stride32 => &[Upsampling { name: "upscore", stride: 32 }],
            Self::Stride16 => {
                &[Upsampling { name: "upscore2", stride: 2 }, Upsampling { name: "upscore16", stride: 16 }]
            }
            Self::Stride8 | Self::Stride8AtOnce => &[
                Upsampling { name: "upscore2", stride: 2 },
                Upsampling { name: "upscore_pool4", stride: 2 },
                Upsampling { name: "upscore8", stride: 8 },
            ],
        }
    }
}

impl Upsampling {
    pub(super) const fn kernel(&self) -> usize {
        2 * self.stride
    }

    pub(super) const fn op(&self) -> ConvTranspose2d {
        ConvTranspose2d::new([self.kernel(); 2]).stride([self.stride; 2])
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().copied().find(|head| head.name() == text);
        let names = || Self::ALL.iter().map(|head| head.name()).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| Error::parameter("fcn", "head", names(), text))
    }
}
