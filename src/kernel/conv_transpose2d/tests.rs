//! Plans of transposed convolutions, without a device.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::gather::GATHER;
use super::interleaved::PHASE_WEIGHT;
use super::interpolate::{INTERPOLATE, INTERPOLATE_ARGMAX, INTERPOLATE_ARGMAX_HALF, INTERPOLATE_HALF};
use super::packed::{PACK, PACK_HALF, PACK_SHARED_PHASES};
use super::phased::{PHASED, PHASED_GATHERED, PHASED_U64};
use super::scatter::{FINISH, SCATTER, SCATTER_EXCHANGE};
use super::shared_phases::{ROWS, SHARED_PHASES, SHARED_PHASES_GATHERED, SHARED_PHASES_U64, STAGED};
use super::zero_insert::{FLIP, STRETCH};
use super::*;
use crate::error::Error;
use crate::gpu::Gathers;
use crate::kernel::checks::{Exhibit, KINDS, constant};

/// Plans that between them run every kernel, whole and split.
pub(crate) fn exhibit() -> Exhibit {
    let plain = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    let odd = ConvTranspose2d::new([2, 5]).stride([6, 3]).dilation([4, 1]).groups(2).output_padding([1, 2]).relu();
    let atomics = Caps { float_atomics: true, ..Caps::WEBGPU };
    let tiny = Caps { max_binding_bytes: 4096, storage_alignment: 64, ..Caps::WEBGPU };
    let mut plans = Vec::new();
    let words = Caps { software: true, int64: true, ..Caps::WEBGPU };
    let general = [Variant::Gather, Variant::Scatter, Variant::ZeroInsert, Variant::Phased];
    for variant in general {
        for caps in [&Caps::WEBGPU, &atomics, &words] {
            plans.push(plan(&plain, [1, 3, 5, 7].into(), [3, 9, 4, 4].into(), None, Some(variant), caps));
            let bias = Some(Shape::vector(6));
            plans.push(plan(&odd, [2, 4, 3, 5].into(), [4, 3, 2, 5].into(), bias, Some(variant), caps));
        }
    }
    let same = ConvTranspose2d::new([3, 3]).pad(1);
    for variant in
        [Variant::Flipped, Variant::FlippedSplitK, Variant::FlippedF2, Variant::FlippedF4, Variant::FlippedPieces]
    {
        plans.push(plan(&same, [1, 33, 5, 7].into(), [33, 9, 3, 3].into(), None, Some(variant), &Caps::WEBGPU));
    }
    for caps in [&Caps::WEBGPU, &words] {
        plans.push(plan(&odd, [2, 4, 1, 1].into(), [4, 3, 2, 5].into(), None, Some(Variant::Product), caps));
        for form in [Form::Halves, Form::HalvesToWords] {
            let shapes = ([2, 6, 1, 1].into(), [6, 9, 4, 4].into(), Some(Shape::vector(9)));
            plans.push(plan_half(&plain, shapes, form, None, caps));
        }
    }
    let pairs = ConvTranspose2d::new([4, 6]).stride([2, 3]).groups(2).pad(1).output_padding([1, 2]).relu();
    for (op, input, channels) in [(&plain, [1, 3, 5, 7], 9), (&pairs, [2, 4, 3, 5], 6)] {
        let (weight, bias) = (op.weight_shape(input[1], channels).unwrap(), Some(Shape::vector(channels)));
        for caps in [&Caps::WEBGPU, &words] {
            plans.push(plan(op, input.into(), weight, bias, Some(Variant::SharedPhases), caps));
        }
    }
    // Phases of many channels by one product.
    let twice = ConvTranspose2d::new([2, 2]).stride([2, 2]);
    plans.push(plan(&twice, [1, 64, 9, 8].into(), [64, 64, 2, 2].into(), None, Some(Variant::Phased), &Caps::WEBGPU));
    // Enough rows and windows for subgroups to share cells.
    let shares = Caps { subgroup: Some(8), ..words };
    let shared = plan(&plain, [1, 21, 9, 8].into(), [21, 21, 4, 4].into(), None, Some(Variant::SharedPhases), &shares);
    assert_eq!(shared.as_ref().unwrap().run[0].kernel.name, STAGED.name);
    plans.push(shared);
    // Where gathers are fast, and cells are not shared.
    let gathers = Caps { gathers: Gathers::Fast, uniform_loads: false, ..shares };
    plans.push(plan(&plain, [1, 3, 5, 7].into(), [3, 9, 4, 4].into(), None, Some(Variant::SharedPhases), &gathers));
    plans.push(plan(&odd, [2, 4, 3, 5].into(), [4, 3, 2, 5].into(), None, Some(Variant::Phased), &gathers));
    let apart = plain.groups(3);
    for caps in KINDS {
        let weight = [3, 1, 4, 4].into();
        plans.push(plan(&apart, [1, 3, 5, 7].into(), weight, None, Some(Variant::Interpolate), &caps));
        plans.push(plan_classes(&apart, [1, 3, 5, 7].into(), weight, None, false, &caps));
        plans.push(plan_classes(&apart, [1, 3, 5, 7].into(), weight, None, true, &caps));
        plans.push(plan_half(&apart, ([1, 3, 5, 7].into(), weight, None), Form::Halves, None, &caps));
        plans.push(plan_classes(&plain, [1, 21, 9, 8].into(), [21, 21, 4, 4].into(), None, false, &caps));
    }
    let matrices = [[8, 8], [16, 32]].map(|[tile, lanes]| Caps {
        f16: true,
        cooperative: Some(crate::gpu::Cooperative { tile, lanes }),
        ..Caps::WEBGPU
    });
    for (op, input, weight) in [(&plain, [1, 3, 5, 7], [3, 9, 4, 4]), (&odd, [2, 4, 3, 5], [4, 4, 2, 5])] {
        let (input, weight) = (input.into(), weight.into());
        for caps in &matrices {
            plans.push(plan(op, input, weight, None, Some(Variant::Cooperative), caps));
        }
        for form in [Form::Halves, Form::HalvesToWords] {
            let software = Caps { software: true, ..Caps::WEBGPU };
            for caps in matrices.iter().chain([&Caps::WEBGPU, &software]) {
                plans.push(plan_half(op, (input, weight, None), form, None, caps));
            }
        }
    }
    let one = ConvTranspose2d::new([3, 3]).pad(1);
    plans.push(plan_half(&one, ([1, 350, 6, 5].into(), [350, 8, 3, 3].into(), None), Form::Halves, None, &matrices[1]));
    let bias = Some(Shape::vector(9));
    plans.push(plan(&plain, [1, 11, 2, 3].into(), [11, 9, 4, 4].into(), bias, Some(Variant::Gather), &tiny));
    let mut params: Vec<_> =
        interpolate_pairs::KERNELS.iter().map(|&k| (k, interpolate_pairs::Params::FIELDS)).collect();
    params.extend(product::KERNELS.iter().map(|&k| (k, product::Params::FIELDS)));
    params.extend([
        (&GATHER, gather::Params::FIELDS),
        (&SCATTER, scatter::Params::FIELDS),
        (&SCATTER_EXCHANGE, scatter::Params::FIELDS),
        (&FINISH, scatter::FinishParams::FIELDS),
        (&STRETCH, zero_insert::StretchParams::FIELDS),
        (&FLIP, zero_insert::FlipParams::FIELDS),
        (&PHASED, phased::Params::FIELDS),
        (&PHASED_U64, phased::Params::FIELDS),
        (&PHASED_GATHERED, phased::Params::FIELDS),
        (&PACK, packed::PackParams::FIELDS),
        (&PACK_HALF, packed::PackParams::FIELDS),
        (&SHARED_PHASES, shared_phases::Params::FIELDS),
        (&SHARED_PHASES_U64, shared_phases::Params::FIELDS),
        (&SHARED_PHASES_GATHERED, shared_phases::Params::FIELDS),
        (&STAGED, shared_phases::Params::FIELDS),
        (&ROWS, shared_phases::Params::FIELDS),
        (&PACK_SHARED_PHASES, packed::PackParams::FIELDS),
        (&PHASE_WEIGHT, interleaved::WeightParams::FIELDS),
        (&INTERPOLATE, interpolate::Params::FIELDS),
        (&INTERPOLATE_HALF, interpolate::Params::FIELDS),
        (&INTERPOLATE_ARGMAX, interpolate::Params::FIELDS),
        (&INTERPOLATE_ARGMAX_HALF, interpolate::Params::FIELDS),
    ]);
    Exhibit { params, plans }
}

