//! Unpooling by switches that claim their cells: three passes, however large the windows.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Step};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, params, part, zero};
use crate::shape::Shape;

pub(super) static CLAIM: Kernel = Kernel {
    name: "max_unpool2d/claim",
    parts: &[&INDEX, &part!("max_unpool2d/claim.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(super) static RESOLVE: Kernel = Kernel {
    name: "max_unpool2d/resolve",
    parts: &[&INDEX, &part!("max_unpool2d/resolve.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `max_unpool2d/claim`; the shader says what they mean.
    pub(super) struct ClaimParams {
        elements: u32,
        x_plane: u32,
        y_plane: u32,
        origin_w: u32,
        out_w: u32,
    }
}

params! {
    /// Uniforms of `max_unpool2d/resolve`.
    pub(super) struct ResolveParams {
        elements: u32,
    }
}

/// Clears the claims, makes them, and turns them into values.
pub(super) fn plan(input: Shape, output: Shape, origin: [usize; 2], caps: &Caps) -> Result<Vec<Step>> {
    let cells = ResolveParams { elements: output.elements() as u32 };
    let claims = ClaimParams {
        elements: input.elements() as u32,
        x_plane: input.plane() as u32,
        y_plane: output.plane() as u32,
        origin_w: origin[1] as u32,
        out_w: output.w as u32,
    };
    let (x, switches, y) = (Buffer::Input(0), Buffer::Input(1), Buffer::Output(0));
    Ok(vec![
        zero::step(y, output.elements(), caps)?,
        flat_step(&CLAIM, &[], &claims, &[switches, y], input.elements(), caps)?,
        flat_step(&RESOLVE, &[], &cells, &[x, y], output.elements(), caps)?,
    ])
}
