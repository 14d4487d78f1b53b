//! Numbers at the ends of their types, where a caller may give any: an error or a plain answer, never a panic.

use switchback::graph::ValueType;
use switchback::net::{Activation, Region, Sight, plate};
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, Normalize, RgbImage, Shape};

const MOST: usize = usize::MAX;

#[test]
fn sizes_saturate() {
    let bytes = |value: ValueType| value.bytes();
    let too_many = 1 << 62;
    assert!(bytes(ValueType::Labels { count: MOST, extent: [MOST; 2] }) >= too_many);
    assert!(bytes(ValueType::Image { extent: [MOST; 2] }) >= too_many);
    assert!(bytes(ValueType::Tensor([MOST; 4].into())) >= too_many);
    assert_eq!(Shape::from([MOST; 4]).elements(), MOST);
    let _ = Shape::from([MOST; 4]).index([MOST; 4]);
}

#[test]
fn windows_that_no_operator_accepts() {
    let pool = MaxPool2d::new([2, 2]);
    assert!(!pool.dilation([0, 0]).window_contains([0, 0], [0, 1]));
    assert!(!pool.stride([MOST; 2]).window_contains([2, 2], [0, 0]));
    assert!(!pool.pad(MOST).window_contains([0, 0], [1, 1]));
    let _ = pool.stride([0, 0]).dilation([MOST; 2]).overlaps();
    let input = Shape::from([1, 1, 5, 5]);
    for op in [
        ConvTranspose2d::new([0, 3]),
        ConvTranspose2d::new([3, 3]).dilation([0, 1]),
        ConvTranspose2d::new([3, 3]).dilation([1, MOST]),
        ConvTranspose2d::new([MOST, 3]),
        ConvTranspose2d::new([3, 3]).pad(MOST),
    ] {
        assert_eq!(op.as_convolution(input), None, "{op:?}");
    }
    for shape in [[0; 4], [1, 1, 0, 5], [MOST; 4]] {
        assert_eq!(ConvTranspose2d::new([3, 3]).as_convolution(shape.into()), None, "{shape:?}");
    }
    assert_eq!(ConvTranspose2d::new([3, 3]).as_convolution(input), Some(Conv2d::new([3, 3]).pad(2)));
}

#[test]
fn pictures_that_would_be_too_large_are_refused_before_anything_is_allocated() {
    let image = RgbImage::new([2, 2], vec![0; 12]).unwrap();
    let region = Region::whole([2, 2]).unwrap();
    for extent in [[MOST; 2], [1 << 50, 1], [0, 1]] {
        let error = region.crop(&image, extent, &Normalize::RAW).unwrap_err().to_string();
        assert!(error.contains("region: extent is"), "{error}");
    }
    let activation = Activation { unit: 0, row: 0, column: 0, value: 0.0 };
    let sight = Sight { activation, region, projection: image.clone(), patch: image };
    for columns in [MOST, 1 << 60] {
        let error = plate(std::slice::from_ref(&sight), columns).unwrap_err().to_string();
        assert!(error.contains("fewer than 2^31 elements"), "{error}");
    }
    // A tile is as large as the larger of what is shown in it.
    let larger = Sight { projection: RgbImage::new([200, 100], vec![0; 60_000]).unwrap(), ..sight };
    assert_eq!(plate(&[larger], 1).unwrap().extent(), [200, 212]);
}
