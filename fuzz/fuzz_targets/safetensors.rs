//! Weight files from anyone: reading, decoding and writing them again neither panics nor changes a value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchback::weights::{Element, Weights};

fuzz_target!(|input: &[u8]| {
    check(input.to_vec());
    // The same bytes as header and data, split at the first NUL: mutations need not keep the header's length right.
    let split = input.iter().position(|&byte| byte == 0).unwrap_or(input.len());
    let (header, data) = (&input[..split], input.get(split + 1..).unwrap_or_default());
    check([&(header.len() as u64).to_le_bytes(), header, data].concat());
});

fn check(bytes: Vec<u8>) {
    let length = bytes.len();
    let Ok(weights) = Weights::from_bytes(bytes) else { return };
    for name in weights.names() {
        let entry = weights.get(name).expect("a listed name is there");
        assert!(entry.byte_len() <= length, "{name} is larger than its file");
        let rows = entry.shape().first().copied().unwrap_or(0);
        if let Ok(tensor) = weights.tensor(name) {
            let last = weights.tensor_rows(name, rows - 1..rows).expect("the whole was sound");
            assert!(tensor.data().ends_with(last.data()), "{name}: the last row is not the end of the whole");
        }
        assert!(weights.tensor_rows(name, rows..rows.saturating_add(1)).is_err(), "{name}: a row past the end");
    }
    let Ok(written) = weights.to_bytes(Element::F32) else { return };
    let again = Weights::from_bytes(written.clone()).expect("what is written can be read");
    assert_eq!(again.to_bytes(Element::F32).expect("it was finite"), written);
}
