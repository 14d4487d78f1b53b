//! Files on the disk: opened without being read, written whole or not at all.

use std::fs;
use std::path::Path;

use switchback::weights::{Element, Weights};
use switchback::{Error, Shape, Tensor};

use super::{file, file_of, floats};

fn sample() -> Weights {
    let required = [
        ("conv1.weight", Shape::from([6, 3, 3, 3])),
        ("conv1.bias", Shape::vector(6)),
        ("up.weight", Shape::from([2, 2, 4, 4])),
    ];
    Weights::random(required, 11).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_saved_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let weights = sample();
    for (element, steps) in [(Element::F32, 0.0), (Element::F16, 2.0_f32.powi(-11)), (Element::Bf16, 2.0_f32.powi(-8))]
    {
        weights.save(&path, element).unwrap();
        let opened = Weights::open(&path).unwrap();
        assert!(opened.names().eq(weights.names()));
        for name in weights.names() {
            assert_eq!(opened.get(name).unwrap().element(), element);
            assert_eq!(opened.get(name).unwrap().shape(), weights.get(name).unwrap().shape());
            let (found, expected) = (opened.tensor(name).unwrap(), weights.tensor(name).unwrap());
            for (found, expected) in found.data().iter().zip(expected.data()) {
                // Half an ulp of 11 or 8 significant bits; below f16's normal range half its smallest step.
                assert!((found - expected).abs() <= expected.abs() * steps + steps * 2.0_f32.powi(-14), "{name}");
            }
        }
        // Stored values survive another round without change.
        assert_eq!(opened.to_bytes(element).unwrap(), fs::read(&path).unwrap());
    }
    assert_eq!(names_in(folder.path()), ["w.safetensors"], "nothing else is left behind");
}

/// The `safetensors` crate is the format's own reader.
#[test]
fn the_format_s_own_reader_takes_what_is_saved() {
    let weights = sample();
    let bytes = weights.to_bytes(Element::F32).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(theirs.len(), weights.len());
    for name in weights.names() {
        let theirs = theirs.tensor(name).unwrap();
        assert_eq!(theirs.shape(), weights.get(name).unwrap().shape());
        assert_eq!(theirs.data(), floats(weights.tensor(name).unwrap().data()));
    }
    assert_eq!((bytes.len() - floats(&[0.0; 162 + 6 + 64]).len()) % 8, 0, "values begin on a multiple of eight bytes");
}

#[test]
fn a_value_too_large_for_f16_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    fs::write(&path, "what was there").unwrap();
    let mut weights = sample();
    weights.insert("fc.weight", &Tensor::new([1, 3, 1, 1], vec![1.0, 65519.0, 65520.0]).unwrap());
    let error = weights.save(&path, Element::F16).unwrap_err();
    assert!(matches!(error, Error::Weights(_)));
    assert_eq!(error.to_string(), "weights: `fc.weight` holds 65520 at [0, 2, 0, 0], too large for F16");
    assert_eq!(fs::read_to_string(&path).unwrap(), "what was there");
    assert_eq!(names_in(folder.path()), ["w.safetensors"]);
    weights.save(&path, Element::Bf16).unwrap();
}

#[test]
fn an_unwritable_place_is_an_io_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let is_file = folder.path().join("file");
    fs::write(&is_file, "").unwrap();
    for path in [folder.path().to_owned(), is_file.join("below"), folder.path().join("no/such/folder/w")] {
        let error = sample().save(&path, Element::F32).unwrap_err();
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    }
    assert_eq!(names_in(folder.path()), ["file"]);
}

#[test]
fn an_open_file_may_be_saved_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    sample().save(&path, Element::F32).unwrap();
    let opened = Weights::open(&path).unwrap();
    opened.save(&path, Element::F16).unwrap();
    assert_eq!(opened.tensor("up.weight").unwrap(), sample().tensor("up.weight").unwrap());
    assert_eq!(Weights::open(&path).unwrap().get("up.weight").unwrap().element(), Element::F16);
}

#[test]
fn unreadable_places_are_io_errors_that_name_them() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("missing"), folder.path().to_owned()] {
        let error = Weights::open(&path).unwrap_err();
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    }
}

/// Opening a pipe would wait for ever for someone to write into it.
#[cfg(unix)]
#[test]
fn a_pipe_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let error = Weights::open(&path).unwrap_err().to_string();
    assert!(error.ends_with("is not a regular file"), "{error}");
}

#[test]
fn a_bad_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    for bytes in [Vec::new(), file("{", &[]), file_of(&[("a", "I64", &[1], &[0; 8])])] {
        fs::write(&path, bytes).unwrap();
        let error = Weights::open(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("weights: {}: ", path.display())), "{error}");
    }
}

/// Opening maps the file; decoding a run of rows takes the memory of that run (and other tests what they need).
#[cfg(target_os = "linux")]
#[test]
fn opening_a_large_file_reads_almost_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    let (rows, columns) = (4096_usize, 32_768_usize);
    let length = 4 * rows * columns;
    let header = format!(r#"{{"w":{{"dtype":"F32","shape":[{rows},{columns}],"data_offsets":[0,{length}]}}}}"#);
    fs::write(&path, file(&header, &[])).unwrap();
    // A hole in the file: 512 MiB of zeros that take no room on the disk.
    fs::File::options().write(true).open(&path).unwrap().set_len((8 + header.len() + length) as u64).unwrap();

    let before = private_bytes();
    let weights = Weights::open(&path).unwrap();
    assert_eq!(weights.tensor_rows("w", 4000..4001).unwrap().data().len(), columns);
    let grown = private_bytes().saturating_sub(before);
    assert!(grown < 256 << 20, "{grown} bytes for opening {length}");
}

/// Memory of this process that is not a mapped file's, in bytes.
#[cfg(target_os = "linux")]
fn private_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    1024 * line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
}
