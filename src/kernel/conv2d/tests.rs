//! Plans of convolutions, without a device.

use super::*;
use crate::gpu::{Cooperative, Gathers};
use crate::kernel::checks::Exhibit;
use crate::op::MaxPool2d;

pub(crate) fn exhibit() -> Exhibit {
    let op = Conv2d::new([3, 3]).pad(1).relu();
    let odd = Conv2d::new([2, 5]).stride([3, 1]).dilation([1, 2]).groups(2);
    let bias = Some(Shape::vector(6));
    let plain = |&variant| plan(&op, [2, 3, 9, 7].into(), [6, 3, 3, 3].into(), bias, Some(variant), &Caps::WEBGPU);
    let odd = |variant| plan(&odd, [1, 4, 11, 13].into(), [6, 2, 2, 5].into(), None, Some(variant), &Caps::WEBGPU);
    let shapes = ([2, 3, 9, 7].into(), [6, 3, 3, 3].into(), bias);
    let matrices = [[8, 8], [16, 32]].map(|[tile, lanes]| Caps {
        f16: true,
        cooperative: Some(Cooperative { tile, lanes }),
        ..Caps::WEBGPU
    });
    let cooperative = |caps| plan(&op, shapes.0, shapes.1, shapes.2, Some(Variant::Cooperative), caps);
    let half = |(variant, caps)| {
        [Form::Halves, Form::HalvesToWords].map(|form| plan_half(&op, shapes, form, Some(variant), caps))
    };
    let halves = [Variant::Tiled, Variant::Staged].map(|variant| (variant, &Caps::WEBGPU)).into_iter();
    let halves = halves.chain(matrices.iter().map(|caps| (Variant::Cooperative, caps)));
    let special = [Variant::Cooperative, Variant::SplitK, Variant::Depthwise, Variant::DotProduct];
    let everywhere = Variant::ALL.iter().filter(|variant| !special.contains(variant)).map(plain);
    // Products of many tiles and of few, with and without integers of 64 bits.
    let pairs = [
        (false, Variant::WinogradF4),
        (true, Variant::WinogradF4),
        (true, Variant::WinogradF2),
        (true, Variant::Tiled),
    ];
    let pairs = pairs.map(|(int64, variant)| {
        let caps = Caps { software: true, int64, ..Caps::WEBGPU };
        plan(&op, shapes.0, shapes.1, shapes.2, Some(variant), &caps)
    });
    // Enough channels and tiles for subgroups to share them.
    let caps = Caps { software: true, int64: true, subgroup: Some(8), ..Caps::WEBGPU };
    let shared = plan(&op, [1, 3, 40, 41].into(), [37, 3, 3, 3].into(), None, Some(Variant::WinogradF4), &caps);
    let shared_tiled = [(8, 128), (32, 1024)].map(|(side, outputs)| {
        let (input, weight) = ([1, 32, side, side].into(), [outputs, 32, 1, 1].into());
        plan(&Conv2d::new([1, 1]), input, weight, None, Some(Variant::Tiled), &caps)
    });
    // Where gathers are fast: few tiles and many.
    let caps = Caps { gathers: Gathers::Fast, ..caps };
    let gathered = [(13, Variant::WinogradF4), (40, Variant::WinogradF4), (40, Variant::Tiled)]
        .map(|(side, variant)| plan(&op, [1, 3, side, side].into(), [37, 3, 3, 3].into(), None, Some(variant), &caps));
    // Enough channels for a GPU to stage products, of few tiles and of many, in one piece and in several.
    let staged = [(8, 33, Variant::WinogradF4), (40, 128, Variant::WinogradF2), (90, 100, Variant::WinogradPieces)];
    let staged = staged.map(|(side, outputs, variant)| {
        let (input, weight) = ([1, 3, side, side].into(), [outputs, 3, 3, 3].into());
        plan(&op, input, weight, None, Some(variant), &Caps::WEBGPU)
    });
    // Tiles of 8x8 cells that give other numbers of rows and columns, the fewest and the most among them.
    let eights = [[2, 7], [7, 2], [4, 5], [6, 4], [5, 6]].into_iter().flat_map(|kernel| {
        let (op, weight) = (Conv2d::new(kernel).pad(3), [6, 3, kernel[0], kernel[1]].into());
        [false, true].map(|software| {
            let caps = Caps { software, ..Caps::WEBGPU };
            plan(&op, shapes.0, weight, bias, Some(Variant::WinogradEight), &caps)
        })
    });
    let plans = everywhere
        .chain(pairs)
        .chain([shared])
        .chain(shared_tiled)
        .chain(gathered)
        .chain(staged)
        .chain(eights)
        .chain([Variant::Direct, Variant::Tiled, Variant::Staged].map(odd));
    let plans = plans.chain(matrices.iter().map(cooperative)).chain(halves.flat_map(half));
    let apart = Conv2d::new([2, 3]).pad(1).groups(3);
    let apart = plan(&apart, [2, 3, 9, 7].into(), [6, 1, 2, 3].into(), bias, Some(Variant::Depthwise), &Caps::WEBGPU);
    // More channels than an invocation of the plainest kernel has, and cells for a workgroup.
    let several = ([1, 3, 12, 24].into(), [21, 3, 3, 3].into(), None);
    let several_half = [Form::Halves, Form::HalvesToWords]
        .map(|form| plan_half(&op, several, form, Some(Variant::Direct), &Caps::WEBGPU));
    let several = plan(&op, several.0, several.1, several.2, Some(Variant::Direct), &Caps::WEBGPU);
    let covered = Conv2d::new([3, 2]).groups(2).relu();
    let covered =
        plan(&covered, [2, 4, 3, 2].into(), [6, 2, 3, 2].into(), bias, Some(Variant::DotProduct), &Caps::WEBGPU);
    let covered_half = [Form::Halves, Form::HalvesToWords].map(|form| {
        let shapes = ([2, 5, 3, 2].into(), [6, 5, 3, 2].into(), bias);
        plan_half(&Conv2d::new([3, 2]), shapes, form, None, &Caps::WEBGPU)
    });
    let plans = plans.chain([apart, several, covered]).chain(several_half).chain(covered_half);
    let long = ([2, 33, 9, 7].into(), [6, 33, 3, 3].into());
    let fours = plan(&op, [1, 33, 8, 6].into(), long.1, bias, Some(Variant::SplitK), &Caps::WEBGPU);
    let plans = plans.chain([plan(&op, long.0, long.1, bias, Some(Variant::SplitK), &Caps::WEBGPU), fours]);
    let long_half = |caps| {
        [Form::Halves, Form::HalvesToWords].map(|form| {
            plan_half(&op, ([2, 230, 9, 7].into(), [6, 230, 3, 3].into(), bias), form, Some(Variant::Cooperative), caps)
        })
    };
    let plans = plans.chain(matrices.iter().flat_map(long_half));
    let pooled = |(variant, switches)| {
        let pooling = Pooling { op: MaxPool2d::new([2, 2]).ceil(), switches };
        plan_pooled(&op, pooling, ([2, 3, 9, 7].into(), [6, 3, 3, 3].into(), bias), variant, &Caps::WEBGPU)
    };
    let forms = |variant| [None, Some(Storage::Words), Some(Storage::Compact)].map(|form| (variant, form));
    let filterings = [Variant::WinogradF2, Variant::WinogradF4, Variant::WinogradPieces, Variant::WinogradEight];
    let plans = plans.chain(filterings.into_iter().flat_map(forms).map(pooled));
    let pooled_half = |(variant, switches), caps: &Caps| {
        let pooling = Pooling { op: MaxPool2d::new([2, 2]).ceil(), switches };
        plan_half_pooled(&op, pooling, shapes, Some(variant), caps)
    };
    let plain = [Variant::Tiled, Variant::Staged].into_iter().flat_map(forms);
    let plans = plans.chain(plain.map(|way| pooled_half(way, &Caps::WEBGPU)));
    let by_matrices = |caps| forms(Variant::Cooperative).map(|way| pooled_half(way, caps));
    let plans = plans.chain(matrices.iter().flat_map(by_matrices));
    let params = [
        direct::params_exhibited(),
        depthwise::params_exhibited(),
        dot_product::params_exhibited(),
        forms::params_exhibited(),
        pack::params_exhibited(),
        winograd::kernels::params_exhibited(),
        parts::params_exhibited(),
        cooperative::params_exhibited(),
    ];
    Exhibit { params: params.concat(), plans: plans.collect() }
}

