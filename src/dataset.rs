//! The data sets whose classes published networks tell apart: names and colours.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::op::Palette;

/// A data set's classes.
///
/// ```
/// use switchback::Dataset;
/// assert_eq!(Dataset::CamVid.class_names(11).map(|names| names[3]), Some("Road"));
/// assert_eq!(Dataset::CamVid.palette().0[3], [128, 64, 128]);
/// assert_eq!(Dataset::Voc.class_names(11), None); // not VOC's, so they have no names
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Dataset {
    /// PASCAL VOC: background and twenty kinds of objects; 255 is void.
    Voc,
    /// CamVid as SegNet was trained on it: eleven classes of a street; 11, or whatever comes after, is void.
    CamVid,
}

/// In the order of their indices, as `classes.txt` of `shelhamer/fcn.berkeleyvision.org` has them.
const VOC: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

/// Names and colours in the order of their indices, as `test_segmentation_camvid.py` of `alexgkendall/SegNet-Tutorial` has
/// them; some networks score the last one too.
const CAMVID: [(&str, [u8; 3]); 12] = [
    ("Sky", [128, 128, 128]),
    ("Building", [128, 0, 0]),
    ("Pole", [192, 192, 128]),
    ("Road", [128, 64, 128]),
    ("Pavement", [60, 40, 222]),
    ("Tree", [128, 128, 0]),
    ("SignSymbol", [192, 128, 128]),
    ("Fence", [64, 64, 128]),
    ("Car", [64, 0, 128]),
    ("Pedestrian", [64, 64, 0]),
    ("Bicyclist", [0, 128, 192]),
    ("Unlabelled", [0, 0, 0]),
];

impl Dataset {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Voc, Self::CamVid];

    /// Its name on the command line: `voc`, `camvid`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voc => "voc",
            Self::CamVid => "camvid",
        }
    }

    /// Its colours. What it has no class for is black, but for VOC's, which go on by the same rule.
    #[must_use]
    pub fn palette(self) -> Palette {
        match self {
            Self::Voc => Palette::voc(),
            Self::CamVid => {
                let mut colours = [[0; 3]; 256];
                colours.iter_mut().zip(CAMVID).for_each(|(colour, (_, own))| *colour = own);
                Palette(colours)
            }
        }
    }

    /// Names of the classes of a network that tells so many apart, by their index; `None` if it cannot have been trained on
    /// this data set. CamVid's are 11, or 12 with the unlabelled.
    #[must_use]
    pub fn class_names(self, classes: usize) -> Option<Vec<&'static str>> {
        match (self, classes) {
            (Self::Voc, 21) => Some(VOC.to_vec()),
            (Self::CamVid, 11 | 12) => Some(CAMVID[..classes].iter().map(|(name, _)| *name).collect()),
            _ => None,
        }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dataset {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().copied().find(|dataset| dataset.name() == text);
        let names = || Self::ALL.iter().map(|dataset| dataset.name()).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| Error::parameter("dataset", "name", names(), text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn names_and_colours_are_the_published_ones() {
        let voc = Dataset::Voc.class_names(21).unwrap();
        assert_eq!([voc[0], voc[8], voc[15], voc[20]], ["background", "cat", "person", "tvmonitor"]);
        let palette = Dataset::CamVid.palette().0;
        assert_eq!([palette[0], palette[4], palette[10]], [[128, 128, 128], [60, 40, 222], [0, 128, 192]]);
        assert_eq!([palette[11], palette[12], palette[255]], [[0; 3]; 3]);
        assert_eq!(Dataset::CamVid.class_names(12).unwrap()[11], "Unlabelled");
        assert_eq!([20, 11, 13].map(|classes| Dataset::Voc.class_names(classes)), [const { None }; 3]);
        assert_eq!([10, 13, 21].map(|classes| Dataset::CamVid.class_names(classes)), [const { None }; 3]);
    }

    #[test]
    fn names_are_read_back() {
        for &dataset in Dataset::ALL {
            assert_eq!(dataset.to_string().parse::<Dataset>().unwrap(), dataset);
        }
        assert!("coco".parse::<Dataset>().unwrap_err().to_string().contains("voc, camvid"));
    }

    #[test]
    fn one_class_of_each_palette_at_most_is_black() {
        for (dataset, classes) in [(Dataset::Voc, 21), (Dataset::CamVid, 12)] {
            let palette = dataset.palette();
            assert_eq!(palette.0[..classes].iter().filter(|&&colour| colour == [0; 3]).count(), 1, "{dataset}");
        }
    }
}
