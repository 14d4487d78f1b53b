//! How fast matrix units multiply and add, f16 into f32.

use super::{LONG_ENOUGH, OP, wrong};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Cooperative, Gpu, Kernel, Part, Step, fold_workgroups};
use crate::kernel::{MATRIX_8, MATRIX_16, params, part};

static MAIN: Part = part!("ceiling/matrices.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    Kernel { name, parts, bindings: &[Access::Uniform, Access::Read, Access::Write], needs_float_atomics: false }
}

pub(super) static MATRICES_8: Kernel = kernel("ceiling/matrices_8", &[&MATRIX_8, &MAIN]);
pub(super) static MATRICES_16: Kernel = kernel("ceiling/matrices_16", &[&MATRIX_16, &MAIN]);

params! {
    /// Uniforms of `ceiling/matrices`; the shader says what they mean.
    struct MatrixParams {
        workgroups: u32,
        rounds: u32,
    }
}

/// Workgroups: enough for every processor of a large device.
const WORKGROUPS: u64 = 1024;

/// Products of matrices that a round of a subgroup does.
const PRODUCTS_A_ROUND: u64 = 8;

/// Rounds at first, so that the loop outweighs what is before and after it, and the most that keep every sum exact.
const ROUNDS: std::ops::RangeInclusive<u32> = 8..=4096;

/// What the two left matrices are full of, then the four right ones, as f16.
const OPERANDS: [(u16, u32); 6] = [(0x3c00, 1), (0x4000, 2), (0x3c00, 1), (0x4000, 2), (0x4200, 3), (0x4400, 4)];

impl Gpu {
    /// Operations a second of the device's matrix units; `None` without such, or where they did not pass their trial.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::Error::Gpu) if the kernel computes something else; the device's faults.
    pub(super) async fn matrix_flops_per_s(&self) -> Result<Option<f64>> {
        let Some(units) = self.caps().cooperative else { return Ok(None) };
        match self.check_cooperative(OP).await {
            Err(error) if error.is_unsupported() => return Ok(None),
            tried => tried?,
        }
        let matrix = (units.tile * units.tile) as usize;
        let operands: Vec<u16> = OPERANDS.iter().flat_map(|&(bits, _)| vec![bits; matrix]).collect();
        let elements = WORKGROUPS * subgroups(units) * u64::from(units.lanes);
        let (x, y) = (self.allocate(OP, operands.len() as u64 / 2)?, self.allocate(OP, elements)?);
        self.write(OP, &x, bytemuck::cast_slice(&operands))?;
        let mut rounds = *ROUNDS.start();
        loop {
            let step = step(units, rounds, self.caps())?;
            let seconds = self.best_seconds(&step, super::REPETITIONS, 1, &[&x], &y).await?;
            let computed = self.read::<f32>(OP, &y, elements as usize).await?;
            if computed.iter().any(|&value| value != answer(units, rounds)) {
                return Err(wrong(step.kernel));
            }
            if seconds >= LONG_ENOUGH || rounds >= *ROUNDS.end() {
                let products = WORKGROUPS * subgroups(units) * PRODUCTS_A_ROUND * u64::from(rounds);
                return Ok(Some(2.0 * (products * u64::from(units.tile).pow(3)) as f64 / seconds));
            }
            rounds = (rounds * 4).min(*ROUNDS.end());
        }
    }
}

/// Subgroups of a workgroup of up to 256 invocations.
fn subgroups(units: Cooperative) -> u64 {
    u64::from(256 / units.lanes).clamp(1, 8)
}

fn step(units: Cooperative, rounds: u32, caps: &Caps) -> Result<Step> {
    let params = MatrixParams { workgroups: WORKGROUPS as u32, rounds };
    Ok(Step {
        kernel: if units.tile == 16 { &MATRICES_16 } else { &MATRICES_8 },
        constants: vec![("LANES", f64::from(units.lanes)), ("SUBGROUPS", subgroups(units) as f64)],
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: [Buffer::Input(0), Buffer::Output(0)].map(Into::into).to_vec(),
        workgroups: fold_workgroups(WORKGROUPS, caps)?,
    })
}

/// Each element of a sum is rounds * TILE * left * right; an invocation holds TILE * TILE / LANES of each.
fn answer(units: Cooperative, rounds: u32) -> f32 {
    let [left, right] = [&OPERANDS[..2], &OPERANDS[2..]].map(|side| side.iter().map(|&(_, value)| value).sum::<u32>());
    (rounds * units.tile.pow(3) / units.lanes * left * right) as f32
}

#[cfg(test)]
pub(super) fn exhibit() -> (Vec<crate::kernel::checks::ParamsExhibit>, Vec<Result<Step>>) {
    let units = [[8, 8], [16, 32]].map(|[tile, lanes]| Cooperative { tile, lanes });
    let params = [&MATRICES_8, &MATRICES_16].map(|kernel| (kernel, MatrixParams::FIELDS));
    (params.to_vec(), units.map(|units| step(units, 3, &Caps::WEBGPU)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stay_exact_for_all_rounds() {
        for [tile, lanes] in [[8, 8], [8, 32], [16, 32], [16, 64], [16, 128]] {
            let units = Cooperative { tile, lanes };
            assert!(answer(units, *ROUNDS.end()) < 16_777_216.0);
            assert_ne!(answer(units, *ROUNDS.end()), answer(units, ROUNDS.end() - 1));
        }
        assert_eq!(answer(Cooperative { tile: 16, lanes: 32 }, 1), 3840.0);
    }
}
