//! What is chosen for shapes that no published network has: nothing that is filled up to many times its work.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use proptest::sample::select;

use super::card::{Card, FOR_A_LARGE_CARD};
use super::conv2d::Form;
use super::{channel_block, conv_transpose2d, conv2d};
use crate::common::seeds::for_generated;
use crate::gpu::{Caps, Cooperative};
use crate::op::{Conv2d, ConvTranspose2d};
use crate::shape::Shape;

/// What there is to multiply: kernel, stride, dilation, a border of half the kernel or none; channels of a group, groups; batch and
/// extent.
type Sizes = (usize, usize, usize, bool, [usize; 2], usize, [usize; 3]);

fn sizes() -> impl Strategy<Value = Sizes> {
    let channels = [[1, 1], [1, 2], [2, 2], [5, 1], [4, 4], [16, 4], [8, 8], [3, 64], [64, 3], [33, 40], [256, 256]];
    let maps = [[1, 6, 6], [4, 9, 5], [1, 14, 14], [2, 33, 21], [1, 56, 56], [1, 7, 300], [1, 180, 240]];
    (
        select(&[1, 2, 3, 4, 5, 7, 11, 15]),
        select(&[1, 1, 2, 4]),
        select(&[1, 1, 2, 3]),
        any::<bool>(),
        select(channels.to_vec()),
        select(&[1, 1, 3, 16, 64, 300]),
        select(maps.to_vec()),
    )
}

fn devices() -> [Caps; 4] {
    let software = Caps { software: true, ..Caps::WEBGPU };
    let large = Caps { max_binding_bytes: 2 << 30, max_buffer_bytes: 4 << 30, ..Caps::WEBGPU };
    [Caps::WEBGPU, large, software, Caps { int64: true, subgroup: Some(8), ..software }]
}

/// Results that keep a small card busy whatever computes them: by an invocation for eight channels of a cell, and few lanes
/// past a plane's end.
fn is_work(output: Shape, group_outputs: usize) -> bool {
    output.plane() >= 32 && output.elements() / group_outputs.min(8) >= 4096
}

/// The convolution, with its shapes of input, weight and output, if there is work in it.
fn convolution((kernel, stride, dilation, border, channels, groups, [n, h, w]): Sizes) -> Option<(Conv2d, [Shape; 3])> {
    let pad = if border { kernel / 2 * dilation } else { 0 };
    let op = Conv2d::new([kernel, kernel]).stride([stride, stride]).dilation([dilation, dilation]).pad(pad);
    let [inputs, outputs] = channels;
    let (op, input) = (op.groups(groups), Shape::from([n, inputs * groups, h, w]));
    let weight = op.weight_shape(input.c, outputs * groups).unwrap();
    let output = op.output_shape(input, weight, None).ok().filter(|&output| is_work(output, outputs))?;
    Some((op, [input, weight, output]))
}

/// For c channels of a cell `Direct` takes c and the load of a cell; so what multiplies without such loads may be filled up as
/// many times, twice for lanes past the end of a plane, and some for a large card.
#[test]
fn no_generated_convolution_is_filled_up_to_many_times_its_work() {
    for_generated(1500, sizes(), |sizes| {
        let Some((op, [input, weight, _])) = convolution(sizes) else { return };
        let useful = op.cost(input, weight, None).unwrap().macs as f64;
        let channels = channel_block((weight.n / op.groups) as u64, 8) as f64;
        for caps in devices() {
            let Ok(plan) = conv2d::plan(&op, input, weight, None, None, &caps) else { continue };
            let (load, card) = if caps.software { (24.0, 1.0) } else { (38.0, FOR_A_LARGE_CARD) };
            let times = plan.executed_macs as f64 / useful;
            assert!(times <= 2.0 * card * (load + channels) / channels, "{} executes {times} times", plan.variant);
        }
    });
}

