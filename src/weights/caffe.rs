//! Caffe's `.caffemodel`: a `NetParameter` in protobuf, of which the layers' blobs are wanted and everything else is passed
//! over. Field numbers are those of BVLC's `caffe.proto` and, for batch norms, of the forks by SegNet's and DeconvNet's
//! authors.
//!
//! Names become `LAYER.weight` and `LAYER.bias`, of the forks' batch norms `LAYER.scale` and `LAYER.shift`. A transposed
//! convolution's weight has the axes that this crate expects, and no blob is transposed.

mod blob;
mod wire;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Entry, LeftOut, Storage, Weights, decode, quoted};
use blob::Blob;
use wire::{Fields, Value};

/// What kind of layer it is, as far as its blobs are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Weight and bias, of four axes and one.
    Convolution,
    /// Weight and bias, of two axes and one.
    InnerProduct,
    /// A factor and a shift for each channel: the forks' `BN`, and BVLC's `Scale`.
    Scale,
    /// Anything else.
    Other,
}

impl Kind {
    fn named(name: &str) -> Self {
        match name {
            "Convolution" | "Deconvolution" => Self::Convolution,
            "InnerProduct" => Self::InnerProduct,
            "BN" | "Scale" => Self::Scale,
            _ => Self::Other,
        }
    }

    /// By the old format's `V1LayerParameter.LayerType`.
    fn numbered(number: u64) -> Self {
        match number {
            4 | 39 => Self::Convolution,
            14 => Self::InnerProduct,
            43 => Self::Scale,
            _ => Self::Other,
        }
    }

    /// What the blobs of a layer are called, or `None` if there are too many.
    fn part(self, blob: usize) -> Option<String> {
        let parts = match self {
            Self::Convolution | Self::InnerProduct => ["weight", "bias"],
            Self::Scale => ["scale", "shift"],
            Self::Other => return Some(format!("blob{blob}")),
        };
        parts.get(blob).map(|&part| part.to_owned())
    }

    /// The extents that a part has here: old files write a vector as `1 x 1 x 1 x C` or `1 x C x 1 x 1` and a matrix as
    /// `1 x 1 x O x I`.
    fn extents(self, part: usize, shape: &[usize]) -> Vec<usize> {
        let is_vector = part == 1 || self == Self::Scale;
        match *shape {
            [_, _, _, _] if is_vector && shape.iter().filter(|&&extent| extent != 1).count() <= 1 => {
                vec![shape.iter().product()]
            }
            [1, 1, outputs, inputs] if self == Self::InnerProduct && part == 0 => vec![outputs, inputs],
            _ => shape.to_vec(),
        }
    }
}

/// One layer's message: its name, kind and blobs, wherever in the message they are.
struct Layer {
    name: String,
    kind: Kind,
    blobs: Vec<Range<usize>>,
}

/// The field numbers of a layer's message, which the formats do not share.
struct Schema {
    name: u64,
    kind: u64,
    blobs: u64,
}

const NEW: Schema = Schema { name: 1, kind: 2, blobs: 7 };
const OLD: Schema = Schema { name: 4, kind: 5, blobs: 6 };

/// Whether a file may be one: it begins with a field that a `NetParameter` has.
pub(super) fn begins(bytes: &[u8]) -> bool {
    // The name, a layer in the old format, an input's name, a layer in the new format: messages and strings all of them.
    matches!(bytes, [0x0a | 0x12 | 0x1a, ..] | [0xa2, 0x06, ..])
}

