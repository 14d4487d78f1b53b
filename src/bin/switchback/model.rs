//! `--model` and `--weights`: which network.

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use switchback::net::{DeconvNet, Fcn, FcnAlexNet, Head, SegNet, SegNetBasic, Segmentation, Vgg16};
use switchback::weights::{Weights, vgg};
use switchback::{Dataset, Graph, Normalize};

use crate::Result;

/// A network that has a name on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Model {
    Fcn(Head),
    FcnAlexNet,
    SegNet,
    SegNetBasic,
    DeconvNet,
    Vgg16,
}

/// A network as its weights, or its publication, make it.
pub(crate) enum Network {
    /// Labels every pixel.
    Labels(Box<dyn Segmentation>),
    /// Scores the classes of windows of the image; with what happens to an image first.
    Vgg16(Vgg16, Normalize),
}

/// Parses the name of any network.
pub(crate) fn any() -> impl TypedValueParser<Value = Model> {
    parser(&Model::ALL)
}

/// Parses the name of a network that labels pixels.
pub(crate) fn labelling() -> impl TypedValueParser<Value = Model> {
    parser(&Model::ALL[..Model::LABELLING])
}

/// Parses the name of an FCN on VGG16.
pub(crate) fn heads() -> impl TypedValueParser<Value = Head> {
    PossibleValuesParser::new(Head::ALL.iter().map(|head| head.name())).try_map(|name| name.parse::<Head>())
}

/// Lets `--help` list the names.
fn parser(models: &'static [Model]) -> impl TypedValueParser<Value = Model> {
    let names = models.iter().map(|model| model.name());
    let parse = |name: String| models.iter().copied().find(|model| model.name() == name).ok_or("no such network");
    PossibleValuesParser::new(names).try_map(parse)
}

impl Model {
    /// All of them, those that label pixels first.
    const ALL: [Self; 9] = [
        Self::Fcn(Head::Stride32),
        Self::Fcn(Head::Stride16),
        Self::Fcn(Head::Stride8),
        Self::Fcn(Head::Stride8AtOnce),
        Self::FcnAlexNet,
        Self::SegNet,
        Self::SegNetBasic,
        Self::DeconvNet,
        Self::Vgg16,
    ];

    /// How many of them label pixels.
    const LABELLING: usize = 8;

