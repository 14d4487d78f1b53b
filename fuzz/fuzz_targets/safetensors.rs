//! Weight files from anyone: reading, decoding and writing them again neither panics nor changes a value.
#![no_main]

mod check;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check::check(input.to_vec());
    // The same bytes as header and data, split at the first NUL: mutations need not keep the header's length right.
    let split = input.iter().position(|&byte| byte == 0).unwrap_or(input.len());
    let (header, data) = (&input[..split], input.get(split + 1..).unwrap_or_default());
    check::check([&(header.len() as u64).to_le_bytes(), header, data].concat());
});
