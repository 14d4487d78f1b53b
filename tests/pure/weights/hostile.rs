//! Corrupt, truncated and hostile files: one clear refusal each, and never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use switchback::Shape;
use switchback::weights::{Element, Weights};

use crate::common::seeds::for_generated;

use super::{decode_all, file, file_of, floats, refusal};

/// Header, number of data bytes, and what the refusal has to say.
const REFUSED: &[(&str, usize, &str)] = &[
    ("", 0, "the header is not valid"),
    ("{", 0, "the header is not valid"),
    ("[]", 0, "a map from names to tensors"),
    ("null", 0, "a map from names to tensors"),
    (r#"{"a":7}"#, 0, "`a`: invalid type"),
    (r#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "`a`: missing field `data_offsets`"),
    (r#"{"a":{"dtype":"F9","shape":[1],"data_offsets":[0,4]}}"#, 4, "`a`: unknown variant `F9`"),
    (r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "`a`: invalid value: integer `-1`"),
    (r#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "`a`: invalid type: floating point"),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x"#, 4, "trailing characters"),
    (
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        4,
        "`a` occurs twice",
    ),
    (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "`a` is 2 of F32, but 4 bytes"),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "`a` claims bytes 4..0, which end before"),
    (
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        8,
        "`a` claims bytes 4..8, which leave a hole from 0",
    ),
    (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8, "4 bytes follow the last tensor"),
    (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "`a` claims bytes 0..8 of 4: truncated"),
    (
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        8,
        "`b` claims bytes 4..8, which overlap another tensor's that reach to 8",
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        4,
        "`b` claims bytes 0..4, which overlap",
    ),
    // Offsets and extents whose sums and products leave 64 bits.
    (
        r#"{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#,
        4,
        "`a` claims bytes 0..18446744073709551615 of 4",
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,18446744073709551608]}}"#,
        4,
        "`a` claims bytes",
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
        0,
        "`a` is 4294967296x4294967296 of F32, but 0 bytes",
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#,
        0,
        "`a` is 4611686018427387904 of F32, but 0 bytes",
    ),
    (r#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4, "`a`: invalid type"),
    // Other element types.
    (r#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, 8, "`a` is stored as I64, expected F32, F16 or BF16"),
    (r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, 8, "convert it with .float(), or leave it out"),
    (r#"{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}"#, 1, "`a` is 1 of F4, but 1 bytes"),
    // Names that would upset a terminal or fill it.
    ("{\"a\\u001b[2J\":7}", 0, "`a\\u{1b}[2J`"),
];

#[test]
fn each_bad_header_has_its_refusal() {
    for &(header, bytes, expected) in REFUSED {
        let error = refusal(file(header, &vec![0; bytes]));
        assert!(error.contains(expected), "{header}\n  gave: {error}\n  expected: {expected}");
    }
}

#[test]
fn a_long_name_is_cut_in_messages() {
    let error = refusal(file(&format!(r#"{{"{}":7}}"#, "long".repeat(10_000)), &[]));
    assert!(error.len() < 300 && error.contains("long...`"), "{error}");
}

#[test]
fn lengths_that_cannot_be_are_refused_before_anything_is_read() {
    for bytes in 0..8 {
        let error = refusal(vec![0; bytes]);
        assert!(error.contains("too few for a safetensors file") && error.contains(".pth"), "{error}");
    }
    for length in [100_000_001, u64::MAX - 8, u64::MAX] {
        let error = refusal(length.to_le_bytes().to_vec());
        assert!(error.contains(&length.to_string()) && error.contains("not a safetensors file"), "{error}");
    }
    let error = refusal(3_u64.to_le_bytes().to_vec());
    assert!(error.contains("3 bytes long, but only 0 follow: truncated"), "{error}");
}

/// What has the first bytes of another kind of file is told about that kind.
#[test]
fn other_kinds_of_files_are_answered_with_the_way_out() {
    for (bytes, expected) in [
        #[cfg(feature = "checkpoints")]
        (&b"PK\x03\x04\x00\x00\x08\x08archive/data.pkl"[..], "the zip has no directory at its end: truncated"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "compressed by gzip; unpack it first"),
        (b"\x80\x02}q\x00.", "torch.save(model.state_dict(), path)"),
        (b"name: \"net\"", "give the .caffemodel"),
    ] {
        let error = refusal(bytes.to_vec());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_stack_overflow() {
    for start in [r#"{"a":"#, r#"{"__metadata__":"#, ""] {
        let error = refusal(file(&format!("{start}{}", "[".repeat(1_000_000)), &[]));
        assert!(error.contains("the header is not valid"), "{error}");
    }
}

#[test]
fn metadata_and_order_do_not_matter() {
    let header = r#"{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"__metadata__":{"format":"pt"},
        "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"none":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}   "#;
    let weights = Weights::from_bytes(file(header, &floats(&[1.0, 2.0]))).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b", "none"]);
    assert_eq!(weights.tensor("a").unwrap().data(), [1.0]);
    assert_eq!(weights.tensor("b").unwrap().data(), [2.0]);
    assert!(Weights::from_bytes(file("{}", &[])).unwrap().is_empty());
}

fn valid() -> Vec<u8> {
    let required = [("conv.weight", Shape::from([3, 2, 3, 3])), ("conv.bias", Shape::vector(3))];
    Weights::random(required, 1).unwrap().to_bytes(Element::F16).unwrap()
}

#[test]
fn every_truncation_is_refused() {
    let bytes = valid();
    for length in 0..bytes.len() {
        assert!(Weights::from_bytes(bytes[..length].to_vec()).is_err(), "{length} of {} bytes", bytes.len());
    }
    assert!(Weights::from_bytes(bytes).is_ok());
}

/// Numbers near what overflows, near what fits, and ordinary ones.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..40_u64, Just(u64::MAX), Just(u64::MAX / 4), Just(1 << 32), Just(1 << 62), any::<u64>()]
}

#[test]
fn generated_bytes_never_panic() {
    for_generated(512, vec(any::<u8>(), 0..200), |bytes| {
        if let Ok(weights) = Weights::from_bytes(bytes) {
            decode_all(&weights);
        }
    });
}

#[test]
fn generated_headers_never_panic() {
    let dtype = prop_oneof!["F32", "F16", "BF16", "U8", "F4", "I64"];
    let tensors = vec(("[a-c]", dtype, vec(number(), 0..5), number(), number()), 0..4);
    for_generated(512, (tensors, vec(any::<u8>(), 0..40)), |(tensors, data)| {
        let entries: Vec<String> = tensors
            .iter()
            .map(|(name, dtype, shape, start, end)| {
                format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#)
            })
            .collect();
        if let Ok(weights) = Weights::from_bytes(file(&format!("{{{}}}", entries.join(",")), &data)) {
            decode_all(&weights);
        }
    });
}

#[test]
fn a_generated_flip_of_a_bit_never_panics() {
    for_generated(512, (any::<usize>(), 0..8_u32), |(position, bit)| {
        let mut bytes = valid();
        let position = position % bytes.len();
        bytes[position] ^= 1_u8 << bit;
        if let Ok(weights) = Weights::from_bytes(bytes) {
            decode_all(&weights);
        }
    });
}

#[test]
fn what_is_generated_valid_is_read_back() {
    for_generated(512, (vec(1_usize..6, 0..5), any::<u32>()), |(shape, seed)| {
        let values: Vec<f32> = (0..shape.iter().product()).map(|i: usize| (i as f32 + 0.5) * seed as f32).collect();
        let weights = Weights::from_bytes(file_of(&[("w", "F32", &shape, &floats(&values))])).unwrap();
        assert_eq!(weights.get("w").unwrap().shape(), &shape[..]);
        match shape.len() {
            1 | 2 | 4 => assert_eq!(weights.tensor("w").unwrap().into_data(), values),
            _ => assert!(weights.tensor("w").is_err()),
        }
        let again = Weights::from_bytes(weights.to_bytes(Element::F32).unwrap()).unwrap();
        assert_eq!(again.get("w").unwrap().shape(), &shape[..]);
    });
}
