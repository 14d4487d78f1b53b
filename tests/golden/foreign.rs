//! Weight files of other tools: what they hold, by Caffe's own schema through Python's protobuf and by `torch.save`; and
//! hostile ones, each of which has to be refused for its own reason (data and provenance: `tests/golden/foreign`).

use std::fs;
use std::path::PathBuf;

use proptest::{collection::vec, prelude::any};
use safetensors::{SafeTensors, tensor::Dtype};
use serde::Deserialize;
use switchback::net::{DeconvNet, Fcn, Head, SegNet, Segmentation};
use switchback::weights::Weights;

use crate::common::project::project;
use crate::common::seeds::for_generated;

/// One file.
#[derive(Deserialize)]
struct Record {
    name: String,
    file: String,
    expect: String,
    tensors: Option<String>,
    prefix: Option<String>,
    names: Option<String>,
    why: String,
}

fn folder() -> PathBuf {
    project("tests/golden/foreign")
}

fn records() -> Vec<Record> {
    serde_json::from_slice(&fs::read(folder().join("foreign.json")).unwrap()).unwrap()
}

fn record(name: &str) -> Record {
    records().into_iter().find(|record| record.name == name).unwrap()
}

/// Opens a file and decodes every tensor: a number that is none shows only then.
fn read(record: &Record) -> switchback::Result<Weights> {
    let weights = Weights::open(folder().join(&record.file))?;
    let saved = weights.to_bytes(switchback::weights::Element::F32)?;
    assert!(!saved.is_empty());
    Ok(weights)
}

/// The names that Caffe's blobs have here, by their number.
const PARTS: [&str; 3] = ["weight", "bias", "blob"];

/// The name here of a tensor that is expected: those of `odd.caffemodel` are called by layer and number.
fn name_of<'a>(record: &Record, name: &'a str, weights: &Weights) -> std::borrow::Cow<'a, str> {
    if record.name != "caffe-odd" {
        return name.into();
    }
    let (layer, number) = name.split_once('/').unwrap();
    let named = format!("{layer}.{}", PARTS[number.parse::<usize>().unwrap()]);
    if weights.get(&named).is_some() { named.into() } else { format!("{layer}.blob{number}").into() }
}

/// Asserts that `weights` are exactly what the record expects; whole numbers are left out, f64 are rounded.
fn check(record: &Record, weights: &Weights) {
    let (file, prefix) = (record.tensors.as_ref().unwrap(), record.prefix.as_ref().unwrap());
    let bytes = fs::read(folder().join(file)).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let mut found = 0;
    for (name, view) in expected.tensors() {
        let Some(name) = name.strip_prefix(prefix.as_str()) else { continue };
        let name = name_of(record, name, weights);
        let name = if record.name == "torch-parallel" { name.replace("module.", "").into() } else { name };
        let Some(values) = floats(view.dtype(), view.data()) else {
            assert!(weights.left_out().iter().any(|left| left.name == name), "{}: {name}", record.name);
            continue;
        };
        let entry = weights.get(&name).unwrap_or_else(|| panic!("{}: {name} is missing", record.name));
        let legacy = record.name == "caffe-odd";
        assert!(legacy || entry.shape() == view.shape(), "{}: {name} is {:?}", record.name, entry.shape());
        assert_eq!(decode(weights, &name), values, "{}: {name}", record.name);
        found += 1;
    }
    assert_eq!(found, weights.len(), "{}: more than was expected", record.name);
    assert!(found > 0, "{}", record.name);
}

fn floats(dtype: Dtype, data: &[u8]) -> Option<Vec<f32>> {
    let halves = |data: &[u8]| data.as_chunks::<2>().0.iter().map(|&b| u16::from_le_bytes(b)).collect::<Vec<_>>();
    Some(match dtype {
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        Dtype::BF16 => halves(data).into_iter().map(|bits| f32::from_bits(u32::from(bits) << 16)).collect(),
        Dtype::F16 => halves(data).into_iter().map(half).collect(),
        _ => return None,
    })
}

/// IEEE binary16, by its definition.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let magnitude =
        if exponent == 0 { fraction * 2.0_f32.powi(-24) } else { (1024.0 + fraction) * 2.0_f32.powi(exponent - 25) };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// A tensor of any rank, through a vector of its elements.
fn decode(weights: &Weights, name: &str) -> Vec<f32> {
    let mut flat = weights.clone();
    let elements = flat.get(name).unwrap().elements();
    if elements == 0 {
        return Vec::new();
    }
    flat.reshape(name, &[elements]).unwrap();
    flat.tensor(name).unwrap().into_data()
}

