//! Weight files: what they give, how they are refused, and that writing one loses nothing.

mod file;
mod hostile;
mod store;
mod vgg;

use serde_json::{Map, Value, json};
use switchback::weights::{Element, Weights};

/// A file with this header, its length in front, and these bytes after it.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A file of tensors `(name, dtype, shape, bytes)`, laid out as the format demands.
fn file_of(tensors: &[(&str, &str, &[usize], &[u8])]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let end = data.len() + bytes.len();
        header.insert((*name).to_owned(), json!({"dtype": dtype, "shape": shape, "data_offsets": [data.len(), end]}));
        data.extend_from_slice(bytes);
    }
    file(&Value::Object(header).to_string(), &data)
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The message with which reading refuses these bytes.
fn refusal(bytes: Vec<u8>) -> String {
    Weights::from_bytes(bytes).unwrap_err().to_string()
}

/// Decodes everything there is, which must never panic.
fn decode_all(weights: &Weights) {
    for name in weights.names() {
        let _ = weights.tensor(name);
        let rows = weights.get(name).unwrap().shape().first().copied().unwrap_or(0);
        let _ = weights.tensor_rows(name, 0..rows.min(2));
        let _ = weights.tensor_rows(name, rows.saturating_sub(1)..rows);
    }
    for element in [Element::F32, Element::F16, Element::Bf16] {
        let _ = weights.to_bytes(element);
    }
}