/// The named problem of `tests/common/problem` that exists for this must not miss it.
#[test]
#[allow(clippy::unwrap_used, reason = "a test")]
fn a_long_sum_is_cut_into_dispatches_on_a_cpu_driver() {
    let op = Conv2d::new([7, 7]).pad(1).relu();
    let shapes = ([1, 94, 6, 7].into(), [29, 94, 7, 7].into(), Some(Shape::vector(29)));
    let runs = |software| {
        let caps = Caps { software, ..Caps::WEBGPU };
        plan(&op, shapes.0, shapes.1, shapes.2, Some(Variant::Tiled), &caps).unwrap().run.len()
    };
    assert_eq!([runs(true), runs(false)], [3, 1]);
}

/// Where subgroups share cells: FCN's fc7 and layers like it, of as many workgroups.
#[test]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
fn many_output_channels_are_computed_64_at_a_time() {
    let caps = Caps { software: true, int64: true, subgroup: Some(8), ..Caps::WEBGPU };
    for (side, outputs, rows) in
        [(16, 4096, 64.0), (8, 4096, 32.0), (16, 3968, 64.0), (16, 2048, 32.0), (32, 1024, 64.0), (32, 960, 32.0)]
    {
        let (input, weight) = ([1, 512, side, side].into(), [outputs, 512, 1, 1].into());
        let plan = plan(&Conv2d::new([1, 1]), input, weight, None, Some(Variant::Tiled), &caps).unwrap();
        let [step] = plan.run.as_slice() else { panic!("{outputs} @{side}: one dispatch") };
        assert!(step.constants.contains(&("ROWS", rows)), "{outputs} @{side}: {:?}", step.constants);
    }
}