#[test]
fn blocks_fit_the_shaders_arrays() {
    assert_eq!(constant(&GATHER, "MOST_CHANNELS"), gather::MOST_CHANNELS);
    assert_eq!(constant(&SCATTER_EXCHANGE, "MOST_CHANNELS"), scatter::MOST_CHANNELS);
}

/// FCN-32s' upsampling: a kernel of twice the stride.
const UPSCORE32: ConvTranspose2d = ConvTranspose2d::new([64, 64]).stride([32, 32]);

fn upscore32(variant: Variant) -> KernelPlan {
    // 24 channels, so that blocks of 8 are full.
    plan(&UPSCORE32, [1, 24, 16, 16].into(), [24, 24, 64, 64].into(), None, Some(variant), &Caps::WEBGPU).unwrap()
}

#[test]
fn only_contributing_taps_are_computed() {
    // Every output cell of 544x544 inside the border has 2x2 taps, however large the kernel.
    let definition = UPSCORE32.cost([1, 24, 16, 16].into(), [24, 24, 64, 64].into(), None).unwrap().macs;
    assert_eq!(upscore32(Variant::Gather).executed_macs, definition);
    assert_eq!(upscore32(Variant::Scatter).executed_macs, definition);
    assert_eq!(upscore32(Variant::ZeroInsert).executed_macs, 544 * 544 * 24 * 24 * 64 * 64);
}