    /// What `--model` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fcn(head) => head.name(),
            Self::FcnAlexNet => "fcn-alexnet",
            Self::SegNet => "segnet",
            Self::SegNetBasic => "segnet-basic",
            Self::DeconvNet => "deconvnet",
            Self::Vgg16 => "vgg16",
        }
    }

    /// Rows and columns of the images that it was published for.
    pub(crate) fn published_extent(self) -> [usize; 2] {
        match self {
            Self::Fcn(_) | Self::FcnAlexNet => [500, 500],
            Self::SegNet | Self::SegNetBasic => [360, 480],
            Self::DeconvNet | Self::Vgg16 => [224, 224],
        }
    }

    /// Number of classes as published.
    fn published_classes(self) -> usize {
        match self {
            Self::Fcn(_) | Self::FcnAlexNet | Self::DeconvNet => 21,
            Self::SegNet | Self::SegNetBasic => 11,
            Self::Vgg16 => 1000,
        }
    }

    /// Whose classes it tells apart, unless the user says otherwise.
    pub(crate) fn dataset(self) -> Dataset {
        match self {
            Self::SegNet | Self::SegNetBasic => Dataset::CamVid,
            _ => Dataset::Voc,
        }
    }

    /// The network as published, with its channel widths (but the classes') divided by `slim`.
    pub(crate) fn published(self, classes: Option<usize>, slim: usize) -> Network {
        let classes = classes.unwrap_or(self.published_classes());
        Network::Labels(match self {
            Self::Fcn(head) => Box::new(Fcn::published(head, classes).slimmed(slim)),
            Self::FcnAlexNet => Box::new(FcnAlexNet::published(classes).slimmed(slim)),
            Self::SegNet => Box::new(SegNet::published(classes).slimmed(slim)),
            Self::SegNetBasic => Box::new(SegNetBasic::published(classes).slimmed(slim)),
            Self::DeconvNet => Box::new(DeconvNet::published(classes).slimmed(slim)),
            Self::Vgg16 => return Network::Vgg16(Vgg16::published(classes).slimmed(slim), Normalize::TORCHVISION),
        })
    }

    /// The network that these weights are for, and the weights as it takes them.
    pub(crate) fn network_for(self, weights: Weights) -> Result<(Network, Weights), switchback::Error> {
        let network: Box<dyn Segmentation> = match self {
            Self::Fcn(head) => Box::new(Fcn::from_weights(head, &weights)?),
            Self::FcnAlexNet => Box::new(FcnAlexNet::from_weights(&weights)?),
            Self::SegNet => Box::new(SegNet::from_weights(&weights)?),
            Self::SegNetBasic => Box::new(SegNetBasic::from_weights(&weights)?),
            Self::DeconvNet => Box::new(DeconvNet::from_weights(&weights)?),
            Self::Vgg16 => {
                let is_caffes = vgg::has_caffe_names(&weights);
                let preprocessing = if is_caffes { Normalize::CAFFE } else { Normalize::TORCHVISION };
                let weights = vgg::fully_convolutional(&vgg::torchvision_names(&weights)?)?;
                return Ok((Network::Vgg16(Vgg16::from_weights(&weights)?, preprocessing), weights));
            }
        };
        Ok((Network::Labels(network), weights))
    }

    /// Opens a weight file and builds the network that it is for.
    pub(crate) fn open(self, path: &Path) -> Result<(Network, Weights)> {
        let weights = Weights::open(path)?;
        self.network_for(weights.clone()).map_err(|error| {
            let others = Self::ALL.into_iter().filter(|model| model.network_for(weights.clone()).is_ok());
            let others: Vec<String> = others.map(|model| format!("`--model {}`", model.name())).collect();
            let way_out = match others.as_slice() {
                [] => String::new(),
                fitting => format!("\n  They fit {}", fitting.join(" and ")),
            };
            format!("{}: {error}{way_out}", path.display()).into()
        })
    }

    /// The network that `path` is for, or else as published.
    pub(crate) fn open_or_published(self, path: Option<&Path>, classes: Option<usize>) -> Result<(Network, Weights)> {
        match path {
            Some(path) => self.open(path),
            None => Ok((self.published(classes, 1), Weights::new())),
        }
    }
}

impl Network {
    /// Its name in the literature.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Labels(network) => network.title(),
            Self::Vgg16(..) => "VGG16",
        }
    }

    /// Names and shapes of its weights.
    pub(crate) fn weights_required(&self) -> Vec<(String, switchback::Shape)> {
        match self {
            Self::Labels(network) => network.weights_required(),
            Self::Vgg16(network, _) => network.weights_required(),
        }
    }

    /// From an image of `extent` to what it says: a label for each pixel, or VGG16's scores.
    pub(crate) fn graph_from_image(&self, extent: [usize; 2]) -> Result<Graph, switchback::Error> {
        match self {
            Self::Labels(network) => network.labels_from_image(extent),
            Self::Vgg16(network, preprocessing) => network.graph_from_image(extent, *preprocessing),
        }
    }

    /// As [`Network::graph_from_image`], but of VGG16 the convolutions alone where the image is too small for the rest.
    pub(crate) fn graph_to_look_into(&self, extent: [usize; 2]) -> Result<Graph, switchback::Error> {
        match self {
            Self::Vgg16(network, preprocessing) => network
                .graph_from_image(extent, *preprocessing)
                .or_else(|_| network.features_from_image(extent, *preprocessing)),
            Self::Labels(_) => self.graph_from_image(extent),
        }
    }

    /// The node that a layer is: VGG16's have torchvision's names, and go by Caffe's too.
    pub(crate) fn node_name<'a>(&self, layer: &'a str) -> &'a str {
        match self {
            Self::Vgg16(..) => Vgg16::node_name(layer),
            Self::Labels(_) => layer,
        }
    }
}
