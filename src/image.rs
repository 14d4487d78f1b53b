//! Image files and what surrounds them: photographs in; label maps, overlays and scores out; the four metrics.
//!
//! Needs the feature `image`. Every writer replaces its target in one step, so that a failure leaves no half-written
//! file. Nothing here needs a GPU.
//!
//! ```
//! use switchback::image::Confusion;
//! use switchback::Labels;
//!
//! let truth = Labels::new(1, [1, 4], vec![0, 1, 1, 255])?; // 255 is void and counts for nothing
//! let answer = Labels::new(1, [1, 4], vec![0, 1, 0, 7])?;
//! let mut confusion = Confusion::new(11)?;
//! confusion.add(&truth, &answer)?;
//! let metrics = confusion.metrics().ok_or("no labelled pixel")?;
//! assert_eq!(metrics.pixel_accuracy, 2.0 / 3.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod labels_png;
mod load;
mod metrics;
mod npy;
mod overlay;

/// Most bytes of an image's file, and of what it is decoded to.
const MOST_BYTES: u64 = 512 << 20;

pub use labels_png::{read_labels, write_labels};
pub use load::{decode, load};
pub use metrics::{Confusion, Metrics};
pub use npy::{read_npy, write_npy};
pub use overlay::{overlay, write_rgb};
