//! Caffe's weight files from anyone: reading, decoding and writing what was read neither panics nor changes a value.
#![no_main]

mod check;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check::check(input.to_vec());
    // The same bytes as one blob of a layer, since few mutations keep three lengths right.
    let length = |content: &[u8]| {
        let mut number = content.len();
        let mut bytes = Vec::new();
        while number > 127 {
            bytes.push(number as u8 | 128);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let blob = [&[0x3a], length(input).as_slice(), input].concat();
    let layer = [b"\x0a\x01w\x12\x0bConvolution".as_slice(), &blob].concat();
    check::check([b"\xa2\x06".as_slice(), &length(&layer), &layer].concat());
});
