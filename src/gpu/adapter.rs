//! Which GPU: what is there, what was asked for, and the order in which candidates are tried.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Environment variable that chooses the adapter where the program does not, in the words of [`AdapterChoice`].
pub const ADAPTER_VARIABLE: &str = "SWITCHBACK_ADAPTER";

/// What to do where there is no adapter at all.
const TO_HAVE_ONE: &str = if cfg!(target_arch = "wasm32") {
    "open the page by https or from localhost, in a browser that has WebGPU switched on for this machine's GPU"
} else {
    "install a Vulkan driver (without a GPU: Mesa's lavapipe, Debian's mesa-vulkan-drivers)"
};

/// What kind of device an adapter is, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum AdapterKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A GPU passed through to a virtual machine.
    Virtual,
    /// Unknown; what browsers report.
    Other,
    /// A driver that runs shaders on the processor, such as Mesa's lavapipe.
    Cpu,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "GPU of unknown kind",
            Self::Cpu => "software",
        })
    }
}

/// Name, kind, backend and driver of an adapter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct AdapterInfo {
    /// As the driver gives it, such as `NVIDIA H200`; most often empty in browsers, and `unnamed` in what is displayed.
    pub name: String,
    /// What kind of device it is.
    pub kind: AdapterKind,
    /// The graphics interface through which it is reached: `vulkan`, `metal`, `dx12` or `webgpu`.
    pub backend: String,
    /// The driver and its version; empty in browsers.
    pub driver: String,
}

impl From<&wgpu::AdapterInfo> for AdapterInfo {
    fn from(info: &wgpu::AdapterInfo) -> Self {
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Cpu,
            wgpu::DeviceType::Other => AdapterKind::Other,
        };
        let driver = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
        Self { name: info.name.clone(), kind, backend: info.backend.to_str().to_owned(), driver }
    }
}

impl fmt::Display for AdapterInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "unnamed" } else { &self.name };
        write!(f, "{name} ({}, {}", self.kind, self.backend)?;
        if !self.driver.is_empty() {
            write!(f, ", {}", self.driver)?;
        }
        f.write_str(")")
    }
}

/// Which adapter to open.
///
/// Text converts into it: `auto` (or nothing), `gpu`, `software`, and anything else as part of a name. `#` and a number at the
/// end choose one of those that fit: `H100#2` is the second whose name contains `H100`, `gpu#2` the second that is not
/// software, `#2` the second of all. They count from 1 in the order of [`Gpu::adapters`](crate::gpu::Gpu::adapters), which is
/// that of `switchback info`. Without a number it is the best of those that fit: the first of equals.
///
/// ```
/// use switchback::gpu::AdapterChoice;
/// let named = AdapterChoice::Named("H100".to_owned());
/// assert_eq!(AdapterChoice::from("H100#2"), AdapterChoice::Numbered { among: Box::new(named), number: 2 });
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum AdapterChoice {
    /// The best there is: discrete, integrated, virtual, then software.
    #[default]
    Auto,
    /// The best that is not software.
    Hardware,
    /// A driver that runs shaders on the processor.
    Software,
    /// The best whose name contains this, whatever the case of its letters.
    Named(String),
    /// One of those that another choice admits.
    Numbered {
        /// The other choice.
        among: Box<Self>,
        /// Which one, from 1, in the order of [`Gpu::adapters`](crate::gpu::Gpu::adapters).
        number: usize,
    },
}

impl From<&str> for AdapterChoice {
    fn from(text: &str) -> Self {
        let text = text.trim();
        if let Some((among, number)) = text.rsplit_once('#')
            && let Ok(number) = number.parse()
        {
            return Self::Numbered { among: Box::new(among.into()), number };
        }
        match text.to_lowercase().as_str() {
            "" | "auto" => Self::Auto,
            "gpu" => Self::Hardware,
            "software" => Self::Software,
            _ => Self::Named(text.to_owned()),
        }
    }
}

impl From<String> for AdapterChoice {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl FromStr for AdapterChoice {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for AdapterChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("of any kind"),
            Self::Hardware => f.write_str("other than software"),
            Self::Software => f.write_str("that runs on the processor"),
            Self::Named(name) => write!(f, "named {name:?}"),
            Self::Numbered { among, number } => write!(f, "number {number} {among}"),
        }
    }
}

impl AdapterChoice {
    /// The choice in [`ADAPTER_VARIABLE`], or [`AdapterChoice::Auto`].
    #[must_use]
    pub fn from_env() -> Self {
        std::env::var(ADAPTER_VARIABLE).map_or(Self::Auto, Self::from)
    }

    /// Positions of the adapters that fit, in their order.
    fn fitting(&self, found: &[AdapterInfo]) -> Vec<usize> {
        let all = 0..found.len();
        match self {
            Self::Auto => all.collect(),
            Self::Hardware => all.filter(|&i| found[i].kind != AdapterKind::Cpu).collect(),
            Self::Software => all.filter(|&i| found[i].kind == AdapterKind::Cpu).collect(),
            Self::Named(name) => {
                let name = name.to_lowercase();
                all.filter(|&i| found[i].name.to_lowercase().contains(&name)).collect()
            }
            Self::Numbered { among, number } => {
                let nth = number.checked_sub(1).and_then(|before| among.fitting(found).get(before).copied());
                nth.into_iter().collect()
            }
        }
    }