#[test]
fn phases_compute_their_own_taps_in_whole_tiles() {
    // 32x32 phases of 17x17 cells, rounded up to workgroups of 128; two taps a side; one block of 24 rows.
    assert_eq!(upscore32(Variant::Phased).executed_macs, 1024 * 384 * 2 * 2 * 24 * 24);
    // Kernel 3, stride 2: even rows have taps 0 and 2, odd ones tap 1. One tile of 32 cells a phase.
    let op = ConvTranspose2d::new([3, 1]).stride([2, 1]);
    let (variant, caps) = (Some(Variant::Phased), Caps { software: true, ..Caps::WEBGPU });
    let plan = plan(&op, [1, 4, 5, 7].into(), [4, 8, 3, 1].into(), None, variant, &caps).unwrap();
    assert_eq!(plan.executed_macs, (2 + 1) * 64 * 8 * 4);
}

#[test]
fn a_gpu_computes_phases_of_as_many_taps_together() {
    let planned = |op: ConvTranspose2d, software| {
        let (weight, caps) = (op.weight_shape(128, 128).unwrap(), Caps { software, ..Caps::WEBGPU });
        let plan = plan(&op, [1, 128, 28, 28].into(), weight, None, Some(Variant::Phased), &caps).unwrap();
        assert!(!plan.half_weight);
        plan.run[0].kernel.name
    };
    let (apart, together) = ("conv_transpose2d/phased", "conv2d/staged_phases");
    let up = ConvTranspose2d::new([2, 2]).stride([2, 2]);
    assert_eq!([true, false].map(|software| planned(up, software)), [apart, together]);
    assert_eq!(planned(ConvTranspose2d::new([6, 4]).stride([3, 2]), false), together);
    // Two and one taps a side; cells between taps that some phases do not have.
    assert_eq!(planned(ConvTranspose2d::new([3, 2]).stride([2, 2]), false), apart);
    assert_eq!(planned(up.dilation([2, 1]), false), apart);
}

#[test]
fn phases_that_share_cells_waste_no_channels() {
    let caps = Caps { software: true, ..Caps::WEBGPU };
    let executed = |op: &ConvTranspose2d, input: [usize; 4], channels| {
        let weight = op.weight_shape(input[1], channels).unwrap();
        plan(op, input.into(), weight, None, Some(Variant::SharedPhases), &caps).unwrap().executed_macs
    };
    // 64 phases of 21 channels are 42 blocks of 32 rows. 35 rows of nine runs of four windows, rounded up to workgroups of 8.
    let op = ConvTranspose2d::new([16, 16]).stride([8, 8]);
    assert_eq!(executed(&op, [1, 21, 34, 34], 21), 320 * 4 * 42 * 32 * 4 * 21);
    // With a border of 9, whole windows are cut off: rows 9 to 21 of 0 to 22 lie in windows 1 to 2 of 0 to 2.
    let op = op.pad(crate::Padding { top: 9, ..Default::default() }).relu();
    assert_eq!(executed(&op, [1, 1, 1, 4], 1), 8 * 4 * 2 * 32 * 4);
}

