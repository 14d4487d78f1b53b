//! Tests of every operator's plan at the largest binding and one step beyond.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{
    add, argmax_channels, batch_norm, colorize, concat, crop, crop_add, local_response_norm, max_pool2d, max_unpool2d,
    normalize, pad, relu, scale, slice, softmax_channels,
};
use crate::error::{Error, Result};
use crate::gpu::{Caps, KernelPlan, Storage};
use crate::op::{BatchNorm, Crop, CropAdd, LocalResponseNorm, MaxPool2d, MaxUnpool2d, Normalize, Pad, Palette, Slice};
use crate::shape::Shape;

/// Words of the largest binding.
const WORDS: usize = 60;

const CAPS: Caps = Caps { max_binding_bytes: 4 * WORDS as u64, ..Caps::WEBGPU };

type Planner = fn(usize) -> Result<KernelPlan>;

/// Operators by the columns of their largest operand, which is as large as a binding at the columns that are given.
#[rustfmt::skip]
const PLANNERS: &[(&str, usize, Planner)] = &[
    ("relu", 5, |w| relu::plan([1, 3, 4, w].into(), &CAPS)),
    ("add", 5, |w| add::plan([1, 3, 4, w].into(), [1, 3, 4, w].into(), &CAPS)),
    ("scale", 5, |w| scale::plan([1, 3, 4, w].into(), Shape::vector(3), None, &CAPS)),
    ("batch_norm", 5, |w| batch_norm::plan(&BatchNorm::new(), [1, 3, 4, w].into(), [Shape::vector(3); 4], &CAPS)),
    ("local_response_norm", 5, |w| local_response_norm::plan(&LocalResponseNorm::new(3), [1, 3, 4, w].into(), &CAPS)),
    ("crop", 5, |w| crop::plan(&Crop::new([0, 0], [1, 1]), [1, 3, 4, w].into(), &CAPS)),
    ("pad", 5, |w| pad::plan(&Pad::new(1), [1, 3, 2, w - 2].into(), &CAPS)),
    ("crop_add", 5, |w| crop_add::plan(&CropAdd::new([0, 0]), [1, 3, 1, 1].into(), [1, 3, 4, w].into(), &CAPS)),
    ("concat", 5, |w| concat::plan(&[[1, 1, 4, w].into(), [1, 2, 4, w].into()], &CAPS)),
    ("slice", 5, |w| slice::plan(&Slice::new(0, 1), [1, 3, 4, w].into(), &CAPS)),
    ("softmax_channels", 5, |w| softmax_channels::plan([1, 3, 4, w].into(), &CAPS)),
    ("argmax_channels", 5, |w| argmax_channels::plan([1, 3, 4, w].into(), &CAPS)),
    ("normalize", 5, |w| normalize::plan(&Normalize::RAW, [4, w], Storage::Words, &CAPS)),
    ("colorize", 20, |w| colorize::plan([1, 1, 4, w].into(), &Palette::voc(), Storage::Words, &CAPS)),
    ("max_pool2d", 5, |w| max_pool2d::plan(&MaxPool2d::new([2, 2]), [1, 3, 4, w].into(), max_pool2d::Variant::Switches, &CAPS)),
    ("max_pool2d", 5, |w| {
        let larger_output = MaxPool2d::new([2, 2]).stride([1, 1]).pad(1);
        max_pool2d::plan(&larger_output, [1, 3, 3, w - 1].into(), max_pool2d::Variant::Values, &CAPS)
    }),
    ("max_unpool2d", 5, |w| {
        let (shape, pool) = (Shape::from([1, 3, 2, w / 2]), &MaxPool2d::new([2, 2]));
        let source = max_unpool2d::Source { shape, origin: [4, w], pool, storage: Storage::Words };
        max_unpool2d::plan(&MaxUnpool2d::new(), shape, source, None, &CAPS)
    }),
    ("max_pool2d", 5, |w| max_pool2d::plan(&MaxPool2d::new([2, 2]), [1, 3, 4, w].into(), max_pool2d::Variant::CompactSwitches, &CAPS)),
    ("max_unpool2d", 5, |w| {
        let (shape, pool) = (Shape::from([1, 3, 2, w / 2]), &MaxPool2d::new([2, 2]));
        let source = max_unpool2d::Source { shape, origin: [4, w], pool, storage: Storage::Compact };
        max_unpool2d::plan(&MaxUnpool2d::new(), shape, source, None, &CAPS)
    }),
];

#[test]
fn a_binding_of_exactly_the_limit_is_planned_and_a_larger_one_refused() {
    for (op, columns, plan) in PLANNERS {
        assert!(!plan(*columns).unwrap().run.is_empty(), "{op}");
        let Err(Error::Limit { what, needed, available, .. }) = plan(columns + 1) else { panic!("{op} took too much") };
        assert!(what.starts_with(op), "{what}");
        assert_eq!(available, CAPS.max_binding_bytes, "{op}");
        assert!(needed > available, "{op}: {needed}");
    }
}

#[test]
fn absurd_extents_are_errors() {
    let most = usize::MAX;
    for (op, _, plan) in PLANNERS {
        for columns in [most / 4 - 1, most / 2, most] {
            assert!(plan(columns).is_err(), "{op} of {columns} columns");
        }
    }
}
