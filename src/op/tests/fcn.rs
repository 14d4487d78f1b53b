//! The published FCNs, layer by layer from the operators alone: every extent and every total is known.

use crate::op::{Conv2d, ConvTranspose2d, Cost, Crop, CropAdd, MaxPool2d, Rounding};
use crate::shape::Shape;

/// A network under way: its costs so far.
#[derive(Default)]
struct Tally {
    convolutions: Cost,
    upsampling: Cost,
}

impl Tally {
    fn conv(&mut self, x: Shape, outputs: usize, kernel: usize, pad: usize) -> Shape {
        let op = Conv2d::new([kernel, kernel]).pad(pad);
        let weight = op.weight_shape(x.c, outputs).unwrap();
        let bias = Some(Shape::vector(outputs));
        self.convolutions = self.convolutions + op.cost(x, weight, bias).unwrap();
        op.output_shape(x, weight, bias).unwrap()
    }

    fn up(&mut self, x: Shape, stride: usize) -> Shape {
        let op = ConvTranspose2d::new([2 * stride; 2]).stride([stride; 2]);
        let weight = op.weight_shape(x.c, x.c).unwrap();
        self.upsampling = self.upsampling + op.cost(x, weight, None).unwrap();
        op.output_shape(x, weight, None).unwrap()
    }

    /// VGG16 with a border of 100, then fc6, fc7 and the 21 scores: the pooled maps, and the scores.
    fn backbone(&mut self, [h, w]: [usize; 2]) -> ([Shape; 5], Shape) {
        let mut x = Shape::from([1, 3, h, w]);
        let stages = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];
        let pools = std::array::from_fn(|stage| {
            let (layers, channels) = stages[stage];
            for layer in 0..layers {
                x = self.conv(x, channels, 3, if (stage, layer) == (0, 0) { 100 } else { 1 });
            }
            x = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe).output_shape(x).unwrap();
            x
        });
        x = self.conv(x, 4096, 7, 0);
        x = self.conv(x, 4096, 1, 0);
        (pools, self.conv(x, 21, 1, 0))
    }

    /// Upsamples by two and adds the scores of a pooled map, cropped at `offset`.
    fn fuse(&mut self, x: Shape, pool: Shape, offset: usize) -> Shape {
        let up = self.up(x, 2);
        let skip = self.conv(pool, 21, 1, 0);
        CropAdd::new([offset; 2]).output_shape(up, skip).unwrap()
    }

    fn total(&self) -> Cost {
        self.convolutions + self.upsampling
    }
}

fn cropped(x: Shape, offset: usize, image: [usize; 2]) -> [usize; 4] {
    Crop::new([offset; 2], image).output_shape(x).unwrap().dims()
}

#[test]
fn fcn8s_extents_and_multiply_adds() {
    type Extents = [[usize; 2]; 9];
    let rows: [([usize; 2], Extents, u64); 9] = [
        // image, [pool1 .. pool5, score_fr, upscore2, upscore_pool4, upscore8], multiply-adds
        (
            [1, 1],
            [[100, 100], [50, 50], [25, 25], [13, 13], [7, 7], [1, 1], [4, 4], [10, 10], [88, 88]],
            12_445_295_184,
        ),
        (
            [32, 32],
            [[115, 115], [58, 58], [29, 29], [15, 15], [8, 8], [2, 2], [6, 6], [14, 14], [120, 120]],
            16_987_884_672,
        ),
        (
            [224, 224],
            [[211, 211], [106, 106], [53, 53], [27, 27], [14, 14], [8, 8], [18, 18], [38, 38], [312, 312]],
            62_860_657_728,
        ),
        (
            [240, 320],
            [[219, 259], [110, 130], [55, 65], [28, 33], [14, 17], [8, 11], [18, 24], [38, 50], [312, 408]],
            80_788_278_912,
        ),
        (
            [333, 500],
            [[266, 349], [133, 175], [67, 88], [34, 44], [17, 22], [11, 16], [24, 34], [50, 70], [408, 568]],
            136_025_669_760,
        ),
        (
            [500, 375],
            [[349, 287], [175, 144], [88, 72], [44, 36], [22, 18], [16, 12], [34, 26], [70, 54], [568, 440]],
            146_784_192_192,
        ),
        (
            [500, 500],
            [[349, 349], [175, 175], [88, 88], [44, 44], [22, 22], [16, 16], [34, 34], [70, 70], [568, 568]],
            181_529_034_048,
        ),
        (
            [513, 513],
            [[356, 356], [178, 178], [89, 89], [45, 45], [23, 23], [17, 17], [36, 36], [74, 74], [600, 600]],
            190_578_685_008,
        ),
        (
            [1024, 2048],
            [[611, 1123], [306, 562], [153, 281], [77, 141], [39, 71], [33, 65], [68, 132], [138, 266], [1112, 2136]],
            1_102_860_140_688,
        ),
    ];
    for (image, extents, macs) in rows {
        let mut tally = Tally::default();
        let (pools, score) = tally.backbone(image);
        let fuse4 = tally.fuse(score, pools[3], 5);
        let fuse3 = tally.fuse(fuse4, pools[2], 9);
        let up8 = tally.up(fuse3, 8);
        let [pool1, pool2, pool3, pool4, pool5] = pools;
        let found = [pool1, pool2, pool3, pool4, pool5, score, fuse4, fuse3, up8].map(Shape::extent);
        assert_eq!(found, extents, "{image:?}");
        assert_eq!(tally.total().macs, macs, "{image:?}");
        assert_eq!(cropped(up8, 31, image), [1, 21, image[0], image[1]]);
    }
}

#[test]
fn totals_of_the_three_heads_at_500x500() {
    let image = [500, 500];
    let [mut s32, mut s16, mut s8] = [(); 3].map(|()| Tally::default());

    let (_, score) = s32.backbone(image);
    assert_eq!(cropped(s32.up(score, 32), 19, image), [1, 21, 500, 500]);
    assert_eq!(s32.convolutions.macs, 180_903_432_960);
    assert_eq!(s32.upsampling.macs, 462_422_016);
    assert_eq!(s32.total().parameters, 136_152_917);

    let (pools, score) = s16.backbone(image);
    let fuse4 = s16.fuse(score, pools[3], 5);
    assert_eq!(cropped(s16.up(fuse4, 16), 27, image), [1, 21, 500, 500]);
    assert_eq!(s16.convolutions.macs, 180_924_248_832);
    assert_eq!(s16.upsampling.macs, 523_837_440);
    assert_eq!(s16.total().parameters, 134_815_994);

    let (pools, score) = s8.backbone(image);
    let fuse4 = s8.fuse(score, pools[3], 5);
    let fuse3 = s8.fuse(fuse4, pools[2], 9);
    assert_eq!(cropped(s8.up(fuse3, 8), 31, image), [1, 21, 500, 500]);
    assert_eq!(s8.convolutions.macs, 180_965_880_576);
    assert_eq!(s8.upsampling.macs, 563_153_472);
    assert_eq!(s8.upsampling.parameters, 127_008);
    assert_eq!(s8.total().parameters, 134_489_759);
}