#[test]
fn subgroups_that_share_cells_compute_whole_workgroups() {
    let caps = Caps { software: true, int64: true, subgroup: Some(8), ..Caps::WEBGPU };
    let planned = |op: &ConvTranspose2d, input: [usize; 4], channels| {
        let weight = op.weight_shape(input[1], channels).unwrap();
        let plan = plan(op, input.into(), weight, None, Some(Variant::SharedPhases), &caps).unwrap();
        (plan.run[0].kernel.name, plan.executed_macs)
    };
    // 35x35 windows in 20 workgroups of 64; 64 phases of 21 channels are ROWS rows.
    let up8 = ConvTranspose2d::new([16, 16]).stride([8, 8]);
    assert_eq!(planned(&up8, [1, 21, 34, 34], 21), (STAGED.name, 20 * 64 * 64 * 21 * 4 * 21));
    // Where borders cut off the outermost windows, rows are a window longer: 9 rows of 11.
    let up2 = ConvTranspose2d::new([4, 4]).stride([2, 2]);
    assert_eq!(planned(&up2.pad(2), [2, 21, 10, 11], 24), (STAGED.name, 2 * 2 * 64 * 96 * 4 * 21));
    // One block has nobody to share with, and groups share nothing.
    let name = |op, input, channels| planned(op, input, channels).0;
    assert_eq!(name(&up2, [1, 21, 34, 34], 8), SHARED_PHASES_U64.name);
    assert_eq!(name(&up8.groups(3), [1, 21, 34, 34], 21), SHARED_PHASES_U64.name);
}

#[test]
fn the_variant_is_chosen_by_shape() {
    let chosen = |op: ConvTranspose2d, input: [usize; 4], channels: usize| {
        let weight = op.weight_shape(input[1], channels).unwrap();
        plan(&op, input.into(), weight, None, None, &Caps { software: true, ..Caps::WEBGPU }).unwrap().variant
    };
    assert_eq!(chosen(ConvTranspose2d::new([16, 16]).stride([8, 8]), [1, 21, 34, 34], 21), "shared-phases");
    assert_eq!(chosen(ConvTranspose2d::new([4, 4]).stride([2, 2]), [1, 21, 16, 16], 21), "shared-phases");
    // Two and one taps a side.
    assert_eq!(chosen(ConvTranspose2d::new([3, 3]).stride([2, 2]).pad(1), [1, 64, 28, 28], 64), "phased");
    assert_eq!(chosen(ConvTranspose2d::new([2, 2]).stride([2, 2]), [1, 128, 28, 28], 128), "phased");
    assert_eq!(chosen(ConvTranspose2d::new([3, 3]).pad(1), [1, 512, 14, 14], 512), "flipped-winograd-f4");
    // One phase, in the tiles of the convolution that it is.
    assert_eq!(chosen(ConvTranspose2d::new([1, 5]), [1, 64, 14, 14], 64), "phased");
    assert_eq!(chosen(ConvTranspose2d::new([3, 3]).pad(1), [1, 64, 224, 224], 64), "flipped-winograd-eight");
    assert_eq!(chosen(ConvTranspose2d::new([5, 5]).pad(2), [1, 64, 14, 14], 64), "flipped-winograd-eight");
    assert_eq!(chosen(ConvTranspose2d::new([7, 7]).pad(3), [1, 64, 90, 120], 64), "flipped-winograd-pieces");
    assert_eq!(chosen(ConvTranspose2d::new([7, 7]), [1, 4096, 1, 1], 512), "product");
    assert_eq!(chosen(ConvTranspose2d::new([4, 4]).stride([2, 2]).groups(21), [1, 21, 34, 34], 21), "interpolate");
    // One channel a group fills an eighth of a tile's rows and a fourth of its terms.
    assert_eq!(chosen(ConvTranspose2d::new([5, 5]).stride([2, 2]).groups(21), [1, 21, 34, 34], 21), "gather");
}

