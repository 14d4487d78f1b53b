//! Images of four bytes a pixel, as textures have them: from the host and from textures, the same as of three.

use std::num::NonZero;

use switchback::gpu::{Elements, Texels, wgpu};
use switchback::weights::Weights;
use switchback::{Graph, Normalize, RgbImage, Tensor};

use super::bits;
use crate::common::adapter;
use crate::common::random::Random;

/// A graph of an image, which is an output too, and of what it becomes in both orders of channels.
fn normalized(extent: [usize; 2]) -> Graph {
    let mut g = Graph::builder();
    let image = g.image("image", extent).unwrap();
    let rgb = g.normalize("rgb", image, Normalize::TORCHVISION).unwrap();
    let bgr = g.normalize("bgr", image, Normalize::CAFFE).unwrap();
    [image, rgb, bgr].into_iter().for_each(|edge| g.output(edge).unwrap());
    g.build().unwrap()
}

#[test]
fn images_as_texels_are_the_same_images() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut random = Random::new(9);
    for extent in [[1, 1], [3, 2], [2, 63], [5, 64], [4, 65], [1, 130]] {
        let graph = normalized(extent);
        let image = RgbImage::new(extent, random.bytes(3 * extent[0] * extent[1])).unwrap();
        let run = |elements| gpu.with_elements(elements).compile(&graph, &Weights::new()).unwrap().run(&image).unwrap();
        for plain in [Elements::f32(), Elements::f16().with_ports()] {
            let expected = bits(&run(plain.clone()));
            for texels in [Texels::Rgba8, Texels::Bgra8] {
                let found = run(plain.clone().with_texels(texels));
                assert_eq!(found.image("image").unwrap(), &image, "{texels:?}");
                assert_eq!(bits(&found), expected, "{extent:?} as {texels:?}, {plain}");
            }
        }
    }
}

#[test]
fn a_texture_is_copied_into_an_input_of_texels() {
    let Some(gpu) = adapter::gpu() else { return };
    let (device, queue) = (gpu.device(), gpu.queue());
    let mut random = Random::new(10);
    for (texels, format) in [
        (Texels::Rgba8, wgpu::TextureFormat::Rgba8Unorm),
        (Texels::Bgra8, wgpu::TextureFormat::Bgra8Unorm),
        (Texels::Rgba8, wgpu::TextureFormat::Rgba8UnormSrgb),
    ] {
        for [rows, columns] in [[7, 5], [3, 64], [4, 131]] {
            // Alpha is arbitrary.
            let pixels = random.bytes(4 * rows * columns);
            let size = wgpu::Extent3d { width: columns as u32, height: rows as u32, depth_or_array_layers: 1 };
            let texture = device.create_texture(&wgpu::TextureDescriptor {
                label: None,
                size,
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
                view_formats: &[],
            });
            let layout = |offset, bytes| wgpu::TexelCopyBufferLayout {
                offset,
                bytes_per_row: Some(bytes),
                rows_per_image: None,
            };
            queue.write_texture(texture.as_image_copy(), &pixels, layout(0, 4 * size.width), size);

            let graph = normalized([rows, columns]);
            let gpu = gpu.with_elements(Elements::f32().with_texels(texels));
            let session = gpu.compile(&graph, &Weights::new()).unwrap();
            let (input, output) = (session.input_binding("image").unwrap(), session.output_binding("bgr").unwrap());
            let bytes_per_row = Texels::bytes_per_row(size.width);
            assert_eq!(input.size.map(NonZero::get), Some(u64::from(bytes_per_row) * rows as u64));
            let found = gpu.upload(&Tensor::zeros([1, 3, rows, columns]).unwrap()).unwrap();
            let mut encoder = device.create_command_encoder(&Default::default());
            let target =
                wgpu::TexelCopyBufferInfo { buffer: input.buffer, layout: layout(input.offset, bytes_per_row) };
            encoder.copy_texture_to_buffer(texture.as_image_copy(), target, size);
            session.record(&mut encoder);
            let bytes = output.size.map(NonZero::get);
            encoder.copy_buffer_to_buffer(output.buffer, output.offset, found.wgpu_buffer(), 0, bytes);
            queue.submit([encoder.finish()]);

            let rgb = |pixel: &[u8]| match texels {
                Texels::Rgba8 => [pixel[0], pixel[1], pixel[2]],
                Texels::Bgra8 => [pixel[2], pixel[1], pixel[0]],
            };
            let image = RgbImage::new([rows, columns], pixels.chunks_exact(4).flat_map(rgb).collect()).unwrap();
            let expected = gpu.normalize(&Normalize::CAFFE, &gpu.upload_image(&image).unwrap()).unwrap();
            assert_eq!(gpu.download(&found).unwrap(), gpu.download(&expected).unwrap(), "{format:?} {rows}x{columns}");
        }
    }
}
