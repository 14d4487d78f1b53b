//! Plans of transposed convolutions, without a device.

use super::gather::GATHER;
use super::scatter::{FINISH, SCATTER, SCATTER_EXCHANGE};
use super::zero_insert::{FLIP, STRETCH};
use super::*;
use crate::kernel::checks::{Exhibit, constant};

/// Plans that between them run every kernel, whole and split.
pub(crate) fn exhibit() -> Exhibit {
    let plain = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    let odd = ConvTranspose2d::new([2, 5]).stride([6, 3]).dilation([4, 1]).groups(2).output_padding([1, 2]).relu();
    let atomics = Caps { float_atomics: true, ..Caps::WEBGPU };
    let tiny = Caps { max_binding_bytes: 4096, storage_alignment: 64, ..Caps::WEBGPU };
    let mut plans = Vec::new();
    for &variant in Variant::ALL {
        for caps in [&Caps::WEBGPU, &atomics] {
            plans.push(plan(&plain, [1, 3, 5, 7].into(), [3, 9, 4, 4].into(), None, Some(variant), caps));
            let bias = Some(Shape::vector(6));
            plans.push(plan(&odd, [2, 4, 3, 5].into(), [4, 3, 2, 5].into(), bias, Some(variant), caps));
        }
    }
    let bias = Some(Shape::vector(9));
    plans.push(plan(&plain, [1, 11, 2, 3].into(), [11, 9, 4, 4].into(), bias, Some(Variant::Gather), &tiny));
    let params = vec![
        (&GATHER, gather::Params::FIELDS),
        (&SCATTER, scatter::Params::FIELDS),
        (&SCATTER_EXCHANGE, scatter::Params::FIELDS),
        (&FINISH, scatter::FinishParams::FIELDS),
        (&STRETCH, zero_insert::StretchParams::FIELDS),
        (&FLIP, zero_insert::FlipParams::FIELDS),
    ];
    Exhibit { params, plans }
}

#[test]
fn blocks_fit_the_shaders_arrays() {
    assert_eq!(constant(&GATHER, "MOST_CHANNELS"), gather::MOST_CHANNELS);
    assert_eq!(constant(&SCATTER_EXCHANGE, "MOST_CHANNELS"), scatter::MOST_CHANNELS);
}