#[test]
fn sound_files_give_the_recorded_tensors() {
    let mut counts = [0, 0];
    for record in records().iter().filter(|record| record.expect == "tensors") {
        let weights = read(record).unwrap_or_else(|error| panic!("{} ({}): {error}", record.name, record.why));
        check(record, &weights);
        counts[usize::from(record.name.starts_with("torch"))] += 1;
    }
    assert_eq!(counts, [7, 10]);
}

/// What may also be refused; here only a big-endian machine's numbers and compressed records are.
#[test]
fn unusual_files_give_the_recorded_tensors_or_a_reason() {
    for record in records().iter().filter(|record| record.expect == "either" && record.tensors.is_some()) {
        match read(record) {
            Ok(weights) => check(record, &weights),
            Err(error) => {
                let error = error.to_string();
                let expected = match record.name.as_str() {
                    "torch-big-endian" => "byteorder is big",
                    "torch-deflated" => "is deflated, which PyTorch never does; unpack it and zip it again",
                    other => panic!("{other}: {error}"),
                };
                assert!(error.contains(expected), "{}: {error}", record.name);
            }
        }
    }
}

#[test]
fn hostile_files_are_refused_by_name() {
    let mut refused = 0;
    // Safetensors under another name are safetensors: the content tells, and they are read.
    let hostile = |record: &&Record| record.expect == "refusal" && record.name != "torch-safetensors";
    for record in records().iter().filter(hostile) {
        let error = match read(record) {
            Ok(weights) => panic!("{} ({}) was read: {weights:?}", record.name, record.why),
            Err(error) => error.to_string(),
        };
        if let Some(names) = &record.names {
            assert!(error.contains(names.as_str()), "{} ({}) does not name {names}: {error}", record.name, record.why);
        }
        assert!(error.len() < 1000, "{}: {error}", record.name);
        println!("{}: {error}", record.name);
        refused += 1;
    }
    assert_eq!(refused, 149);
}

/// The originals' weights build the networks that they are for, without a name or a shape to spare.
#[test]
fn caffe_s_weights_fit_their_networks() {
    for form in ["old", "new"] {
        let open = |network: &str| read(&record(&format!("caffe-{network}-{form}"))).unwrap();
        assert_eq!(Fcn::from_weights(Head::Stride8, &open("fcn8s")).unwrap().classes(), 5);
        assert_eq!(SegNet::from_weights(&open("segnet")).unwrap().classes(), 5);
        assert_eq!(DeconvNet::from_weights(&open("deconvnet")).unwrap().classes(), 3);
    }
}

/// What `BN-absorber.py` saves: batch norms of zeros beside convolutions that hold them already.
#[test]
fn absorbed_batch_norms_are_left_out() {
    let weights = read(&record("caffe-segnet-absorbed")).unwrap();
    assert!(weights.names().all(|name| !name.contains("_bn")));
    assert_eq!(weights.left_out().len(), 2 * 25);
    assert!(weights.left_out()[0].reason.contains("absorbed"));
    let network = SegNet::from_weights(&weights).unwrap();
    assert_eq!(network.weights_required().len(), weights.len());
}

#[test]
fn a_checkpoint_s_other_parts_are_left_out() {
    let weights = read(&record("torch-unet-checkpoint")).unwrap();
    let left: Vec<&str> = weights.left_out().iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left.len(), 10);
    assert!(left.iter().all(|name| name.ends_with("num_batches_tracked")), "{left:?}");
}

/// Whatever comes of reading damaged bytes, decoding it does not panic either.
fn survive(bytes: Vec<u8>) {
    let length = bytes.len();
    if let Ok(weights) = Weights::from_bytes(bytes) {
        for name in weights.names() {
            let entry = weights.get(name).unwrap();
            // f64 become f32, views may be copied; both within bounds.
            assert!(entry.byte_len() <= length.max(1 << 20), "{name}");
            let _ = weights.tensor(name);
        }
    }
}

fn small_files() -> Vec<(String, Vec<u8>)> {
    let names = ["bare.pth", "legacy.pth", "views.pth", "protocol-4.pth", "odd.caffemodel", "rezipped.pth"];
    names.map(|name| (name.to_owned(), fs::read(folder().join(name)).unwrap())).into()
}

/// A zip has its directory at its end, and so is refused wherever it is cut. A .caffemodel cut between layers is whole.
#[test]
fn every_truncation_is_survived() {
    for (name, bytes) in small_files() {
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 2000) {
            let cut = bytes[..length].to_vec();
            if name.ends_with(".pth") {
                assert!(Weights::from_bytes(cut).is_err(), "{name}: {length} of {} bytes", bytes.len());
            } else {
                survive(cut);
            }
        }
    }
}

