//! What the device is asked to do, as data: kernels, dispatches and the buffers they name. No wgpu calls here, so that
//! all of it can be made and tested without a device.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::Caps;
use crate::gpu::unroll::written_out;

/// One WGSL file, or a part of one.
#[derive(Debug)]
pub(crate) struct Part {
    /// Path under `shaders/`, for messages.
    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "of `locate` alone, whose use compilers judge differently")
    )]
    pub(crate) path: &'static str,
    /// Its text.
    pub(crate) source: &'static str,
}

impl Part {
    /// Whether it names the type of unsigned integers of 64 bits outside comments. Naga has it without a directive, so
    /// that its use is what tells that a device needs the feature.
    pub(crate) fn has_int64(&self) -> bool {
        let words = |line: &'static str| {
            let code = line.split_once("//").map_or(line, |(code, _)| code);
            code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        };
        self.source.lines().flat_map(words).any(|word| word == "u64")
    }

    /// Whether it asks for an invocation's place in a subgroup. Naga has no directive for that either.
    pub(crate) fn has_subgroups(&self) -> bool {
        self.source.contains("@builtin(subgroup_")
    }
}

/// How a kernel uses one of its bindings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// `var<uniform>`
    Uniform,
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    Write,
}

/// A WGSL kernel: sources that are valid once joined, with one entry point `main`.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Stem of its file, as in `conv2d/direct`.
    pub(crate) name: &'static str,
    /// The parts it uses, its own file last.
    pub(crate) parts: &'static [&'static Part],
    /// Bindings of group 0 in order; binding 0 is the uniform `params`.
    pub(crate) bindings: &'static [Access],
    /// Whether it needs `SHADER_FLOAT32_ATOMIC`.
    pub(crate) needs_float_atomics: bool,
}

/// Of one name there is one, which pipelines go by too.
impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Kernel {
    /// The joined source, with loops written out that ask for it.
    pub(crate) fn source(&self) -> String {
        written_out(&self.parts.iter().map(|part| part.source).collect::<Vec<_>>().join("\n"))
    }

    /// Whether one of its parts has the directive `enable EXTENSION;`: what it needs of the device.
    pub(crate) fn enables(&self, extension: &str) -> bool {
        let directive = format!("enable {extension};");
        self.parts.iter().any(|part| part.source.lines().any(|line| line == directive))
    }

    /// Whether one of its parts has integers of 64 bits.
    pub(crate) fn has_int64(&self) -> bool {
        self.parts.iter().any(|part| part.has_int64())
    }

    /// Whether one of its parts asks for an invocation's place in a subgroup.
    pub(crate) fn has_subgroups(&self) -> bool {
        self.parts.iter().any(|part| part.has_subgroups())
    }

    /// Which part's file, and which line of it, a line of the joined source came from; lines count from 1.
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "browsers locate shader errors themselves"))]
    pub(crate) fn locate(&self, line: u32) -> Option<(&'static str, u32)> {
        let mut first = 1;
        for part in self.parts {
            // A part that ends in a newline is followed by an empty line of its own in the joined source.
            let lines = part.source.matches('\n').count() as u32 + 1;
            if (first..first + lines).contains(&line) {
                return Some((part.path, line - first + 1));
            }
            first += lines;
        }
        None
    }
}

/// A buffer as a plan knows it: by its place among the operator's operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Buffer {
    /// The operator's input of this position (optional ones keep their place).
    Input(usize),
    /// The operator's output of this position.
    Output(usize),
    /// A temporary of [`KernelPlan::scratch`].
    Scratch(usize),
    /// 16 zero bytes, for an optional operand that is absent.
    Absent,
    /// A word that a kernel sets where a number is too large for f16: to 1 for a result
    /// (`shaders/convert/half_word.wgsl`), to 2 for an operand (`shaders/convert/range.wgsl`).
    Overflow,
}

/// A binding of a dispatch: a buffer, or a run of its 4-byte words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Operand {
    /// Which buffer.
    pub(crate) buffer: Buffer,
    /// Which words of it; all if `None`. The start must be aligned to [`Caps::storage_alignment`] bytes.
    pub(crate) words: Option<Range<u64>>,
}

impl From<Buffer> for Operand {
    fn from(buffer: Buffer) -> Self {
        Self { buffer, words: None }
    }
}

/// One dispatch.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Step {
    /// What runs.
    pub(crate) kernel: &'static Kernel,
    /// Values of its pipeline `override`s, by name.
    pub(crate) constants: Vec<(&'static str, f64)>,
    /// Bytes of its uniform `params`.
    pub(crate) params: Vec<u8>,
    /// Bindings 1 and up, in order.
    pub(crate) operands: Vec<Operand>,
    /// Workgroups along x, y, z; each at most [`Caps::max_workgroups`].
    pub(crate) workgroups: [u32; 3],
}

