//! PyTorch's checkpoints from anyone: reading, decoding and writing what was read neither panics, nor runs anything, nor
//! changes a value.
#![no_main]

mod check;

use libfuzzer_sys::fuzz_target;

/// What a legacy checkpoint has before the pickle of its tensors: a magic number, a version, the machine's number sizes.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.";

fuzz_target!(|input: &[u8]| {
    check::check(input.to_vec());
    check::check([LEGACY, input].concat());
    // The same bytes as the pickle of a zip whose lengths and checksums are right, beside one storage.
    check::check(zip(&[("a/data.pkl", input), ("a/data/0", &[0; 64])]));
});

/// An archive of stored records.
fn zip(records: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in records {
        let offset = bytes.len() as u32;
        let numbers = [crc32fast::hash(content), content.len() as u32, content.len() as u32];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
        let common =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], numbers.as_slice(), &(name.len() as u32).to_le_bytes()].concat();
        bytes.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), content].concat());
        directory.extend(
            [b"PK\x01\x02\x14\x00", common.as_slice(), &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let count = (records.len() as u16).to_le_bytes();
    let (start, length) = ((bytes.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    bytes.extend(directory);
    bytes.extend([b"PK\x05\x06\0\0\0\0", count.as_slice(), &count, &length, &start, &[0, 0]].concat());
    bytes
}