/// On GPUs few input channels go by `Direct` in f16, whose weights stay as they are, and whose pooling stays apart; on CPU drivers both
/// end in one product.
#[test]
#[allow(clippy::unwrap_used, reason = "a test")]
fn few_input_channels_in_f16() {
    let op = Conv2d::new([3, 3]).pad(1).relu();
    let shapes = ([1, 3, 224, 224].into(), [64, 3, 3, 3].into(), Some(Shape::vector(64)));
    let pooling = Pooling { op: MaxPool2d::new([2, 2]), switches: None };
    for (software, variant) in [(false, Variant::Direct), (true, Variant::Tiled)] {
        let caps = Caps { software, ..Caps::WEBGPU };
        let plan = plan_half(&op, shapes, Form::Halves, None, &caps).unwrap();
        assert_eq!((plan.variant, plan.half_weight), (variant.name(), software));
        let pooled = plan_half_pooled(&op, pooling, shapes, None, &caps);
        assert_eq!(pooled.map(|plan| plan.variant).ok(), software.then_some(variant.name()));
    }
}

/// FCN's fc6: 128 blocks of 32 channels, each of 64 positions of 512 x 32 weights, which take 4 MiB.
#[test]
#[allow(clippy::unwrap_used, reason = "a test")]
fn weights_beyond_a_binding_are_transformed_into_runs_of_blocks() {
    let (op, shapes) = (Conv2d::new([7, 7]).relu(), ([1, 512, 22, 22].into(), [4096, 512, 7, 7].into()));
    let caps = Caps { software: true, ..Caps::WEBGPU };
    let plan = plan(&op, shapes.0, shapes.1, None, Some(Variant::WinogradEight), &caps).unwrap();
    let persistent: Vec<u64> =
        plan.scratch.iter().filter(|scratch| scratch.persistent).map(|scratch| 4 * scratch.words).collect();
    assert_eq!((plan.prepare.len(), persistent), (4, vec![128 << 20; 4]));
    assert_eq!(plan.filtering, Some([[2, 7], [2, 7]]));
    // 8x8 tiles of 2x2 cells, which fill two workgroups of eight lanes.
    assert_eq!(plan.executed_macs, 64 * 64 * 512 * 4096);
}
