//! Which variant of a convolution is taken where none is asked for: the one of least effort that can be planned.

use super::{Form, Problem, Variant, cooperative, depthwise, direct, division, dot_product, split_k, tiled, winograd};
use crate::gpu::Caps;
use crate::kernel::card::{Card, least_first};

/// The variants that apply, least effort first, by a model of what loads, stores and multiply-adds cost: no tuning run,
/// and the same answer on every machine of a kind.
pub(super) fn ranked(problem: &Problem<'_>, caps: &Caps) -> Vec<Variant> {
    let effort = |variant, card| effort(problem, variant, card, caps);
    least_first(Variant::ALL.iter().copied(), effort)
}

/// What a variant takes on a card, in multiply-adds of a register tile; `None` where it does not apply.
pub(in crate::kernel) fn effort(problem: &Problem<'_>, variant: Variant, card: Card, caps: &Caps) -> Option<f64> {
    let loops_end = tiled::check_loops(problem, caps).is_ok();
    let minimal_filtering = |transform| winograd::effort(transform, problem, card, caps);
    match variant {
        Variant::Direct => direct::effort(problem, Form::Words, card, caps),
        Variant::Depthwise => depthwise::effort(problem, card, caps),
        Variant::DotProduct => dot_product::effort(problem, card, caps),
        Variant::Tiled if loops_end => Some(division::effort(problem, card, caps)),
        Variant::Staged if loops_end => division::staged_effort(problem, 1, card, caps),
        Variant::SplitK if loops_end => split_k::effort(problem, card, caps),
        Variant::Tiled | Variant::Staged | Variant::SplitK | Variant::Cooperative => None,
        Variant::WinogradF2 => minimal_filtering(&winograd::F2),
        Variant::WinogradF4 => minimal_filtering(&winograd::F4),
        Variant::WinogradPieces => minimal_filtering(&winograd::PIECES),
        Variant::WinogradEight => minimal_filtering(&winograd::EIGHT),
    }
}

/// The variant for maps in f16, but for a kernel that covers its map: the implicit product of such a device, or `Direct` where that
/// takes less.
pub(super) fn in_half(problem: &Problem<'_>, caps: &Caps) -> Variant {
    let product = half_variant(caps);
    let effort = |variant, card| half_effort(problem, variant, card, caps);
    least_first([product, Variant::Direct], effort).first().copied().unwrap_or(product)
}

/// The implicit matrix product for f16 maps on such a device.
pub(in crate::kernel) fn half_variant(caps: &Caps) -> Variant {
    match caps {
        Caps { software: true, .. } => Variant::Tiled,
        Caps { cooperative: Some(_), .. } => Variant::Cooperative,
        _ => Variant::Staged,
    }
}

/// What a variant takes for maps in f16; [`effort()`] of an implicit product in registers, which takes as long in both.
pub(super) fn half_effort(problem: &Problem<'_>, variant: Variant, card: Card, caps: &Caps) -> Option<f64> {
    match variant {
        Variant::Direct => direct::effort(problem, Form::Halves, card, caps),
        Variant::Cooperative => cooperative::effort(problem, card, caps),
        _ => effort(problem, variant, card, caps),
    }
}

/// What it costs, in multiply-adds of a register tile, to load or store one word by itself, with its address, its
/// bounds and the loop round it. On CPU drivers the choice between `Direct`, `Depthwise`, `Tiled` and minimal filtering
/// was measured over the layers of FCN-8s, SegNet, SegNet-Basic, DeconvNet and grouped ones (docs/CHOICES.md), and 24
/// fits; on an H100 `Direct` takes as long as 38 would.
pub(super) fn load(caps: &Caps) -> f64 {
    if caps.software { 24.0 } else { 38.0 }
}

