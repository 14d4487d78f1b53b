//! In which form each value lies on the device.

use std::collections::{HashMap, HashSet};

use super::Preferences;
use crate::gpu::{Elements, KernelPlan, Storage};
use crate::graph::{Edge, Graph, Node, Operation, ValueType};
use crate::kernel::{max_pool2d, max_unpool2d};

/// The form of every value of a graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Storages {
    /// Those that are not [`Storage::Words`].
    other: HashMap<Edge, Storage>,
}

impl Storages {
    /// The forms that take least memory of those that all who touch a value know. What the caller gives or takes is in words,
    /// but for f16 maps that other nodes read too, and images where it has them as texels.
    pub(super) fn choose(graph: &Graph, preferences: &Preferences<'_>) -> Self {
        let mut storages = Self::default();
        let halves = graph.halves(preferences.elements);
        storages.other.extend(halves.into_iter().map(|edge| (edge, Storage::Halves)));
        if let Some(texels) = preferences.texels {
            let is_image = |&edge: &Edge| matches!(graph.value_type(edge), ValueType::Image { .. });
            storages.other.extend(graph.pinned().filter(is_image).map(|edge| (edge, Storage::Texels(texels))));
        }
        if preferences.allow_compact_switches() {
            let switches = graph.live_nodes().flat_map(|(node, _)| graph.edges_of(node));
            let compact = switches.filter(|&(edge, value_type)| graph.may_be_compact(edge, value_type));
            storages.other.extend(compact.map(|(edge, _)| (edge, Storage::Compact)));
        }
        storages
    }

    /// A value's form.
    pub(super) fn of(&self, edge: Edge) -> Storage {
        self.other.get(&edge).copied().unwrap_or_default()
    }

    /// A node's least bytes by its definition, with its values and weights in the forms in which they are kept. Of a value of
    /// which the definition reads a part, such as a crop's, that part is taken to shrink as all of them do.
    pub(super) fn least_bytes(&self, graph: &Graph, node: usize, kernel: &KernelPlan) -> u64 {
        let described = &graph.nodes()[node];
        let read = described.inputs().iter().map(|&edge| (edge, graph.value_type(edge)));
        let values: Vec<_> = read.chain(graph.edges_of(node)).collect();
        let plain: u64 = values.iter().map(|(_, value_type)| value_type.bytes()).sum();
        let kept: u64 = values.iter().map(|&(edge, value_type)| 4 * words(value_type, self.of(edge))).sum();
        let cost = described.cost();
        let moved =
            u128::from(cost.bytes.saturating_sub(4 * cost.parameters)) * u128::from(kept) / u128::from(plain.max(1));
        moved as u64 + cost.parameters * if kernel.half_weight { 2 } else { 4 }
    }
}

/// 4-byte words that a value takes in a form.
pub(super) fn words(value_type: ValueType, storage: Storage) -> u64 {
    match value_type {
        ValueType::Tensor(shape) | ValueType::Switches { shape, .. } => storage.words(shape),
        ValueType::Image { extent: [h, w] } if storage != Storage::Words => storage.words([1, 3, h, w].into()),
        ValueType::Labels { .. } | ValueType::Image { .. } => value_type.words(),
    }
}

impl Preferences<'_> {
    /// Whether the variants that the caller wants know compact switches.
    fn allow_compact_switches(&self) -> bool {
        let pool = (self.asked)("max_pool2d").is_none_or(|name| name == max_pool2d::Variant::CompactSwitches.name());
        pool && (self.asked)("max_unpool2d").is_none_or(|name| name == max_unpool2d::Variant::Gather.name())
    }
}

impl Graph {
    /// The maps to be kept in f16: those that some node computes with. What is only chosen among or compared, perhaps after it
    /// was moved, stays in f32.
    fn halves(&self, elements: &Elements) -> Vec<Edge> {
        let readers = |edge: Edge| self.live_nodes().filter(move |(_, node)| node.inputs().contains(&edge));
        let mut compared: HashSet<Edge> = HashSet::new();
        let mut halves = Vec::new();
        let nodes: Vec<(usize, &Node)> = self.live_nodes().collect();
        for (position, node) in nodes.into_iter().rev() {
            for (edge, _) in self.edges_of(position).filter(|(_, value_type)| value_type.tensor().is_some()) {
                let compares = |(position, node): (usize, &Node)| match node.operation() {
                    Operation::ArgmaxChannels | Operation::SoftmaxChannels => true,
                    Operation::Crop(_) | Operation::Slice(_) => {
                        self.edges_of(position).all(|(edge, _)| compared.contains(&edge))
                    }
                    _ => false,
                };
                let is_port = *node.operation() == Operation::Input || readers(edge).next().is_none();
                let may_be = if readers(edge).all(compares) {
                    compared.insert(edge);
                    is_port && elements.has_ports()
                } else {
                    !is_port || elements.has_ports()
                };
                if may_be && elements.halves(node.name()) {
                    halves.push(edge);
                }
            }
        }
        halves
    }

    /// Whether a value is switches that only go into unpoolings to where they came from, and take at most a quarter of the
    /// pooled map's memory in compact form.
    fn may_be_compact(&self, edge: Edge, value_type: ValueType) -> bool {
        let ValueType::Switches { shape, origin, pool } = value_type else { return false };
        let saves = 4 * Storage::Compact.words(shape) <= Storage::Words.words(shape);
        let returns = |node: &Node| match node.operation() {
            Operation::MaxUnpool2d(op) => op.output_size.is_none_or(|size| size == origin),
            _ => false,
        };
        let mut readers = self.live_nodes().filter(|(_, node)| node.inputs().contains(&edge));
        let made_here = *self.nodes()[edge.node()].operation() != Operation::Input;
        made_here
            && saves
            && Storage::holds_compactly(&pool)
            && !self.pinned().any(|pinned| pinned == edge)
            && readers.all(|(_, node)| returns(node))
    }
}
