//! Which kernel variants were measured to be the fastest on a device, as a file that can be read and edited.
//!
//! ```text
//! switchback tuning of version 0.1.0
//! device NVIDIA H200 (discrete GPU, vulkan, NVIDIA 575.57)
//! conv2d 1x64x112x112 64x64x3x3 ... = winograd-f4
//! end of 1 lines
//! ```

use std::collections::BTreeMap;
use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::gpu::AdapterInfo;

/// The variant to take for each operator and shape, in place of the library's own choice; made by
/// [`Gpu::tune`](crate::Gpu::tune) and given to [`GpuBuilder::tuning`](crate::gpu::GpuBuilder::tuning).
///
/// [`Display`](fmt::Display) and [`FromStr`] are its text.
///
/// ```no_run
/// use switchback::{Gpu, net::{Fcn, Head}};
/// let graph = Fcn::published(Head::Stride8, 21).labels_from_image([500, 500])?;
/// let tuning = Gpu::new()?.tune(&graph, |trial| println!("{} {}", trial.node, trial.variant))?;
/// tuning.save("fcn8s.tuning")?;
/// let gpu = Gpu::builder().tuning("fcn8s.tuning").build()?;
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tuning {
    version: String,
    device: String,
    /// Problem to the name of a variant.
    variants: BTreeMap<String, String>,
}

const FIRST: &str = "switchback tuning of version ";
const DEVICE: &str = "device ";

/// Most bytes of a file: a hundred thousand lines.
#[cfg(not(target_arch = "wasm32"))]
const MOST_BYTES: u64 = 16 << 20;

impl Tuning {
    /// No variants yet, for this device.
    pub(crate) fn new(device: &AdapterInfo) -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), device: one_line(device), variants: BTreeMap::new() }
    }

    pub(crate) fn insert(&mut self, problem: String, variant: &str) {
        self.variants.insert(problem, variant.to_owned());
    }

    /// The variant to take for a problem.
    pub(crate) fn variant(&self, problem: &str) -> Option<&str> {
        self.variants.get(problem).map(String::as_str)
    }

    /// The problems it knows, each with its variant.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variants.iter().map(|(problem, variant)| (problem.as_str(), variant.as_str()))
    }

    /// Why it is not to be used on this device, if so.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another device, another driver or another version of this crate, whose variants differ.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn check(&self, device: &AdapterInfo) -> Result<()> {
        let refuse = |why| {
            let way_out = "tune again".to_owned();
            Err(Error::Unsupported { what: "this tuning".to_owned(), why, way_out })
        };
        if self.version != env!("CARGO_PKG_VERSION") {
            return refuse(format!("it was made by version {}, this is {}", self.version, env!("CARGO_PKG_VERSION")));
        }
        if self.device != one_line(device) {
            return refuse(format!("it was measured on {}, this is {}", self.device, one_line(device)));
        }
        Ok(())
    }

    /// Reads a file that was made for this device.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Parameter`] for a text that is damaged, [`Error::Unsupported`] as [`Tuning::check`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn read(path: &Path, device: &AdapterInfo) -> Result<Self> {
        let tuning: Self = crate::file::read_text(path, MOST_BYTES)?.parse()?;
        tuning.check(device)?;
        Ok(tuning)
    }

    /// Writes its text to a file, in one step.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::file::replace_file(path.as_ref(), |to| write!(to, "{self}"))
    }
}

fn one_line(device: &AdapterInfo) -> String {
    device.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}{}\n{DEVICE}{}", self.version, self.device)?;
        for (problem, variant) in self.iter() {
            writeln!(f, "{problem} = {variant}")?;
        }
        writeln!(f, "end of {} lines", self.variants.len())
    }
}

impl FromStr for Tuning {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |expected: &str, found: &str| {
            let found: String = found.chars().take(80).collect();
            Error::parameter("tuning", "line", expected, format!("{found:?}"))
        };
        let mut lines = text.lines();
        let mut header = |start: &'static str| {
            let line = lines.next().unwrap_or_default();
            line.strip_prefix(start).map(str::to_owned).ok_or_else(|| wrong(start, line))
        };
        let (version, device) = (header(FIRST)?, header(DEVICE)?);
        let mut variants = BTreeMap::new();
        for line in lines {
            if let Some((problem, variant)) = line.rsplit_once(" = ") {
                variants.insert(problem.to_owned(), variant.to_owned());
                continue;
            }
            let end = format!("end of {} lines", variants.len());
            return if line == end { Ok(Self { version, device, variants }) } else { Err(wrong(&end, line)) };
        }
        Err(wrong("an end: it is truncated", ""))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::gpu::AdapterKind;

    fn device(driver: &str) -> AdapterInfo {
        AdapterInfo {
            name: "A GPU".to_owned(),
            kind: AdapterKind::Discrete,
            backend: "vulkan".to_owned(),
            driver: driver.to_owned(),
        }
    }

    fn tuning() -> Tuning {
        let mut tuning = Tuning::new(&device("1"));
        tuning.insert("conv2d of 1x2x3x4".to_owned(), "tiled");
        tuning.insert("conv2d of 5x6x7x8".to_owned(), "direct");
        tuning
    }

    #[test]
    fn its_text_gives_it_back() {
        let text = tuning().to_string();
        assert_eq!(text.parse::<Tuning>().unwrap(), tuning());
        assert_eq!(tuning().variant("conv2d of 5x6x7x8"), Some("direct"));
        assert_eq!(tuning().variant("conv2d of 1x1x1x1"), None);
        let whole = text.trim_end().len();
        for end in 0..whole {
            assert!(text[..end].parse::<Tuning>().is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn another_device_driver_or_version_is_refused() {
        tuning().check(&device("1")).unwrap();
        assert!(tuning().check(&device("2")).unwrap_err().to_string().contains("A GPU (discrete GPU, vulkan, 2)"));
        let older = tuning().to_string().replacen(env!("CARGO_PKG_VERSION"), "0.0.0", 1).parse::<Tuning>().unwrap();
        assert!(older.check(&device("1")).unwrap_err().to_string().contains("version 0.0.0"));
    }
}
