//! Images of four bytes a pixel, as textures have them: from the host and from textures, and back, the same as of three.

use std::num::NonZero;

use switchback::gpu::{Elements, Texels, wgpu};
use switchback::weights::Weights;
use switchback::{Gpu, Graph, Normalize, Palette, RgbImage, Tensor};

use super::bits;
use crate::common::adapter;
use crate::common::random::Random;

/// A graph of an image, which is an output too, of what it becomes in both orders of channels, of a picture of its pixels'
/// largest channels, and of what that becomes, as another picture does which is no output.
fn pictured(extent: [usize; 2]) -> Graph {
    let mut random = Random::new(11);
    let mut palette = || Palette(std::array::from_fn(|_| std::array::from_fn(|_| random.bytes(1)[0])));
    let mut g = Graph::builder();
    let image = g.image("image", extent).unwrap();
    let rgb = g.normalize("rgb", image, Normalize::TORCHVISION).unwrap();
    let bgr = g.normalize("bgr", image, Normalize::CAFFE).unwrap();
    let labels = g.argmax_channels("labels", bgr).unwrap();
    let picture = g.colorize("picture", labels, palette()).unwrap();
    let between = g.colorize("between", labels, palette()).unwrap();
    let again = g.normalize("again", picture, Normalize::CAFFE).unwrap();
    let beyond = g.normalize("beyond", between, Normalize::CAFFE).unwrap();
    [image, rgb, bgr, picture, again, beyond].into_iter().for_each(|edge| g.output(edge).unwrap());
    g.build().unwrap()
}

#[test]
fn images_as_texels_are_the_same_images() {
    let Some(gpu) = adapter::gpu() else { return };
    let mut random = Random::new(9);
    for extent in [[1, 1], [3, 2], [2, 63], [5, 64], [4, 65], [1, 130]] {
        let graph = pictured(extent);
        let image = RgbImage::new(extent, random.bytes(3 * extent[0] * extent[1])).unwrap();
        let run = |gpu: &Gpu| gpu.compile(&graph, &Weights::new()).unwrap().run(&image).unwrap();
        for elements in [Elements::f32(), Elements::f16().with_ports()] {
            let gpu = gpu.with_elements(elements);
            let expected = bits(&run(&gpu));
            for texels in [Texels::Rgba8, Texels::Bgra8] {
                let found = run(&gpu.with_texels(texels));
                assert_eq!(found.image("image").unwrap(), &image, "{texels:?}");
                assert_eq!(bits(&found), expected, "{extent:?} as {texels}, {}", gpu.elements());
            }
        }
    }
}

#[test]
fn textures_are_copied_into_inputs_of_texels_and_from_outputs() {
    let Some(gpu) = adapter::gpu() else { return };
    let (device, queue) = (gpu.device(), gpu.queue());
    let mut random = Random::new(10);
    for (texels, format) in [
        (Texels::Rgba8, wgpu::TextureFormat::Rgba8Unorm),
        (Texels::Bgra8, wgpu::TextureFormat::Bgra8Unorm),
        (Texels::Rgba8, wgpu::TextureFormat::Rgba8UnormSrgb),
    ] {
        for [rows, columns] in [[7, 5], [3, 64], [4, 131]] {
            let size = wgpu::Extent3d { width: columns as u32, height: rows as u32, depth_or_array_layers: 1 };
            let [seen, shown] = [(); 2].map(|()| {
                device.create_texture(&wgpu::TextureDescriptor {
                    label: None,
                    size,
                    mip_level_count: 1,
                    sample_count: 1,
                    dimension: wgpu::TextureDimension::D2,
                    format,
                    usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
                    view_formats: &[],
                })
            });
            // Alpha is arbitrary.
            let pixels = random.bytes(4 * rows * columns);
            queue.write_texture(seen.as_image_copy(), &pixels, layout(0, 4 * size.width), size);

            let graph = pictured([rows, columns]);
            let in_texels = gpu.with_texels(texels);
            let session = in_texels.compile(&graph, &Weights::new()).unwrap();
            let bytes_per_row = Texels::bytes_per_row(size.width);
            let place = |binding: wgpu::BufferBinding<'_>| {
                assert_eq!(binding.size.map(NonZero::get), Some(u64::from(bytes_per_row) * rows as u64));
                (binding.buffer.clone(), layout(binding.offset, bytes_per_row))
            };
            let (input, input_layout) = place(session.input_binding("image").unwrap());
            let (output, output_layout) = place(session.output_binding("picture").unwrap());
            let bgr = session.output_binding("bgr").unwrap();
            let found = gpu.upload(&Tensor::zeros([1, 3, rows, columns]).unwrap()).unwrap();
            let mut encoder = device.create_command_encoder(&Default::default());
            let input = wgpu::TexelCopyBufferInfo { buffer: &input, layout: input_layout };
            encoder.copy_texture_to_buffer(seen.as_image_copy(), input, size);
            session.record(&mut encoder);
            encoder.copy_buffer_to_buffer(bgr.buffer, bgr.offset, found.wgpu_buffer(), 0, bgr.size.map(NonZero::get));
            let output = wgpu::TexelCopyBufferInfo { buffer: &output, layout: output_layout };
            encoder.copy_buffer_to_texture(output, shown.as_image_copy(), size);
            queue.submit([encoder.finish()]);

            let rgb = |pixel: &[u8]| match texels {
                Texels::Rgba8 => [pixel[0], pixel[1], pixel[2]],
                Texels::Bgra8 => [pixel[2], pixel[1], pixel[0]],
            };
            let image = RgbImage::new([rows, columns], pixels.chunks_exact(4).flat_map(rgb).collect()).unwrap();
            let expected = gpu.compile(&graph, &Weights::new()).unwrap().run(&image).unwrap();
            let what = format!("{format:?} {rows}x{columns}");
            assert_eq!(&gpu.download(&found).unwrap(), expected.tensor("bgr").unwrap(), "{what}");
            let shown = read_back(&gpu, &shown);
            let picture: Vec<u8> = shown.chunks_exact(4).flat_map(rgb).collect();
            assert_eq!(picture, expected.image("picture").unwrap().data(), "{what}");
            assert!(shown.iter().skip(3).step_by(4).all(|&alpha| alpha == 255), "{what}");
        }
    }
}

fn layout(offset: u64, bytes_per_row: u32) -> wgpu::TexelCopyBufferLayout {
    wgpu::TexelCopyBufferLayout { offset, bytes_per_row: Some(bytes_per_row), rows_per_image: None }
}

/// A texture's bytes, without what copies fill its rows up with.
fn read_back(gpu: &Gpu, texture: &wgpu::Texture) -> Vec<u8> {
    let (device, bytes_per_row) = (gpu.device(), (4 * texture.width()).next_multiple_of(256));
    let size = u64::from(bytes_per_row * texture.height());
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let buffer = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    let mut encoder = device.create_command_encoder(&Default::default());
    let copy = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout: layout(0, bytes_per_row) };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), copy, texture.size());
    gpu.queue().submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |_| ());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let rows = buffer.get_mapped_range(..).unwrap();
    let row = 4 * texture.width() as usize;
    rows.chunks_exact(bytes_per_row as usize).flat_map(|bytes| bytes[..row].to_vec()).collect()
}
