//! Max unpooling on the device.

mod compact;
mod scatter;

use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuSwitches, GpuTensor, Kernel, KernelPlan, Part, Step, Storage};
use crate::kernel::flat::{flat_step, window_constants};
use crate::kernel::two_by_two::{self, Kernels, TWO_BY_TWO, UPPER_ROW, is_pairs};
use crate::kernel::{INDEX, PLACE, PLANES_F32, PLANES_HALF, VECTORS, VECTORS_U64, check_bytes, params, part, variants};
use crate::op::{MaxPool2d, MaxUnpool2d};
use crate::shape::Shape;

const OP: &str = "max_unpool2d";

variants! {
    "max_unpool2d";
    /// Ways to put values back. All give the same result, bit for bit, also where windows overlapped.
    pub enum Variant {
        /// Each output cell asks the windows that contain it, and takes the last that names it: one pass.
        Gather = "gather",
        /// Each switch claims its output cell by atomic maximum, then claims become values: three passes, however large
        /// the windows.
        Scatter = "scatter",
    }
}

static ANY: Part = part!("max_unpool2d/gather.wgsl");
static PAIR: Part = part!("max_unpool2d/pair.wgsl");
static FLAT: Part = part!("max_unpool2d/flat_switches.wgsl");
static BY_PAIRS: Part = part!("max_unpool2d/pairs.wgsl");
static BY_ROWS: Part = part!("max_unpool2d/rows.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    let bindings = &[Access::Uniform, Access::Read, Access::Read, Access::Write];
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

static GATHER: Kernel = kernel("max_unpool2d/gather", &[&INDEX, &PLACE, &PLANES_F32, &ANY]);
static GATHER_HALF: Kernel = kernel("max_unpool2d/gather_half", &[&INDEX, &PLACE, &PLANES_HALF, &ANY]);

static PAIRS: Kernel =
    kernel("max_unpool2d/pairs", &[&INDEX, &PLANES_F32, &VECTORS, &TWO_BY_TWO, &PAIR, &FLAT, &BY_PAIRS]);
static PAIRS_HALF: Kernel =
    kernel("max_unpool2d/pairs_half", &[&INDEX, &PLANES_HALF, &VECTORS, &TWO_BY_TWO, &PAIR, &FLAT, &BY_PAIRS]);
static ROWS: Kernel =
    kernel("max_unpool2d/rows", &[&INDEX, &PLANES_F32, &VECTORS, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS]);
static ROWS_HALF: Kernel = kernel(
    "max_unpool2d/rows_half",
    &[&INDEX, &PLANES_HALF, &VECTORS, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);
static ROWS_U64: Kernel = kernel(
    "max_unpool2d/rows_u64",
    &[&INDEX, &PLANES_F32, &VECTORS_U64, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);
static ROWS_HALF_U64: Kernel = kernel(
    "max_unpool2d/rows_half_u64",
    &[&INDEX, &PLANES_HALF, &VECTORS_U64, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &FLAT, &BY_ROWS],
);

/// `GATHER` for 2x2 windows of step 2 over whole vectors.
static UNPOOL: Kernels =
    Kernels { pairs: [&PAIRS, &PAIRS_HALF], rows: [&ROWS, &ROWS_HALF], rows_u64: [&ROWS_U64, &ROWS_HALF_U64] };

pub(crate) static KERNELS: &[&Kernel] = &[
    &GATHER,
    &GATHER_HALF,
    &PAIRS,
    &PAIRS_HALF,
    &ROWS,
    &ROWS_HALF,
    &ROWS_U64,
    &ROWS_HALF_U64,
    &scatter::CLAIM,
    &scatter::RESOLVE,
];
pub(crate) static COMPACT_KERNELS: &[&Kernel] = &compact::KERNELS;
pub(crate) static COMPACT_ROW_KERNELS: &[&Kernel] = &compact::BY_ROWS_KERNELS;

params! {
    /// Uniforms of `max_unpool2d/gather`; the shader says what they mean.
    struct GatherParams {
        words: u32,
        channels: u32,
        in_h: u32,
        in_w: u32,
        origin_h: u32,
        origin_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
    }
}

/// Switches as unpooling knows them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// Shape of the pooled map.
    pub(crate) shape: Shape,
    /// Extent of the planes that were pooled.
    pub(crate) origin: [usize; 2],
    /// The pooling that made them.
    pub(crate) pool: &'a MaxPool2d,
    /// In which form they lie on the device.
    pub(crate) storage: Storage,
}

/// Dispatches for these operands: values of shape `input`, and switches.
///
/// # Errors
/// As [`MaxUnpool2d::output_shape`]; [`Error::Operand`] if the pooling does not make such switches; [`Error::Unsupported`]
/// for what compact switches are not for; [`Error::Limit`] where an operand exceeds a binding.
pub(crate) fn plan(
    op: &MaxUnpool2d,
    input: Shape,
    switches: Source<'_>,
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    plan_stored(op, input, switches, Storage::Words, variant, caps)
}

/// The same for values and a result in f16, [`Storage::Halves`].
///
/// # Errors
/// As [`plan`]; [`Error::Unsupported`] for [`Variant::Scatter`].
pub(crate) fn plan_half(
    op: &MaxUnpool2d,
    input: Shape,
    switches: Source<'_>,
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    plan_stored(op, input, switches, Storage::Halves, variant, caps)
}

fn plan_stored(
    op: &MaxUnpool2d,
    input: Shape,
    switches: Source<'_>,
    maps: Storage,
    variant: Option<Variant>,
    caps: &Caps,
) -> Result<KernelPlan> {
    let Source { shape, origin, pool, storage } = switches;
    let output = op.output_shape(input, shape, origin)?;
    let pooled = pool.output_shape(shape.with_extent(origin))?;
    if pooled != shape {
        let expected = format!("{pooled}, from planes of {}x{}", origin[0], origin[1]);
        return Err(Error::operand(OP, "switches", expected, shape));
    }
    check_bytes(OP, format_args!("input of {input}"), 4 * maps.words(input), caps)?;
    check_bytes(OP, format_args!("switches of {shape}"), 4 * storage.words(shape), caps)?;
    check_bytes(OP, format_args!("output of {output}"), 4 * maps.words(output), caps)?;
    let variant = variant.unwrap_or_else(|| select(pool));
    let shapes = [input, output];
    let run = match (variant, storage) {
        (Variant::Gather, Storage::Words) => vec![gather(shapes, origin, pool, maps, caps)?],
        (Variant::Gather, Storage::Compact) => vec![compact::gather(shapes, origin, pool, maps, caps)?],
        (Variant::Scatter, Storage::Words) if maps == Storage::Words => scatter::plan(input, output, origin, caps)?,
        (_, Storage::Halves | Storage::Texels(_)) => {
            return Err(Error::operand(OP, "switches", "words, or compact", "another form"));
        }
        (Variant::Scatter, Storage::Words) => {
            return Err(Error::Unsupported {
                what: format!("{OP} by scatter in f16"),
                why: "its claims take a word for each element of the output".to_owned(),
                way_out: "use the variant gather, or f32".to_owned(),
            });
        }
        (Variant::Scatter, Storage::Compact) => {
            return Err(Error::Unsupported {
                what: format!("{OP} by scatter of compact switches"),
                why: "its passes claim cells by flat index".to_owned(),
                way_out: "use the variant gather, or make the switches by the variant switches".to_owned(),
            });
        }
    };
    Ok(KernelPlan { variant: variant.name(), run, ..KernelPlan::default() })
}

/// Windows a cell may be in, up to which [`Variant::Gather`] asks them all. On Mesa's software driver the variants take as
/// long at four; at nine gathering takes half as long again, at sixteen twice as long.
const FEW_WINDOWS: usize = 4;

/// Gathering reads as many switches a cell as there are windows that contain it, scattering makes three passes.
fn select(pool: &MaxPool2d) -> Variant {
    let windows = |axis: usize| ((pool.kernel[axis] - 1) * pool.dilation[axis] + 1).div_ceil(pool.stride[axis]);
    if windows(0) * windows(1) <= FEW_WINDOWS { Variant::Gather } else { Variant::Scatter }
}

fn gather(
    [input, output]: [Shape; 2],
    origin: [usize; 2],
    pool: &MaxPool2d,
    maps: Storage,
    caps: &Caps,
) -> Result<Step> {
    let operands = [Buffer::Input(0), Buffer::Input(1), Buffer::Output(0)];
    let half = maps == Storage::Halves;
    if is_pairs(pool, origin) && output.extent() == origin {
        return two_by_two::step(OP, &UNPOOL, &[], &operands, (input, maps), caps);
    }
    let words = maps.words(output) as usize;
    let params = GatherParams {
        words: words as u32,
        channels: input.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        origin_h: origin[0] as u32,
        origin_w: origin[1] as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: pool.pad.top as u32,
        pad_left: pool.pad.left as u32,
    };
    let constants = window_constants(pool.kernel, pool.stride, pool.dilation);
    flat_step(if half { &GATHER_HALF } else { &GATHER }, &constants, &params, &operands, words, caps)
}

impl Gpu {
    /// [`MaxUnpool2d`] of `x`: its values go back to where the switches say, over zeros.
    ///
    /// # Errors
    /// As [`MaxUnpool2d::output_shape`]; [`Error::Unsupported`] for compact switches and an output of another extent than
    /// their origin; [`Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn max_unpool2d(&self, op: &MaxUnpool2d, x: &GpuTensor, switches: &GpuSwitches) -> Result<GpuTensor> {
        let (pooled, origin, pool) = (switches.shape(), switches.origin(), switches.pool());
        let source = Source { shape: pooled, origin, pool: &pool, storage: switches.storage() };
        let plan = plan(op, x.shape(), source, self.preferred(OP)?, self.caps())?;
        let shape = op.output_shape(x.shape(), pooled, origin)?;
        let output = self.allocate(OP, shape.elements() as u64)?;
        self.execute(OP, &plan, &[x.buffer(), switches.buffer()], &[&output])?;
        Ok(GpuTensor::new(shape, output))
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plan_for = |pool: &MaxPool2d, origin: [usize; 2], variant, [storage, maps]: [Storage; 2], caps: &Caps| {
        let shape = pool.output_shape(Shape::from([2, 3, 1, 1]).with_extent(origin))?;
        let source = Source { shape, origin, pool, storage };
        plan_stored(&MaxUnpool2d::new(), shape, source, maps, variant, caps)
    };
    let any = MaxPool2d::new([3, 2]).stride([2, 1]).pad(1).dilation([1, 2]).ceil();
    let two = MaxPool2d::new([2, 2]);
    let scatter = plan_for(&any, [7, 9], Some(Variant::Scatter), [Storage::Words; 2], &Caps::WEBGPU);
    let gather = |caps: Caps| {
        [Storage::Words, Storage::Halves].into_iter().flat_map(move |maps| {
            [
                plan_for(&any, [7, 9], Some(Variant::Gather), [Storage::Words, maps], &caps),
                plan_for(&two, [8, 20], None, [Storage::Words, maps], &caps),
                plan_for(&two, [8, 20], None, [Storage::Compact, maps], &caps),
                plan_for(&two, [7, 20], None, [Storage::Compact, maps], &caps),
                plan_for(&two, [7, 9], None, [Storage::Compact, maps], &caps),
            ]
        })
    };
    let mut params: Vec<_> = UNPOOL.exhibited().collect();
    params.extend(compact::KERNELS.iter().map(|&kernel| (kernel, compact::Params::FIELDS)));
    params.extend(compact::BY_ROWS_KERNELS.iter().map(|&kernel| (kernel, two_by_two::Params::FIELDS)));
    params.extend([
        (&GATHER, GatherParams::FIELDS),
        (&GATHER_HALF, GatherParams::FIELDS),
        (&scatter::CLAIM, scatter::ClaimParams::FIELDS),
        (&scatter::RESOLVE, scatter::ResolveParams::FIELDS),
    ]);
    let plans = crate::kernel::checks::KINDS.into_iter().flat_map(gather).chain([scatter]).collect();
    crate::kernel::checks::Exhibit { params, plans }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn variant_for(pool: MaxPool2d) -> &'static str {
        let shape = pool.output_shape([1, 2, 33, 35].into()).unwrap();
        let source = Source { shape, origin: [33, 35], pool: &pool, storage: Storage::Words };
        plan(&MaxUnpool2d::new(), shape, source, None, &Caps::WEBGPU).unwrap().variant
    }

    #[test]
    fn windows_that_overlap_many_times_are_scattered() {
        assert_eq!(variant_for(MaxPool2d::new([2, 2])), "gather");
        assert_eq!(variant_for(MaxPool2d::new([3, 3]).stride([2, 2])), "gather");
        assert_eq!(variant_for(MaxPool2d::new([32, 32])), "gather");
        assert_eq!(variant_for(MaxPool2d::new([2, 2]).stride([1, 1])), "gather");
        assert_eq!(variant_for(MaxPool2d::new([3, 2]).stride([1, 1])), "scatter");
    }

    #[test]
    fn switches_of_another_pooling_are_refused() {
        let pairs = MaxPool2d::new([2, 2]);
        let overlapping = pairs.stride([1, 1]);
        let shape = Shape::from([1, 3, 3, 4]);
        let refused = |op: MaxUnpool2d, input: Shape, source, maps, variant| {
            plan_stored(&op, input, source, maps, variant, &Caps::WEBGPU).unwrap_err().to_string()
        };
        for maps in [Storage::Words, Storage::Halves] {
            for storage in [Storage::Words, Storage::Compact] {
                let own = Source { shape, origin: [6, 8], pool: &pairs, storage };
                let (op, gather) = (MaxUnpool2d::new(), Some(Variant::Gather));
                assert!(plan_stored(&op, shape, own, maps, None, &Caps::WEBGPU).is_ok());
                assert_eq!(
                    refused(op, [1, 3, 3, 5].into(), own, maps, None),
                    "max_unpool2d: switches is 1x3x3x4, expected 1x3x3x5, the input's shape"
                );
                assert_eq!(
                    refused(op, shape, Source { origin: [8, 8], ..own }, maps, None),
                    "max_unpool2d: switches is 1x3x3x4, expected 1x3x4x4, from planes of 8x8"
                );
                assert_eq!(
                    refused(op.output_size([5, 8]), shape, own, maps, gather),
                    "max_unpool2d: output_size is [5, 8], expected at least [6, 8], the extent that was pooled"
                );
            }
            let compact = |pool, origin| Source { shape, origin, pool, storage: Storage::Compact };
            let message = refused(MaxUnpool2d::new(), shape, compact(&overlapping, [4, 5]), maps, None);
            assert!(
                message.contains("by compact switches of") && message.contains("2x2 windows of step 2"),
                "{message}"
            );
            let larger = MaxUnpool2d::new().output_size([7, 9]);
            let message = refused(larger, shape, compact(&pairs, [6, 8]), maps, None);
            assert!(message.contains("into 7x9") && message.contains("back to the 6x8 that were pooled"), "{message}");
            assert!(message.ends_with("make the switches by the variant switches"), "{message}");
            let scattered = refused(MaxUnpool2d::new(), shape, compact(&pairs, [6, 8]), maps, Some(Variant::Scatter));
            assert!(scattered.contains("scatter of compact switches"), "{scattered}");
        }
        let own = Source { shape, origin: [6, 8], pool: &pairs, storage: Storage::Words };
        let scattered = refused(MaxUnpool2d::new(), shape, own, Storage::Halves, Some(Variant::Scatter));
        assert!(
            scattered.contains("scatter in f16") && scattered.ends_with("use the variant gather, or f32"),
            "{scattered}"
        );
    }

    #[test]
    fn names_are_parsed() {
        for &variant in Variant::ALL {
            assert_eq!(variant.to_string().parse::<Variant>().unwrap(), variant);
        }
        let message = "sort".parse::<Variant>().unwrap_err().to_string();
        assert_eq!(message, "max_unpool2d: variant is sort, expected gather, scatter");
    }
}