/// The upsamplings of FCN, and their last ones cropped to an image of 61x47 and left as labels in one pass.
#[test]
fn a_gpu_chooses_phases_that_share_cells_for_fcn() {
    let up = |s: usize| ConvTranspose2d::new([2 * s, 2 * s]).stride([s, s]);
    for (stride, side) in [(2, 16), (2, 30), (2, 34), (8, 34), (8, 70), (16, 38), (32, 16)] {
        let (op, input) = (up(stride), Shape::from([1, 21, side, side]));
        let weight = op.weight_shape(21, 21).unwrap();
        let plan = plan(&op, input, weight, None, None, &Caps::WEBGPU).unwrap();
        assert_eq!((plan.variant, plan.run[0].kernel.name), ("shared-phases", ROWS.name), "{stride} @{side}");
    }
    let cropped = |stride, [h, w]: [usize; 2], offset: usize| {
        let [rows, columns] = [(h + 1) * stride - 61 - offset, (w + 1) * stride - 47 - offset];
        (up(stride).pad(crate::Padding { top: offset, bottom: rows, left: offset, right: columns }), [1, 21, h, w])
    };
    for (op, input) in [cropped(16, [8, 6], 27), cropped(8, [16, 13], 31)] {
        let weight = op.weight_shape(21, 21).unwrap();
        let plan = plan_classes(&op, input.into(), weight, None, false, &Caps::WEBGPU).unwrap();
        assert_eq!((plan.variant, plan.run[0].kernel.name), ("shared-phases", SHARED_PHASES.name), "{input:?}");
    }
}

/// What an H200 ran of DeconvNet, and others.
#[test]
fn the_choice_on_a_gpu_is_what_was_recorded() {
    let (three, two) = (ConvTranspose2d::new([3, 3]).pad(1), ConvTranspose2d::new([2, 2]).stride([2, 2]));
    for (op, [inputs, side], outputs, chosen) in [
        (ConvTranspose2d::new([7, 7]), [4096, 1], 512, "product"),
        (three, [512, 14], 512, "flipped-winograd-f2"),
        (three, [512, 28], 512, "flipped-winograd-eight"),
        (three, [512, 28], 256, "flipped-winograd-eight"),
        (three, [256, 56], 256, "flipped-winograd-eight"),
        (three, [256, 56], 128, "flipped-winograd-f4"),
        (three, [128, 112], 128, "flipped-winograd-eight"),
        (three, [128, 112], 64, "flipped-winograd-eight"),
        (three, [64, 224], 64, "flipped-winograd-eight"),
        (two, [128, 28], 128, "phased"),
    ] {
        let weight = op.weight_shape(inputs, outputs).unwrap();
        let plan = plan(&op, [1, inputs, side, side].into(), weight, None, None, &Caps::WEBGPU).unwrap();
        assert_eq!(plan.variant, chosen, "{op:?} of {inputs} channels @{side} to {outputs}");
    }
}

/// At stride 1 a GPU has every variant of the convolution to choose from, and few outputs are not left to few invocations.
#[test]
fn a_gpu_chooses_for_stride_1_what_it_chooses_for_the_convolution() {
    let caps = Caps { software: false, ..Caps::WEBGPU };
    let op = ConvTranspose2d::new([3, 3]).pad(1);
    // DeconvNet's layers of 512 channels.
    for (side, channels) in [(14, 512), (28, 512), (28, 256)] {
        let input: Shape = [1, 512, side, side].into();
        let weight = op.weight_shape(512, channels).unwrap();
        let chosen = plan(&op, input, weight, None, None, &caps).unwrap().variant;
        let same = op.as_convolution(input).unwrap();
        let flipped = same.weight_shape(512, channels).unwrap();
        let expected = conv2d::plan(&same, input, flipped, None, None, &caps).unwrap().variant;
        let expected = match expected {
            "tiled" | "staged" => "flipped".to_owned(),
            other => format!("flipped-{other}"),
        };
        assert_eq!(chosen, expected, "{channels} channels @{side}");
    }
}