/// A few bytes that name a long thing again and again would fill any memory with copies of it.
#[test]
fn what_is_named_again_and_again_is_not_copied_without_end() {
    const TIMES: usize = 300;
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let key = |name: &str| {
        [b"(", &text("storage")[..], b"ctorch\nFloatStorage\n", &text(name), &text("cpu"), b"K\x01tq\x00"].concat()
    };
    let numbers = [b"(", &b"K\x01".repeat(1 << 20)[..], b"tq\x01"].concat();
    let pairs = [b"(", &b"K\x01K\x01\x86".repeat(1 << 20)[..], b"lq\x02"].concat();
    let tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(h\x00QK\x00h\x01h\x01tR0";
    let dict = b"ccollections\nOrderedDict\nh\x02\x85R0";
    for (long, again) in
        [(key(&"k".repeat(1 << 20)), &b"h\x00Q0"[..]), ([key("0"), numbers].concat(), tensor), (pairs, dict)]
    {
        let legacy = fs::read(folder().join("legacy.pth")).unwrap();
        let tensors = legacy.windows(2).enumerate().filter(|(_, start)| *start == b"\x80\x02").nth(3).unwrap().0;
        let bytes = [&legacy[..tensors], b"\x80\x02", &long, &again.repeat(TIMES), b"}."].concat();
        let refusal = Weights::from_bytes(bytes).unwrap_err().to_string();
        assert!(refusal.contains("names the same things again and again"), "{refusal}");
    }
}

#[test]
fn generated_damage_is_survived() {
    let places = vec((any::<usize>(), any::<u8>()), 1..6);
    for_generated(400, (0_usize..6, places), |(file, places)| {
        let (_, mut bytes) = small_files().swap_remove(file);
        for (place, value) in places {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        survive(bytes);
    });
}

#[test]
fn generated_pickles_are_survived() {
    // A legacy checkpoint's fourth pickle is the one with the tensors.
    let legacy = fs::read(folder().join("legacy.pth")).unwrap();
    let tensors = legacy.windows(2).enumerate().filter(|(_, start)| *start == b"\x80\x02").nth(3).unwrap().0;
    for_generated(400, vec(any::<u8>(), 0..200), |pickle| survive([&legacy[..tensors], &pickle].concat()));
}

/// A file of 1 GiB takes the memory of what is decoded of it, not its own size: reading is bounded by the map. In a process of its own,
/// for memory is that of all tests that run at the time.
#[cfg(target_os = "linux")]
#[test]
fn a_large_caffemodel_is_mapped() {
    use std::io::Write as _;
    const ALONE: &str = "SWITCHBACK_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let arguments = ["--exact", "foreign::a_large_caffemodel_is_mapped"];
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        assert!(again.args(arguments).env(ALONE, "1").status().unwrap().success());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.caffemodel");
    let varint = |mut number: u64| {
        let mut bytes = Vec::new();
        while number > 127 {
            bytes.push(number as u8 | 128);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let block = |tag: &[u8], length: u64| [tag, &varint(length)].concat();
    // conv { shape { 4096 x 65536 } data: 1 GiB of zeros, a hole in the file }
    let (rows, columns) = (4096_u64, 65_536_u64);
    let extents = [varint(rows), varint(columns)].concat();
    let shape = [block(&[0x0a], extents.len() as u64), extents].concat();
    let shape = [block(&[0x3a], shape.len() as u64), shape].concat();
    let length = 4 * rows * columns;
    let data = block(&[0x2a], length);
    let blob = block(&[0x3a], (shape.len() + data.len()) as u64 + length);
    let name = b"\x0a\x02fc\x12\x0cInnerProduct";
    let layer = block(&[0xa2, 0x06], (name.len() + blob.len() + shape.len() + data.len()) as u64 + length);
    let mut file = fs::File::create(&path).unwrap();
    let head = [layer.as_slice(), name, &blob, &shape, &data].concat();
    file.write_all(&head).unwrap();
    file.set_len(head.len() as u64 + length).unwrap();

    let private = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        1024 * line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = private();
    let weights = Weights::open(&path).unwrap();
    assert_eq!(weights.get("fc.weight").unwrap().shape(), [4096, 65_536]);
    for row in (0..4096).step_by(256) {
        assert_eq!(weights.tensor_rows("fc.weight", row..row + 64).unwrap().data()[0], 0.0);
    }
    let grown = private().saturating_sub(before);
    assert!(grown < length / 4, "{grown} bytes for a file of {length}");
}
