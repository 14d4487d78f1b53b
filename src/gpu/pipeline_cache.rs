//! Compiled pipelines, kept in a file from process to process.
//!
//! The file is a line of text, which says what made it, and the driver's own bytes:
//!
//! ```text
//! switchback pipelines 1, FNV64 of the bytes, device key, driver
//! ```
//!
//! It is a convenience: whatever is wrong with it, pipelines are compiled as without it, and a warning says why.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::file::{read_file, replace_file};
use crate::gpu::trusted;

/// Most bytes of a file: a driver keeps some tens of KB a pipeline, of thousands at most.
const MOST_BYTES: u64 = 1 << 30;

/// A pipeline cache and the file that it goes to.
#[derive(Debug)]
pub(crate) struct PipelineCache {
    raw: wgpu::PipelineCache,
    file: PathBuf,
    maker: String,
    /// Whether pipelines were compiled that the file does not have.
    changed: AtomicBool,
}

impl PipelineCache {
    /// The cache of a device in `folder`, filled from its file there; `None` where the device has none.
    pub(crate) fn open(device: &wgpu::Device, folder: &Path) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let info = device.adapter_info();
        let key = wgpu::util::pipeline_cache_key(&info)?;
        let maker = format!("{key}, {} {} {}", info.name, info.driver, info.driver_info).replace(['\n', '\r'], " ");
        // Devices of one key may have drivers of several makes or versions.
        let file = folder.join(format!("{key}_{:016x}.bin", fnv64(maker.as_bytes())));
        let stored = read(&file, &maker);
        let changed = AtomicBool::new(stored.is_none());
        let raw = trusted::create_pipeline_cache(device, stored.as_deref().and_then(|file| content(file, &maker).ok()));
        Some(Self { raw, file, maker, changed })
    }

    /// What pipelines are to be created with.
    pub(crate) fn raw(&self) -> &wgpu::PipelineCache {
        &self.raw
    }

    /// Notes that a pipeline was compiled.
    pub(crate) fn changes(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Writes the file if the driver has anything that is not in it; a failure is worth a warning only.
    pub(crate) fn save(&self) {
        if !self.changed.swap(false, Ordering::Relaxed) {
            return;
        }
        let Some(data) = self.raw.get_data() else { return };
        let bytes = [header(&data, &self.maker).as_bytes(), &data].concat();
        if read_file(&self.file, MOST_BYTES).is_ok_and(|there| there == bytes) {
            return;
        }
        let folder = self.file.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder
            .map_err(|error| error.to_string())
            .and_then(|()| replace_file(&self.file, |to| to.write_all(&bytes)).map_err(|error| error.to_string()));
        if let Err(error) = written {
            log::warn!("compiled pipelines are not kept for the next start: {error}");
        }
    }
}

impl Drop for PipelineCache {
    fn drop(&mut self) {
        self.save();
    }
}

/// The file's bytes, if they are of this maker; says why not.
fn read(file: &Path, maker: &str) -> Option<Vec<u8>> {
    let refused = match read_file(file, MOST_BYTES) {
        Ok(bytes) => match content(&bytes, maker) {
            Ok(_) => return Some(bytes),
            Err(reason) => reason.to_owned(),
        },
        Err(Error::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => return None,
        Err(Error::Io { cause, .. }) => cause.to_string(),
        Err(error) => error.to_string(),
    };
    log::warn!("{}: {refused}; pipelines are compiled anew", file.display());
    None
}

fn header(data: &[u8], maker: &str) -> String {
    format!("switchback pipelines 1, {:016x}, {maker}\n", fnv64(data))
}

/// The driver's bytes in a file, or why they are not to be used.
fn content<'a>(bytes: &'a [u8], maker: &str) -> Result<&'a [u8], &'static str> {
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("is no file of compiled pipelines")?;
    let (line, data) = (&bytes[..=end], &bytes[end + 1..]);
    let line = str::from_utf8(line).ok().and_then(|line| line.strip_prefix("switchback pipelines "));
    let mut fields = line.ok_or("is no file of compiled pipelines")?.trim_end().splitn(3, ", ");
    let (version, hash, made_by) = (fields.next(), fields.next(), fields.next());
    if version != Some("1") {
        return Err("has another version's form");
    }
    if made_by != Some(maker) {
        return Err("was made by another device or driver");
    }
    if hash != Some(&format!("{:016x}", fnv64(data))) {
        return Err("is truncated or damaged");
    }
    Ok(data)
}

/// Fowler, Noll and Vo's hash (FNV-1a, 64 bits): tells damage, not malice.
fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::common::adapter;
    use crate::gpu::Gpu;

    fn file(data: &[u8], maker: &str) -> Vec<u8> {
        [header(data, maker).as_bytes(), data].concat()
    }

    #[test]
    fn only_whole_files_of_the_same_maker_are_taken() {
        let whole = file(b"driver's\nbytes", "device, driver 1");
        assert_eq!(content(&whole, "device, driver 1"), Ok(b"driver's\nbytes".as_slice()));
        assert_eq!(content(&whole, "device, driver 2"), Err("was made by another device or driver"));
        for end in 0..whole.len() {
            assert!(content(&whole[..end], "device, driver 1").is_err(), "the first {end} bytes");
            let mut changed = whole.clone();
            changed[end] ^= 1;
            assert!(content(&changed, "device, driver 1").is_err(), "byte {end}");
        }
        assert_eq!(fnv64(b"foobar"), 0x8594_4171_f739_67e8, "the authors' test vector");
    }

    /// Files in the folder.
    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Compiles a kernel on a device of its own with this folder; whether the device has a cache at all.
    fn compile(folder: &Path) -> Option<bool> {
        let gpu = adapter::open(Gpu::builder().pipeline_cache(folder))?;
        let x = gpu.upload(&crate::Tensor::from_fn([1, 1, 1, 5], |[.., x]| x as f32 - 2.0).unwrap()).unwrap();
        assert_eq!(gpu.download(&gpu.relu(&x).unwrap()).unwrap().data(), [0.0, 0.0, 0.0, 1.0, 2.0]);
        Some(gpu.device().features().contains(wgpu::Features::PIPELINE_CACHE))
    }

    #[test]
    fn the_file_is_written_read_and_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let nested = folder.path().join("not/there/yet");
        match compile(&nested) {
            Some(true) => {}
            _ => return,
        }
        let [path] = files(&nested).try_into().unwrap();
        let first = fs::read(&path).unwrap();
        compile(&nested).unwrap();
        assert_eq!(files(&nested).len(), 1);
        // What the first line says is right, but a driver would refuse the bytes after it.
        let maker = str::from_utf8(&first[..first.iter().position(|&byte| byte == b'\n').unwrap()]).unwrap();
        let maker = maker.splitn(3, ", ").nth(2).unwrap();
        let start = first.len() - content(&first, maker).unwrap().len();
        let foreign = file(b"bytes of no driver", maker);
        let mut another = first[start..].to_vec();
        another.iter_mut().take(40).for_each(|byte| *byte ^= 0x55);
        let another = file(&another, maker);
        for damaged in [&first[..first.len() - 1], b"garbage", b"", &foreign, &another] {
            fs::write(&path, damaged).unwrap();
            compile(&nested).unwrap();
            let rebuilt = fs::read(&path).unwrap();
            assert_eq!(rebuilt.iter().position(|&byte| byte == b'\n'), first.iter().position(|&byte| byte == b'\n'));
            assert!(content(&rebuilt, maker).is_ok() && rebuilt != damaged);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        compile(&folder.path().join("file/below"));
    }
}