#[test]
fn padding_and_size_leave_taps_out() {
    // One row of three cells, kernel 3, stride 2: taps land on 0..=6; of these, 2..=5 are kept, which get 2 + 1 + 2 + 1.
    let op =
        ConvTranspose2d::new([1, 3]).stride([1, 2]).pad(crate::Padding { left: 2, right: 1, ..Default::default() });
    let gather = Some(Variant::Gather);
    let plan = plan(&op, [1, 1, 1, 3].into(), [1, 1, 1, 3].into(), None, gather, &Caps::WEBGPU).unwrap();
    assert_eq!(plan.executed_macs, 6);
}

#[test]
fn a_weight_over_the_binding_limit() {
    // DeconvNet's fc6-deconv: 392 MiB, input channels of 98 KiB each.
    let op = ConvTranspose2d::new([7, 7]);
    let plan = |variant| {
        let weight = [4096, 512, 7, 7].into();
        plan(&op, [1, 4096, 1, 1].into(), weight, Some(Shape::vector(512)), Some(variant), &Caps::WEBGPU)
    };
    let gather = plan(Variant::Gather).unwrap();
    let runs: Vec<_> = gather.run.iter().map(|step| step.operands[1].words.clone().unwrap()).collect();
    let row = 512 * 49;
    assert_eq!(runs, [0..1337 * row, 1337 * row..2674 * row, 2674 * row..4011 * row, 4011 * row..4096 * row]);
    let constant = |name| -> Vec<f64> {
        let values = gather.run.iter().map(|step| step.constants.iter().find(|(n, _)| *n == name).unwrap().1);
        values.collect()
    };
    assert_eq!(constant("ACCUMULATE"), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(constant("BIAS"), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(plan(Variant::Scatter).unwrap().run.len(), 6, "zero, four parts, finish");
    let Err(Error::Limit { way_out, .. }) = plan(Variant::ZeroInsert) else { panic!("planned") };
    assert_eq!(way_out, "use gather or phased, which split it");
}

#[test]
fn what_cannot_be_split_is_an_error() {
    let op = ConvTranspose2d::new([7, 7]);
    let caps = Caps { max_binding_bytes: 4 * 512 * 49 - 4, ..Caps::WEBGPU };
    let others = [
        Variant::FlippedSplitK,
        Variant::FlippedF2,
        Variant::FlippedF4,
        Variant::Interpolate,
        Variant::SharedPhases,
        Variant::Cooperative,
    ];
    for variant in Variant::ALL.iter().filter(|variant| !others.contains(variant)) {
        let plan = plan(&op, [1, 3, 1, 1].into(), [3, 512, 7, 7].into(), None, Some(*variant), &caps);
        assert!(matches!(plan, Err(Error::Limit { .. })), "{variant:?}");
    }
    // Two taps far apart: a small output, but a stretched map of 4 GiB.
    let border = crate::Padding { top: 32_767, left: 32_767, ..Default::default() };
    let apart = ConvTranspose2d::new([2, 2]).dilation([32_767, 32_767]).pad(border);
    let plan = |variant| plan(&apart, [1, 1, 2, 2].into(), [1, 1, 2, 2].into(), None, Some(variant), &Caps::WEBGPU);
    assert!(plan(Variant::Gather).is_ok());
    assert!(plan(Variant::ZeroInsert).is_err_and(|error| error.is_out_of_memory()));
}

/// One phase is a convolution like any other, whose sums may be taken in parts, but for a channel that fills up a pair and a border
/// that cuts off more than the taps reach.
#[test]
fn one_phase_on_matrix_units_is_a_convolution() {
    let units = Some(crate::gpu::Cooperative { tile: 16, lanes: 32 });
    let caps = Caps { f16: true, cooperative: units, max_workgroup_bytes: 48 << 10, ..Caps::WEBGPU };
    let in_parts = |op: ConvTranspose2d, channels: usize| {
        let shapes = ([1, 512, 14, 14].into(), [512, channels, 3, 3].into(), None);
        let plan = plan_half(&op, shapes, Form::Halves, Some(Variant::Cooperative), &caps).unwrap();
        plan.run.iter().any(|step| step.kernel.name == "conv2d/sum_parts_half")
    };
    let op = ConvTranspose2d::new([3, 3]);
    let found = [in_parts(op.pad(1), 512), in_parts(op, 512), in_parts(op.pad(1), 511), in_parts(op.pad(3), 512)];
    assert_eq!(found, [true, true, false, false]);
}
