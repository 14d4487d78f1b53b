//! DeconvNet over parts of a larger image, by one call.

use switchback::net::{DeconvNet, Proposals, Region, Segmentation};
use switchback::weights::Weights;
use switchback::{Error, RgbImage};

use crate::common::adapter;
use crate::common::random::Random;

#[test]
fn proposals_over_an_image() {
    let Some(gpu) = adapter::gpu() else { return };
    let network = DeconvNet::published(3).slimmed(64);
    let weights = Weights::random(network.weights_required(), 4).unwrap();
    let image = RgbImage::new([61, 83], Random::new(1).bytes(3 * 61 * 83)).unwrap();
    let regions = [
        Region { top: 0, left: 0, rows: 61, columns: 40 },
        Region { top: 20, left: -10, rows: 50, columns: 70 },
        Region { top: 5, left: 50, rows: 30, columns: 20 },
    ];
    let proposals = Proposals::new(regions);
    let graph = network.graph([1, 3, 200, 193].into()).unwrap();
    let mut session = gpu.compile(&graph, &weights).unwrap();
    let found = network.propose(&mut session, &image, &proposals).unwrap();

    let mut expected = proposals.start(3, image.extent()).unwrap();
    for region in regions {
        let crop = region.crop(&image, [200, 193], &network.preprocessing()).unwrap();
        let answer = session.run(&crop).unwrap();
        region.place(answer.tensor(network.scores_name()).unwrap(), &mut expected).unwrap();
    }
    assert!(found.data().iter().any(|&score| score > 0.0));
    assert_eq!(found, expected);
    assert_eq!(found.get([0, 1, 0, 82]), Some(0.0), "where no region is, every score is zero");

    let labels = network.labels_from_image([200, 193]).unwrap();
    let mut wrong = gpu.compile(&labels, &weights).unwrap();
    let error = network.propose(&mut wrong, &image, &proposals).unwrap_err();
    assert!(matches!(error, Error::Operand { op: "proposals", .. }), "{error}");
}
