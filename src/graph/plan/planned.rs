//! What a plan says of one node.

use super::super::{Arithmetic, ValueType};
use super::storage;
use crate::gpu::{KernelPlan, Storage};
use crate::kernel;
use crate::op::Cost;

/// One node of a plan.
#[derive(Clone, Debug)]
pub struct PlannedNode {
    /// Its position in the graph.
    pub(in crate::graph) node: usize,
    pub(super) name: String,
    pub(super) operator: &'static str,
    pub(super) outputs: Vec<ValueType>,
    pub(super) storages: Vec<Storage>,
    /// The slots of the outputs, then those of the temporaries.
    pub(super) slots: Vec<usize>,
    pub(super) cost: Cost,
    pub(super) least_bytes: u64,
    pub(in crate::graph) kernel: KernelPlan,
    /// The slot of each of the kernel plan's temporaries that every run writes.
    pub(in crate::graph) scratch: Vec<Option<usize>>,
}

impl PlannedNode {
    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operator's name.
    #[must_use]
    pub fn operator(&self) -> &'static str {
        self.operator
    }

    /// Kinds and shapes of its results.
    #[must_use]
    pub fn outputs(&self) -> &[ValueType] {
        &self.outputs
    }

    /// In which form each of its results lies on the device.
    #[must_use]
    pub fn storages(&self) -> &[Storage] {
        &self.storages
    }

    /// Bytes that its results take on the device.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        self.outputs.iter().zip(&self.storages).map(|(&output, &storage)| 4 * storage::words(output, storage)).sum()
    }

    /// Multiply-adds, parameters and least bytes by the operator's definition.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Bytes of the definition, each operand read once and each result written once, in the forms in which they are kept.
    #[must_use]
    pub fn least_bytes(&self) -> u64 {
        self.least_bytes
    }

    /// The kernel variant that was chosen.
    #[must_use]
    pub fn variant(&self) -> &'static str {
        self.kernel.variant
    }

    /// `[m, r]` along rows and along columns where it computes by minimal filtering F(m x m', r x r'), m cells from r
    /// taps of the kernel or of its pieces.
    #[must_use]
    pub fn minimal_filtering(&self) -> Option<[[usize; 2]; 2]> {
        self.kernel.filtering
    }

    /// Whether its products are those of matrix units.
    #[must_use]
    pub fn on_matrix_units(&self) -> bool {
        use kernel::{conv_transpose2d::Variant as Transposed, conv2d::Variant};
        match self.operator {
            "conv2d" | "conv2d+max_pool2d" => self.variant() == Variant::Cooperative.name(),
            "conv_transpose2d" => self.variant() == Transposed::Cooperative.name(),
            _ => false,
        }
    }

    /// How its kernels compute.
    #[must_use]
    pub fn arithmetic(&self) -> Arithmetic {
        Arithmetic {
            filtering: self.minimal_filtering(),
            half_operands: self.kernel.half_weight,
            half_result: self.storages().first() == Some(&Storage::Halves),
        }
    }

    /// Whether its kernels are those for f32, between conversions from and to f16.
    #[must_use]
    pub fn via_f32(&self) -> bool {
        self.kernel.via_f32
    }

    /// Multiply-adds that its kernels execute.
    #[must_use]
    pub fn executed_macs(&self) -> u64 {
        self.kernel.executed_macs
    }
}