    /// Positions of the adapters to try, best first.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if none fits.
    pub(crate) fn rank(&self, found: &[AdapterInfo]) -> Result<Vec<usize>> {
        let mut fitting = self.fitting(found);
        if fitting.is_empty() {
            return Err(self.no_adapter(found));
        }
        // One GPU may be reached in several ways; Vulkan has the most features where there is a choice.
        fitting.sort_by_key(|&i| (found[i].kind, found[i].backend != "vulkan"));
        Ok(fitting)
    }

    fn no_adapter(&self, found: &[AdapterInfo]) -> Error {
        let (found, way_out) = if found.is_empty() {
            ("none".to_owned(), TO_HAVE_ONE.to_owned())
        } else {
            let names: Vec<String> = (1..).zip(found).map(|(number, info)| format!("#{number} {info}")).collect();
            let way_out = "choose one of these by part of its name or by `#` and its number";
            (names.join("; "), format!("{way_out}, in the program or by {ADAPTER_VARIABLE}"))
        };
        Error::NoAdapter { wanted: self.to_string(), found, way_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, kind: AdapterKind, backend: &str) -> AdapterInfo {
        AdapterInfo { name: name.to_owned(), kind, backend: backend.to_owned(), driver: String::new() }
    }

    fn machine() -> Vec<AdapterInfo> {
        vec![
            info("llvmpipe (LLVM 15)", AdapterKind::Cpu, "vulkan"),
            info("GeForce", AdapterKind::Discrete, "dx12"),
            info("Iris", AdapterKind::Integrated, "vulkan"),
            info("GeForce", AdapterKind::Discrete, "vulkan"),
        ]
    }

    #[test]
    fn what_has_no_name_is_called_unnamed() {
        let driver = AdapterInfo { driver: "Mesa 26".to_owned(), ..info("Iris", AdapterKind::Integrated, "vulkan") };
        assert_eq!(driver.to_string(), "Iris (integrated GPU, vulkan, Mesa 26)");
        assert_eq!(info("", AdapterKind::Other, "webgpu").to_string(), "unnamed (GPU of unknown kind, webgpu)");
    }

    #[test]
    fn text_chooses() {
        for (text, choice) in [
            ("", AdapterChoice::Auto),
            (" Auto ", AdapterChoice::Auto),
            ("GPU", AdapterChoice::Hardware),
            ("software", AdapterChoice::Software),
            ("H200", AdapterChoice::Named("H200".to_owned())),
            ("2", AdapterChoice::Named("2".to_owned())),
            ("#x", AdapterChoice::Named("#x".to_owned())),
            ("#2", AdapterChoice::Numbered { among: Box::new(AdapterChoice::Auto), number: 2 }),
            ("gpu#2", AdapterChoice::Numbered { among: Box::new(AdapterChoice::Hardware), number: 2 }),
            (" H200 #10", AdapterChoice::Numbered { among: Box::new("H200".into()), number: 10 }),
        ] {
            assert_eq!(AdapterChoice::from(text), choice, "{text:?}");
        }
    }

    #[test]
    fn best_first() {
        let ranked = |choice: &str| AdapterChoice::from(choice).rank(&machine()).unwrap_or_default();
        assert_eq!(ranked("auto"), [3, 1, 2, 0]);
        assert_eq!(ranked("gpu"), [3, 1, 2]);
        assert_eq!(ranked("software"), [0]);
        assert_eq!(ranked("LLVMPIPE"), [0]);
        assert_eq!(ranked("force"), [3, 1]);
    }

    /// Cards of one name differ by number alone.
    #[test]
    fn a_number_chooses_among_equals() {
        let mut found = machine();
        found.extend([info("H100", AdapterKind::Discrete, "vulkan"), info("H100", AdapterKind::Discrete, "vulkan")]);
        let ranked = |choice: &str| AdapterChoice::from(choice).rank(&found).unwrap_or_default();
        assert_eq!(ranked("h100"), [4, 5]);
        assert_eq!(ranked("h100#1"), [4]);
        assert_eq!(ranked("h100#2"), [5]);
        // Numbers are those of the list, not of the order in which the best would be tried.
        assert_eq!(ranked("force#1"), [1]);
        assert_eq!(ranked("gpu#2"), [2]);
        for number in 1..=found.len() {
            assert_eq!(ranked(&format!("#{number}")), [number - 1]);
        }
    }

    fn message(choice: &str, found: &[AdapterInfo]) -> String {
        match AdapterChoice::from(choice).rank(found) {
            Err(error @ Error::NoAdapter { .. }) => error.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_number_that_none_has_is_refused_with_those_there_are() {
        for choice in ["#0", "#5", "GeForce#3", "H200#1", "software#2", "#1#2", "#99999999999999999999"] {
            let refused = message(choice, &machine());
            assert!(refused.contains("#2 GeForce (discrete GPU, dx12); #3 Iris"), "{choice}: {refused}");
        }
        let refused = message("GeForce#3", &machine());
        assert!(refused.starts_with("no GPU adapter number 3 named \"GeForce\"; found: #1 llvmpipe"), "{refused}");
    }

    #[test]
    fn nothing_fits() {
        let absent = message("H200", &machine());
        assert!(absent.contains("named \"H200\"") && absent.contains("Iris (integrated GPU, vulkan)"), "{absent}");
        let none = message("auto", &[]);
        assert!(none.contains("found: none") && none.contains("lavapipe"), "{none}");
    }
}