/// The same with `Gather`, whose weights are loads too. Where subgroups share cells a multiply-add takes 0.72 of another at least, by
/// staged workgroups of a GPU 0.71.
#[test]
fn no_generated_transposed_convolution_is_filled_up_to_many_times_its_work() {
    for_generated(1500, sizes(), |(kernel, stride, dilation, border, [inputs, outputs], groups, [n, h, w])| {
        let pad = if border { kernel / 2 } else { 0 };
        let op =
            ConvTranspose2d::new([kernel, kernel]).stride([stride, stride]).dilation([dilation, dilation]).pad(pad);
        let (op, input) = (op.groups(groups), Shape::from([n, inputs * groups, h, w]));
        let weight = op.weight_shape(input.c, outputs * groups).unwrap();
        let output = op.output_shape(input, weight, None).ok().filter(|&output| is_work(output, outputs));
        let Some(output) = output else { return };
        let useful = op.cost(input, weight, None).unwrap().macs.max(output.elements() as u64) as f64;
        let channels = channel_block(outputs as u64, 8) as f64;
        for caps in devices() {
            let Ok(plan) = conv_transpose2d::plan(&op, input, weight, None, None, &caps) else { continue };
            let (card, rate) = match caps.software {
                true if caps.shares_cells() => (1.0, 0.72),
                true => (1.0, 1.0),
                false => (FOR_A_LARGE_CARD, 0.71),
            };
            let most = card / rate * (9.0 * channels + 8.0) / channels;
            let times = plan.executed_macs as f64 / useful;
            assert!(times <= most, "{} executes {times} times", plan.variant);
        }
    });
}

/// The same in f16, where what f32 takes is two conversions more, and a multiply-add of matrix units a tenth of one of
/// `Staged`. These are for 128 cells of a plane at a time or more, of which there may be fewer than half. What is refused runs in f32.
#[test]
fn no_generated_convolution_in_f16_is_filled_up_to_many_times_its_work() {
    for_generated(1500, sizes(), |sizes| {
        let Some((op, [input, weight, output])) = convolution(sizes) else { return };
        let useful = op.cost(input, weight, None).unwrap().macs as f64;
        let channels = channel_block((weight.n / op.groups) as u64, 8) as f64;
        let dispatches = 3.0 * Card::SMALL.dispatch(&Caps::WEBGPU);
        let converted = (24.0 * (input.elements() + output.elements()) as f64 + dispatches) / useful;
        for cooperative in [None, Some([8, 32]), Some([16, 32])] {
            let cooperative = cooperative.map(|[tile, lanes]| Cooperative { tile, lanes });
            let caps = Caps { f16: true, cooperative, max_workgroup_bytes: 48 << 10, ..devices()[1] };
            let Ok(plan) = conv2d::plan_half(&op, (input, weight, None), Form::Halves, None, &caps) else { continue };
            let rate = if cooperative.is_some() { 10.0 } else { 1.0 };
            let lanes = (128.0 / output.plane() as f64).max(2.0);
            let most = lanes * rate * FOR_A_LARGE_CARD * ((38.0 + channels) / channels + converted);
            let times = plan.executed_macs as f64 / useful;
            assert!(times <= most, "{} executes {times} times", plan.variant);
        }
    });
}

/// Layers of FCN-8s and DeconvNet stay in f16, those of the fewest channels and cells among them; a channel alone, and few of a group,
/// do not.
#[test]
fn few_channels_are_computed_in_f32_between_conversions() {
    let cooperative = Some(Cooperative { tile: 16, lanes: 32 });
    let caps = |cooperative| Caps { f16: true, cooperative, max_workgroup_bytes: 48 << 10, ..devices()[1] };
    let convolution = |kernel, pad| Conv2d::new([kernel, kernel]).pad(pad);
    let up = |stride| ConvTranspose2d::new([2 * stride, 2 * stride]).stride([stride, stride]);
    for caps in [caps(None), caps(cooperative)] {
        let planned = |op: Conv2d, [inputs, side]: [usize; 2], outputs| {
            let shapes = ([1, inputs, side, side].into(), op.weight_shape(inputs, outputs).unwrap(), None);
            conv2d::plan_half(&op, shapes, Form::Halves, None, &caps).is_ok()
        };
        assert!(planned(convolution(3, 100), [3, 500], 64) && planned(convolution(3, 1), [512, 14], 512));
        assert!(planned(convolution(1, 0), [4096, 16], 21) && planned(convolution(1, 0), [256, 88], 21));
        assert!(!planned(convolution(3, 1), [1, 224], 1) && !planned(convolution(3, 1).groups(32), [64, 112], 64));
        let planned = |op: ConvTranspose2d, [inputs, side]: [usize; 2], outputs| {
            let shapes = ([1, inputs, side, side].into(), op.weight_shape(inputs, outputs).unwrap(), None);
            conv_transpose2d::plan_half(&op, shapes, Form::Halves, None, &caps).is_ok()
        };
        assert!(planned(up(2), [21, 16], 21) && planned(up(2), [21, 34], 21) && planned(up(8), [21, 70], 21));
        assert!(planned(ConvTranspose2d::new([3, 3]).pad(1), [512, 14], 512));
        assert!(!planned(ConvTranspose2d::new([5, 5]).stride([2, 2]), [1, 224], 1));
    }
}