/// Reads all weights; what is wrong comes back as text, to which the caller adds where it was.
pub(super) fn read(storage: Storage) -> Result<Weights, String> {
    let storage = Arc::new(storage);
    let bytes = storage.bytes();
    let mut weights = Weights::new();
    let mut taken = BTreeSet::new();
    let mut net = Fields::of(bytes, 0..bytes.len());
    while let Some(field) = net.next()? {
        let layer = match (field.number, field.value) {
            (100, Value::Bytes(layer)) => read_layer(bytes, layer, &NEW)?,
            (2, Value::Bytes(layer)) => read_layer(bytes, layer, &OLD)?,
            (2 | 100, _) => return Err(format!("field {} holds no layer", field.number)),
            _ => continue,
        };
        if layer.blobs.is_empty() {
            continue;
        }
        if layer.name.is_empty() {
            return Err("a layer with weights has no name".to_owned());
        }
        if !taken.insert(layer.name.clone()) {
            return Err(format!("two layers with weights are called {}", quoted(&layer.name)));
        }
        add_layer(&mut weights, &layer, &storage)
            .map_err(|reason| format!("layer {}: {reason}", quoted(&layer.name)))?;
    }
    if weights.is_empty() {
        return Err("it holds no weights: a .caffemodel that Caffe saved has blobs in its layers".to_owned());
    }
    Ok(weights)
}

fn read_layer(bytes: &[u8], message: Range<usize>, schema: &Schema) -> Result<Layer, String> {
    let mut layer = Layer { name: String::new(), kind: Kind::Other, blobs: Vec::new() };
    let mut fields = Fields::of(bytes, message);
    let in_layer = |name: &str, reason: String| {
        if name.is_empty() { reason } else { format!("layer {}: {reason}", quoted(name)) }
    };
    while let Some(field) = fields.next().map_err(|reason| in_layer(&layer.name, reason))? {
        match (field.number, field.value) {
            (number, Value::Bytes(text)) if number == schema.name => {
                let name =
                    std::str::from_utf8(&bytes[text]).map_err(|_| "a layer's name is no UTF-8 text".to_owned())?;
                name.clone_into(&mut layer.name);
            }
            (number, Value::Bytes(text)) if number == schema.kind => {
                layer.kind = Kind::named(&String::from_utf8_lossy(&bytes[text]));
            }
            (number, Value::Varint(kind)) if number == schema.kind => layer.kind = Kind::numbered(kind),
            (number, Value::Bytes(blob)) if number == schema.blobs => layer.blobs.push(blob),
            (number, _) if number == schema.name || number == schema.blobs => {
                return Err(in_layer(&layer.name, format!("field {number} has another wire type")));
            }
            (1, Value::Bytes(_)) if schema.name == OLD.name => {
                let way_out = "upgrade it with Caffe's `upgrade_net_proto_binary`";
                return Err(format!("it is in the format of 2013 (V0 layers), which is not read; {way_out}"));
            }
            _ => {}
        }
    }
    Ok(layer)
}

fn add_layer(weights: &mut Weights, layer: &Layer, storage: &Arc<Storage>) -> Result<(), String> {
    let mut parts: Vec<(String, Entry)> = Vec::new();
    for (position, message) in layer.blobs.iter().enumerate() {
        let part = layer.kind.part(position);
        let part = part.ok_or_else(|| format!("it has {} blobs, expected at most 2", layer.blobs.len()))?;
        let blob = Blob::read(storage.bytes(), message.clone());
        let mut entry =
            blob.and_then(|blob| blob.into_entry(storage)).map_err(|reason| format!("its {part}: {reason}"))?;
        entry.shape = layer.kind.extents(position, &entry.shape);
        parts.push((format!("{}.{part}", layer.name), entry));
    }
    match why_left_out(layer, &parts) {
        Some(reason) => weights.left_out.extend(parts.into_iter().map(|(name, _)| LeftOut { name, reason })),
        None => weights.entries.extend(parts),
    }
    Ok(())
}

/// Why a layer's blobs are no weights of the networks here, if they are not.
fn why_left_out(layer: &Layer, parts: &[(String, Entry)]) -> Option<&'static str> {
    if ["scale_pool3", "scale_pool4"].contains(&layer.name.as_str()) {
        return Some("a constant of FCN-8s-at-once, which the network itself has");
    }
    // What SegNet's BN-absorber.py leaves behind: taken as they stand, every map would be zero.
    let is_zero = |(name, entry): &(String, Entry)| {
        decode(name, entry, 0..entry.elements()).is_ok_and(|values| values.iter().all(|&value| value == 0.0))
    };
    let absorbed = layer.kind == Kind::Scale && parts.len() == 2 && parts.iter().all(is_zero);
    absorbed.then_some("factor and shift are all zero: the convolution before it has absorbed the batch norm")
}
