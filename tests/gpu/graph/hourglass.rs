//! An encoder and its mirror, which has no weights of its own.

use switchback::weights::Weights;
use switchback::{Conv2d, ConvTranspose2d, CropAdd, Graph, MaxPool2d, Normalize, Parameters, RgbImage};

use super::{assert_checked, bits};
use crate::common::random::Random;
use crate::devices::on_each;

/// Two encoder stages that pool with switches, the mirrored decoder that unpools with them and applies the encoder's
/// own filters transposed, a skip connection, and outputs along the way.
pub(crate) fn hourglass(extent: [usize; 2]) -> Graph {
    let mut g = Graph::builder();
    let image = g.image("image", extent).unwrap();
    let x = g.normalize("data", image, Normalize::CAFFE).unwrap();
    let same = Conv2d::new([3, 3]).pad(1).relu();
    let back = ConvTranspose2d::new([3, 3]).pad(1).relu();
    let pool = MaxPool2d::new([2, 2]).ceil();
    let overlapping = MaxPool2d::new([3, 3]).stride([2, 2]).pad(1);
    let c1 = g.conv2d("conv1", x, same, 6).unwrap();
    let (p1, s1) = g.max_pool2d_switches("pool1", c1, pool).unwrap();
    let c2 = g.conv2d("conv2", p1, same, 9).unwrap();
    let (p2, s2) = g.max_pool2d_switches("pool2", c2, overlapping).unwrap();
    let u2 = g.max_unpool2d("unpool2", p2, s2).unwrap();
    let d2 = g.conv_transpose2d_with("back2", u2, back, 6, Parameters::weight("conv2.weight")).unwrap();
    let skip = g.crop_add("skip", d2, p1, CropAdd::new([0, 0]).scale(0.5)).unwrap();
    let u1 = g.max_unpool2d("unpool1", skip, s1).unwrap();
    let d1 = g.conv_transpose2d_with("back1", u1, back, 3, Parameters::weight("conv1.weight")).unwrap();
    let labels = g.argmax_channels("labels", d1).unwrap();
    for edge in [labels, d1, s2, p2] {
        g.output(edge).unwrap();
    }
    // Everything else as well, but for what two steps lie between.
    for edge in [x, c1, p1, s1, c2, u2, d2, skip, u1] {
        g.output(edge).unwrap();
    }
    g.build().unwrap()
}

#[test]
fn an_encoder_and_its_mirror() {
    on_each(|gpu| {
        for extent in [[23, 30], [7, 7], [2, 5]] {
            let graph = hourglass(extent);
            let image = RgbImage::new(extent, Random::new(3).bytes(3 * extent[0] * extent[1])).unwrap();
            let weights = Weights::random(graph.weights_required(), 4).unwrap();
            assert_eq!(graph.weights_required().len(), 4, "the decoder has no weights of its own");
            let mut session = gpu.compile(&graph, &weights).unwrap();
            let outputs = session.run(&image).unwrap();
            assert_eq!(
                outputs.iter().map(|(name, _)| name).take(4).collect::<Vec<_>>(),
                ["labels", "back1", "pool2.switches", "pool2"]
            );
            assert_checked(&session, &weights, (&image).into(), &outputs);
            assert_eq!(bits(&outputs), bits(&session.run(&image).unwrap()));
        }
    });
}