/// The same for a word on its way from one dispatch to the next, among others in order: on a GPU at the rate of its
/// second-level cache (H100: the transforms of minimal filtering took 0.7 ns for a thousand words).
pub(super) fn word(caps: &Caps) -> f64 {
    if caps.software { load(caps) } else { 12.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Variant::{Depthwise, Direct, DotProduct, Tiled, WinogradEight, WinogradF4, WinogradPieces};
    use super::*;
    use crate::op::Conv2d;
    use crate::shape::Shape;

    /// What was the fastest on llvmpipe, or within a few per cent of it (docs/CHOICES.md).
    #[test]
    fn the_choice_on_a_cpu_driver_is_what_was_measured_to_be_the_fastest() {
        let caps = Caps { software: true, ..Caps::WEBGPU };
        let convolution = |kernel, pad| Conv2d::new([kernel, kernel]).pad(pad);
        let (one, three, seven) = (convolution(1, 0), convolution(3, 1), convolution(7, 3));
        for (op, [inputs, h, w], outputs, fastest) in [
            // FCN-8s at 500x500.
            (convolution(3, 100), [3, 500, 500], 64, Tiled),
            (three, [64, 698, 698], 64, WinogradEight),
            (three, [64, 349, 349], 128, WinogradEight),
            (three, [128, 349, 349], 128, WinogradEight),
            (three, [128, 175, 175], 256, WinogradEight),
            (three, [256, 175, 175], 256, WinogradEight),
            (three, [256, 88, 88], 512, WinogradEight),
            (three, [512, 88, 88], 512, WinogradEight),
            (three, [512, 44, 44], 512, WinogradEight),
            (convolution(7, 0), [512, 22, 22], 4096, WinogradEight),
            (one, [4096, 16, 16], 4096, Tiled),
            (one, [4096, 16, 16], 21, Tiled),
            (one, [512, 44, 44], 21, Tiled),
            (one, [256, 88, 88], 21, Tiled),
            // SegNet and SegNet-Basic at 360x480.
            (three, [3, 360, 480], 64, Tiled),
            (three, [64, 360, 480], 64, WinogradEight),
            (three, [512, 45, 60], 512, WinogradEight),
            (three, [512, 23, 30], 512, WinogradF4),
            (three, [512, 45, 60], 256, WinogradEight),
            (three, [128, 180, 240], 64, WinogradEight),
            (three, [64, 360, 480], 12, WinogradEight),
            (seven, [3, 360, 480], 64, WinogradPieces),
            (seven, [64, 360, 480], 64, WinogradPieces),
            (seven, [64, 180, 240], 64, WinogradPieces),
            (seven, [64, 90, 120], 64, WinogradPieces),
            (seven, [64, 45, 60], 64, WinogradPieces),
            (one, [64, 360, 480], 12, Tiled),
            // DeconvNet at 224x224.
            (three, [3, 224, 224], 64, Tiled),
            (three, [64, 224, 224], 64, WinogradEight),
            (three, [512, 28, 28], 512, WinogradEight),
            (three, [512, 14, 14], 512, WinogradF4),
            // Where tiles of 8x8 cells gain too little for their memory.
            (three, [128, 56, 56], 128, WinogradF4),
            (three, [256, 28, 28], 256, WinogradF4),
            (convolution(7, 0), [512, 7, 7], 4096, DotProduct),
            (one, [4096, 1, 1], 4096, DotProduct),
            (one, [64, 224, 224], 21, Tiled),
            // Other kernels, and maps of few tiles.
            (convolution(4, 2), [64, 90, 120], 64, WinogradEight),
            (convolution(5, 2), [64, 90, 120], 64, WinogradEight),
            (convolution(8, 3), [64, 90, 120], 64, WinogradPieces),
            (three, [64, 90, 120], 64, WinogradEight),
            (convolution(5, 2), [64, 14, 14], 64, WinogradEight),
            (convolution(5, 2), [32, 28, 28], 32, WinogradEight),
            (seven, [64, 9, 9], 64, WinogradEight),
            (Conv2d::new([1, 7]), [64, 56, 56], 64, Tiled),
            // Groups.
            (convolution(5, 2).groups(2), [128, 56, 56], 128, WinogradEight),
            (three.groups(2), [128, 56, 56], 128, WinogradF4),
            (three.groups(8), [128, 56, 56], 128, WinogradF4),
            (three.groups(16), [128, 56, 56], 128, WinogradF4),
            (three.groups(32), [128, 56, 56], 128, Direct),
            (three.groups(64), [128, 56, 56], 128, Direct),
            (three.groups(128), [128, 56, 56], 128, Depthwise),
            (three.groups(128).stride([2, 2]), [128, 56, 56], 128, Direct),
            (convolution(5, 2).groups(128), [128, 56, 56], 128, Depthwise),
            (three.groups(64), [64, 56, 56], 128, Depthwise),
            (three.groups(32), [256, 28, 28], 256, WinogradF4),
        ] {
            let input: Shape = [1, inputs, h, w].into();
            let weight = op.weight_shape(inputs, outputs).unwrap();
            let output = op.output_shape(input, weight, None).unwrap();
            assert_eq!(
                ranked(&Problem { op: &op, input, weight, output }, &caps)[0],
                fastest,
                "{op:?} of {input} to {outputs}"
            );
        }
    }

    /// Maps of a few cells are not worked off as whole tiles, most of which would be padding: 3.6 times the multiply-adds at
    /// most, by `tiled` of 64 channels at 3x3.
    #[test]
    fn on_a_cpu_driver_the_choice_executes_few_times_the_multiply_adds() {
        let plain = Caps { software: true, ..Caps::WEBGPU };
        let check = |op: Conv2d, input: Shape, outputs: usize, caps: &Caps| {
            let weight = op.weight_shape(input.c, outputs).unwrap();
            let output = op.output_shape(input, weight, None).unwrap();
            let plan = super::super::plan(&op, input, weight, None, None, caps).unwrap();
            let useful = (output.elements() * weight.elements() / weight.n) as u64;
            assert!(plan.executed_macs <= 4 * useful, "{op:?} of {input} to {outputs}: {}", plan.variant);
        };
        for caps in [plain, Caps { int64: true, subgroup: Some(8), ..plain }] {
            for (kernel, pad) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (7, 3), (8, 4)] {
                let op = Conv2d::new([kernel, kernel]).pad(pad);
                for [inputs, outputs] in [[3, 64], [64, 64], [64, 11], [512, 512]] {
                    for side in 1..24 {
                        check(op, [1, inputs, side, side].into(), outputs, &caps);
                        check(op, [1, inputs, side, 64].into(), outputs, &caps);
                    }
                }
            }
        }
    }

    /// What an H200 is given. Measured by other variants too, and the fastest or within 4 % of it: conv1_1, 512->512 @44, @28 and @14,
    /// 256->256 @56 and @28, 128->128 @56, fc7, and 256->21 @88, which takes as long by `split-k`.
    #[test]
    fn the_choice_on_a_gpu_is_what_was_measured() {
        use super::Variant::{SplitK, Staged, WinogradF2};
        let (binding, buffer) = (2_147_483_644, 4_292_870_144);
        let caps = Caps { max_binding_bytes: binding, max_buffer_bytes: buffer, ..Caps::WEBGPU };
        let convolution = |kernel, pad| Conv2d::new([kernel, kernel]).pad(pad);
        let (one, three, seven) = (convolution(1, 0), convolution(3, 1), convolution(7, 3));
        for (op, [inputs, h, w], outputs, chosen) in [
            // FCN-8s at 500x500.
            (convolution(3, 100), [3, 500, 500], 64, Direct),
            (three, [64, 698, 698], 64, WinogradEight),
            (three, [64, 349, 349], 128, WinogradEight),
            (three, [128, 349, 349], 128, WinogradEight),
            (three, [128, 175, 175], 256, WinogradEight),
            (three, [256, 175, 175], 256, WinogradEight),
            (three, [256, 88, 88], 512, WinogradEight),
            (three, [512, 88, 88], 512, WinogradEight),
            (three, [512, 44, 44], 512, WinogradEight),
            (convolution(7, 0), [512, 22, 22], 4096, WinogradEight),
            (one, [4096, 16, 16], 4096, SplitK),
            (one, [4096, 16, 16], 21, SplitK),
            (one, [512, 44, 44], 21, SplitK),
            (one, [256, 88, 88], 21, Staged),
            // SegNet and SegNet-Basic at 360x480.
            (three, [3, 360, 480], 64, Direct),
            (three, [64, 360, 480], 64, WinogradEight),
            (three, [64, 180, 240], 128, WinogradEight),
            (three, [128, 180, 240], 128, WinogradEight),
            (three, [128, 90, 120], 256, WinogradEight),
            (three, [256, 90, 120], 256, WinogradEight),
            (three, [256, 45, 60], 512, WinogradF4),
            (three, [512, 45, 60], 512, WinogradEight),
            (three, [512, 23, 30], 512, WinogradEight),
            (three, [512, 45, 60], 256, WinogradF4),
            (three, [256, 90, 120], 128, WinogradF4),
            (three, [128, 180, 240], 64, WinogradEight),
            (three, [64, 360, 480], 11, WinogradEight),
            (seven, [3, 360, 480], 64, WinogradPieces),
            (seven, [64, 180, 240], 64, WinogradPieces),
            (seven, [64, 90, 120], 64, WinogradPieces),
            (seven, [64, 45, 60], 64, WinogradPieces),
            (seven, [64, 360, 480], 64, WinogradPieces),
            (one, [64, 360, 480], 11, Staged),
            // DeconvNet at 224x224.
            (three, [3, 224, 224], 64, Direct),
            (three, [64, 224, 224], 64, WinogradEight),
            (three, [64, 112, 112], 128, WinogradEight),
            (three, [128, 112, 112], 128, WinogradEight),
            (three, [128, 56, 56], 256, WinogradEight),
            (three, [256, 56, 56], 256, WinogradEight),
            (three, [256, 28, 28], 512, WinogradEight),
            (three, [512, 28, 28], 512, WinogradEight),
            (three, [512, 14, 14], 512, WinogradF2),
            (convolution(7, 0), [512, 7, 7], 4096, DotProduct),
            (one, [4096, 1, 1], 4096, DotProduct),
            (one, [64, 224, 224], 21, Staged),
            // Other shapes.
            (three, [64, 112, 112], 64, WinogradEight),
            (three, [128, 56, 56], 128, WinogradF4),
            (three, [256, 28, 28], 256, WinogradEight),
        ] {
            let input: Shape = [1, inputs, h, w].into();
            let weight = op.weight_shape(inputs, outputs).unwrap();
            let output = op.output_shape(input, weight, None).unwrap();
            assert_eq!(
                ranked(&Problem { op: &op, input, weight, output }, &caps)[0],
                chosen,
                "{op:?} of {input} to {outputs}"
            );
        }
    }

    /// In f16 few input channels go by `Direct` on GPUs, with matrix units, on which FCN-8s' first layer took 232 us, and without. CPU
    /// drivers have products only.
    #[test]
    fn the_choice_in_f16() {
        use super::Variant::{Cooperative, Staged};
        use crate::gpu::Cooperative as Units;
        let units = Some(Units { tile: 16, lanes: 32 });
        let with_units = Caps { f16: true, cooperative: units, max_workgroup_bytes: 48 << 10, ..Caps::WEBGPU };
        let three = Conv2d::new([3, 3]).pad(1);
        for (op, [inputs, h, w], outputs, chosen) in [
            (three.pad(100), [3, 500, 500], 64, [Direct, Direct]),
            (three, [3, 360, 480], 64, [Direct, Direct]),
            (three, [3, 224, 224], 64, [Direct, Direct]),
            (three, [64, 698, 698], 64, [Cooperative, Staged]),
            (three, [64, 349, 349], 128, [Cooperative, Staged]),
            (three, [512, 44, 44], 512, [Cooperative, Staged]),
            (Conv2d::new([7, 7]), [512, 22, 22], 4096, [Cooperative, Staged]),
            (Conv2d::new([1, 1]), [256, 88, 88], 21, [Cooperative, Staged]),
        ] {
            let input: Shape = [1, inputs, h, w].into();
            let weight = op.weight_shape(inputs, outputs).unwrap();
            let output = op.output_shape(input, weight, None).unwrap();
            let problem = Problem { op: &op, input, weight, output };
            let found = [with_units, Caps::WEBGPU].map(|caps| in_half(&problem, &caps));
            assert_eq!(found, chosen, "{op:?} of {input} to {outputs}");
            for caps in [with_units, Caps::WEBGPU] {
                assert_eq!(
                    in_half(&problem, &Caps { software: true, ..caps }),
                    Tiled,
                    "{op:?} of {input} to {outputs}"
                );
            }
        }
    }

    /// The same where subgroups share cells: 512->512 @28 28 ms by F(4x4, 3x3), 32 to 54 in tiles of 8x8 cells; @14 9.6
    /// beside 17 by F(2x2, 3x3).
    #[test]
    fn the_choice_where_subgroups_share() {
        let caps = Caps { software: true, int64: true, subgroup: Some(8), ..Caps::WEBGPU };
        let convolution = |kernel, pad| Conv2d::new([kernel, kernel]).pad(pad);
        for (op, [inputs, side], outputs, fastest) in [
            (convolution(3, 1), [64, 349], 128, WinogradEight),
            (convolution(3, 1), [512, 44], 512, WinogradEight),
            (convolution(3, 1), [512, 28], 512, WinogradF4),
            (convolution(3, 1), [512, 14], 512, WinogradF4),
            (convolution(7, 0), [512, 22], 4096, WinogradEight),
            (convolution(1, 0), [4096, 16], 4096, Tiled),
            (convolution(1, 0), [4096, 16], 21, Tiled),
        ] {
            let input: Shape = [1, inputs, side, side].into();
            let weight = op.weight_shape(inputs, outputs).unwrap();
            let output = op.output_shape(input, weight, None).unwrap();
            assert_eq!(
                ranked(&Problem { op: &op, input, weight, output }, &caps)[0],
                fastest,
                "{op:?} of {input} to {outputs}"
            );
        }
    }
}
