//! What tests ask of a variant of an operator: whether it is for a problem, and which answer it owes.

use switchback::gpu::Caps;
use switchback::kernel::{AnyVariant, conv_transpose2d, conv2d};
use switchback::reference::{self, Answer};
use switchback::{Conv2d, ConvTranspose2d};

use super::problem::{ConvOperands, ConvProblem};

/// A variant of the operator `Op`.
pub(crate) trait VariantOf<Op>: Copy + Into<AnyVariant> {
    fn name(self) -> &'static str;

    /// Whether it is for this problem at all; where it is not, asking for it must be refused.
    fn applies(self, caps: &Caps, problem: &ConvProblem<Op>) -> bool;

    /// The reference's answer, with the bound that the variant keeps.
    fn answer(self, problem: &ConvProblem<Op>, operands: &ConvOperands) -> Answer;

    /// Whether integers come out equal, not only close: F(4x4, 3x3) divides by 6 and 24, F(4x4, 4x4) by 945, tiles of 8x8
    /// cells by 9 and 90.
    fn is_exact(self) -> bool;

    /// Whether NaNs and infinities reach the results that the reference gives them to, and no others: minimal filtering spreads
    /// them over its tiles, and what rounds operands to f16 refuses them.
    fn keeps_specials(self) -> bool;
}

impl VariantOf<Conv2d> for conv2d::Variant {
    fn name(self) -> &'static str {
        self.name()
    }

    fn applies(self, caps: &Caps, problem: &ConvProblem<Conv2d>) -> bool {
        let op = &problem.op;
        let dense = (op.stride, op.dilation) == ([1, 1], [1, 1]);
        match self {
            Self::Cooperative => caps.cooperative.is_some(),
            // Parts are of 16 input channels at least.
            Self::SplitK => problem.input[1] / op.groups > 16,
            Self::Depthwise => dense && problem.input[1] == op.groups,
            Self::DotProduct => {
                let padded = op.pad.before() != [0, 0] || op.pad.after() != [0, 0];
                let dilated = (0..2).any(|axis| op.kernel[axis] > 1 && op.dilation[axis] > 1);
                op.kernel == problem.input[2..] && !padded && !dilated
            }
            Self::WinogradF2 | Self::WinogradF4 => dense && op.kernel == [3, 3],
            Self::WinogradPieces => dense,
            Self::WinogradEight => dense && op.kernel.iter().all(|taps| (2..=7).contains(taps)),
            _ => true,
        }
    }

    fn answer(self, problem: &ConvProblem<Conv2d>, operands: &ConvOperands) -> Answer {
        let ConvOperands { x, w, bias } = operands;
        let (op, bias) = (&problem.op, bias.as_ref());
        let filtered = |sizes| reference::conv2d_minimal_filtering(op, x, w, bias, sizes).unwrap();
        match self {
            Self::WinogradF2 => filtered([[2, 3]; 2]),
            Self::WinogradF4 => filtered([[4, 3]; 2]),
            Self::WinogradPieces => filtered([[4, 4]; 2]),
            Self::WinogradEight => filtered(op.kernel.map(|taps| [9 - taps, taps])),
            Self::Cooperative => reference::conv2d_half_operands(op, x, w, bias).unwrap(),
            _ => reference::conv2d(op, x, w, bias).unwrap(),
        }
    }

    fn is_exact(self) -> bool {
        !matches!(self, Self::WinogradF4 | Self::WinogradPieces | Self::WinogradEight)
    }

    fn keeps_specials(self) -> bool {
        self.is_exact() && !matches!(self, Self::WinogradF2 | Self::Cooperative)
    }
}

impl VariantOf<ConvTranspose2d> for conv_transpose2d::Variant {
    fn name(self) -> &'static str {
        self.name()
    }

    fn applies(self, caps: &Caps, problem: &ConvProblem<ConvTranspose2d>) -> bool {
        let op = &problem.op;
        let border =
            |axis: usize| op.dilation[axis] * (op.kernel[axis] - 1) >= op.pad.before()[axis].max(op.pad.after()[axis]);
        let flipped = op.stride == [1, 1] && border(0) && border(1);
        match self {
            Self::Cooperative => caps.cooperative.is_some(),
            Self::Flipped => flipped,
            // A part sums over 16 input channels of a group.
            Self::FlippedSplitK => flipped && problem.input[1] / op.groups > 16,
            Self::FlippedF2 | Self::FlippedF4 => flipped && (op.kernel, op.dilation) == ([3, 3], [1, 1]),
            Self::FlippedPieces => flipped && op.dilation == [1, 1],
            Self::FlippedEight => {
                flipped && op.dilation == [1, 1] && op.kernel.iter().all(|taps| (2..=7).contains(taps))
            }
            Self::Product => problem.input[2..] == [1, 1],
            Self::SharedPhases => (0..2).all(|axis| op.kernel[axis] == 2 * op.stride[axis]) && op.dilation == [1, 1],
            Self::Interpolate => {
                let short = (0..2).all(|axis| op.kernel[axis] <= 2 * op.stride[axis]);
                let apart = op.groups == problem.input[1] && op.groups == problem.output_channels;
                apart && short && op.dilation == [1, 1]
            }
            _ => true,
        }
    }

    fn answer(self, problem: &ConvProblem<ConvTranspose2d>, operands: &ConvOperands) -> Answer {
        let ConvOperands { x, w, bias } = operands;
        let (op, bias) = (&problem.op, bias.as_ref());
        let filtered = |sizes| reference::conv_transpose2d_minimal_filtering(op, x, w, bias, sizes).unwrap();
        match self {
            Self::FlippedF2 => filtered([[2, 3]; 2]),
            Self::FlippedF4 => filtered([[4, 3]; 2]),
            Self::FlippedPieces => filtered([[4, 4]; 2]),
            Self::FlippedEight => filtered(op.kernel.map(|taps| [9 - taps, taps])),
            Self::Cooperative => reference::conv_transpose2d_half_operands(op, x, w, bias).unwrap(),
            _ => reference::conv_transpose2d(op, x, w, bias).unwrap(),
        }
    }

    fn is_exact(self) -> bool {
        !matches!(self, Self::FlippedF4 | Self::FlippedPieces | Self::FlippedEight)
    }

    fn keeps_specials(self) -> bool {
        self.is_exact() && !matches!(self, Self::FlippedF2 | Self::Cooperative)
    }
}