/// A temporary buffer of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scratch {
    /// Its size in 4-byte words.
    pub(crate) words: u64,
    /// Written by `prepare` and kept (packed weights), rather than rewritten by every run.
    pub(crate) persistent: bool,
}

/// Everything one operator does on the device at given shapes.
///
/// `prepare` runs once (in a session; before each `run` of an eager call) and may read weights only; `run` is each run's
/// work. Dispatches see the writes of those before them.
#[derive(Clone, Debug, Default)]
pub(crate) struct KernelPlan {
    /// Name of the chosen variant, for plans, profiles and benchmarks.
    pub(crate) variant: &'static str,
    /// Multiply-adds that `run` executes, inserted zeros and padding of tiles included.
    pub(crate) executed_macs: u64,
    /// `[m, r]` along rows and along columns where it computes by minimal filtering F(m x m', r x r').
    pub(crate) filtering: Option<[[usize; 2]; 2]>,
    /// Whether the weight that dispatches of `run` read was rounded to f16 by `prepare`.
    pub(crate) half_weight: bool,
    /// Whether the kernels are those for f32, between conversions from and to f16.
    pub(crate) via_f32: bool,
    /// Temporaries.
    pub(crate) scratch: Vec<Scratch>,
    /// Dispatches over weights, once.
    pub(crate) prepare: Vec<Step>,
    /// Dispatches of each run.
    pub(crate) run: Vec<Step>,
}

impl KernelPlan {
    /// Another temporary of so many words, which every run rewrites.
    pub(crate) fn temporary(&mut self, words: u64) -> Buffer {
        self.scratch(Scratch { words, persistent: false })
    }

    /// Another temporary of so many words, which `prepare` writes and runs read.
    pub(crate) fn persistent(&mut self, words: u64) -> Buffer {
        self.scratch(Scratch { words, persistent: true })
    }

    fn scratch(&mut self, scratch: Scratch) -> Buffer {
        self.scratch.push(scratch);
        Buffer::Scratch(self.scratch.len() - 1)
    }
}

/// Workgroups for so many of them in a row, folded into three dimensions where one would not hold them. Some at the end
/// may be idle: kernels that are folded compare their flat index (`shaders/common/index.wgsl`) with the count.
///
/// # Errors
/// [`Error::Limit`] where even three dimensions do not hold them.
pub(crate) fn fold_workgroups(count: u64, caps: &Caps) -> Result<[u32; 3]> {
    let most = u64::from(caps.max_workgroups);
    let x = count.clamp(1, most);
    let y = count.div_ceil(x).clamp(1, most);
    let z = count.div_ceil(x * y).max(1);
    if z > most {
        return Err(Error::Limit {
            what: "a dispatch".to_owned(),
            needed: count,
            available: most.saturating_pow(3),
            unit: "workgroups",
            way_out: "split the input".to_owned(),
        });
    }
    Ok([x as u32, y as u32, z as u32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_64_bits_are_seen_in_code_only() {
        for (source, has) in [
            ("var<storage, read> x: array<u64>;", true),
            ("let a = 1;\nlet b = u64(a); // of 32 bits", true),
            ("// as a u64\nlet a = 1u; // u64", false),
            ("let u64_words = array<u32>();", false),
        ] {
            assert_eq!(Part { path: "a.wgsl", source }.has_int64(), has, "{source}");
        }
    }

    #[test]
    fn lines_of_the_joined_source_are_found_in_their_parts() {
        static A: Part = Part { path: "a.wgsl", source: "one\ntwo\n" };
        static B: Part = Part { path: "b.wgsl", source: "three" };
        static C: Part = Part { path: "c.wgsl", source: "four\nfive" };
        static KERNEL: Kernel = Kernel { name: "k", parts: &[&A, &B, &C], bindings: &[], needs_float_atomics: false };
        let source = KERNEL.source();
        for (path, line, text) in [
            ("a.wgsl", 1, "one"),
            ("a.wgsl", 2, "two"),
            ("b.wgsl", 1, "three"),
            ("c.wgsl", 1, "four"),
            ("c.wgsl", 2, "five"),
        ] {
            let joined = source.lines().position(|l| l == text).map(|l| l as u32 + 1);
            assert_eq!(joined.and_then(|l| KERNEL.locate(l)), Some((path, line)), "{text}");
        }
        assert_eq!((KERNEL.locate(0), KERNEL.locate(7)), (None, None));
    }
}
