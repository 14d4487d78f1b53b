//! What has to hold of every file that can be read.

use switchback::weights::Weights;

/// Bytes that views of a storage may be copied into, however small the file.
const LEAST_BUDGET: usize = 1 << 20;

/// Reads, decodes and writes; whatever is read fits the file, and is the same after it was written.
pub fn check(bytes: Vec<u8>) {
    let length = bytes.len().max(LEAST_BUDGET);
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
    let Ok(written) = weights.to_bytes(switchback::weights::Element::F32) else { return };
    let again = Weights::from_bytes(written.clone()).expect("what is written can be read");
    assert_eq!(again.to_bytes(switchback::weights::Element::F32).expect("it was finite"), written);
}
