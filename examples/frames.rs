//! An application that renders: its pictures are textures, and labels are painted over them in another texture. Between
//! the two a frame never leaves the GPU, and the host does not wait for one frame before it submits the next. Colours
//! alone would need no pass: what `colorize` gives is copied into a texture as frames are copied from one.
//!
//!     cargo run --release --example frames

use std::collections::VecDeque;
use std::error::Error;
use std::time::Instant;

use switchback::gpu::{Texels, wgpu};
use switchback::graph::Session;
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;
use switchback::{Gpu, Palette, RgbImage, image};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Rows and columns of a frame. A session is for one extent: another one needs `compile` again.
const EXTENT: [usize; 2] = [141, 187];
const FRAMES: usize = 6;
/// Frames that are submitted and not waited for. Commands of one queue happen one after another, so that all frames
/// share the session and both textures; what each has for itself is the picture on its way from the host.
const AHEAD: usize = 2;
const OPACITY: f32 = 0.6;

fn main() -> Result<()> {
    let instance = wgpu::Instance::default();
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&Gpu::device_descriptor(&adapter)))?;
    // The network's input has four bytes a pixel, as the picture has, which is copied there as it is.
    let gpu = Gpu::from_device(device.clone(), queue.clone())?.with_texels(Texels::Rgba8);

    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits");
    let weights = Weights::open(format!("{folder}/fcn8s-digits.safetensors"))?;
    let graph = Fcn::from_weights(Head::Stride8, &weights)?.labels_from_image(EXTENT)?;
    let mut session = gpu.compile(&graph, &weights)?;
    let overlay = Overlay::new(&device, &queue, &session)?;
    // The camera: a window that moves over a photograph.
    let scene = image::load(format!("{folder}/scene-6.png"))?;
    let frames = (0..FRAMES).map(|k| window(&scene, [30 * k, 60 * k])).collect::<Result<Vec<_>>>()?;

    // What would be shown is kept here, to be checked at the end. Copied rows begin at multiples of 256 bytes.
    let bytes_per_row = Texels::bytes_per_row(EXTENT[1] as u32);
    let rows = |buffer, offset| {
        let layout = wgpu::TexelCopyBufferLayout { offset, bytes_per_row: Some(bytes_per_row), rows_per_image: None };
        wgpu::TexelCopyBufferInfo { buffer, layout }
    };
    let frame_bytes = EXTENT[0] * bytes_per_row as usize;
    let size = (FRAMES * frame_bytes) as u64;
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let kept = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });

    session.run(&frames[0])?; // There are drivers that compile at the first dispatch.
    let started = Instant::now();
    let mut under_way = VecDeque::new();
    for (k, frame) in frames.iter().enumerate() {
        overlay.take(&queue, frame);
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let input = session.input_binding("image")?;
        let (picture, painted) = (&overlay.picture, &overlay.painted);
        encoder.copy_texture_to_buffer(picture.as_image_copy(), rows(input.buffer, input.offset), picture.size());
        session.record(&mut encoder);
        overlay.record_paint(&mut encoder);
        let copy = rows(&kept, (k * frame_bytes) as u64);
        encoder.copy_texture_to_buffer(painted.as_image_copy(), copy, painted.size());
        under_way.push_back(queue.submit([encoder.finish()]));
        if under_way.len() > AHEAD {
            device.poll(wgpu::PollType::Wait { submission_index: under_way.pop_front(), timeout: None })?;
        }
    }
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let rate = FRAMES as f64 / started.elapsed().as_secs_f64();
    println!("{FRAMES} frames of {}x{} on {}: {rate:.1} a second", EXTENT[0], EXTENT[1], gpu.info());

    // The same by the host: equal to the last bit.
    kept.map_async(wgpu::MapMode::Read, .., |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let kept = kept.get_mapped_range(..)?;
    let mut found = 0;
    for (frame, rows) in frames.iter().zip(kept.chunks_exact(frame_bytes)) {
        let labels = session.run(frame)?.argmax_channels()?;
        let expected = image::overlay(frame, &labels, &Palette::voc(), OPACITY)?;
        let pixels = rows.chunks_exact(bytes_per_row as usize).flat_map(|row| row[..4 * EXTENT[1]].chunks_exact(4));
        assert!(pixels.flat_map(|pixel| &pixel[..3]).eq(expected.data()));
        found += labels.data().iter().filter(|&&label| label != 0).count();
    }
    assert!(found > 0, "there are digits in those frames");
    Ok(())
}

/// What the application has for its frames.
struct Overlay {
    /// What the camera sees.
    picture: wgpu::Texture,
    /// What is shown.
    painted: wgpu::Texture,
    paint: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
}

impl Overlay {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue, session: &Session) -> Result<Self> {
        use wgpu::TextureUsages as Use;
        let [rows, columns] = EXTENT.map(|side| side as u32);
        let texture = |usage| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: None,
                size: wgpu::Extent3d { width: columns, height: rows, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                // Not the sRGB format, from which shaders read linear light: the network was trained on a file's bytes.
                format: wgpu::TextureFormat::Rgba8Unorm,
                usage,
                view_formats: &[],
            })
        };
        let picture = texture(Use::TEXTURE_BINDING | Use::COPY_DST | Use::COPY_SRC);
        let painted = texture(Use::STORAGE_BINDING | Use::COPY_SRC);
        let [seen, shown] = [&picture, &painted].map(|texture| texture.create_view(&Default::default()));

        // Black is the background's colour: there the picture alone is shown.
        let alpha = (OPACITY * 255.0).round() as u8;
        let word = |[r, g, b]: [u8; 3]| [r, g, b, if [r, g, b] == [0; 3] { 0 } else { alpha }];
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let palette = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 * 256,
            usage,
            mapped_at_creation: false,
        });
        queue.write_buffer(&palette, 0, Palette::voc().0.map(word).as_flattened());

        let module = device.create_shader_module(wgpu::include_wgsl!("frames.wgsl"));
        let paint = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("paint"),
            layout: None,
            module: &module,
            entry_point: Some("paint"),
            compilation_options: Default::default(),
            cache: None,
        });
        let resources = [
            wgpu::BindingResource::TextureView(&seen),
            wgpu::BindingResource::Buffer(session.output_binding("labels")?),
            palette.as_entire_binding(),
            wgpu::BindingResource::TextureView(&shown),
        ];
        let entries: Vec<_> =
            (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("paint"),
            layout: &paint.get_bind_group_layout(0),
            entries: &entries,
        });
        Ok(Self { picture, painted, paint, bindings })
    }

    /// Stands for a camera, or for the application's own rendering.
    fn take(&self, queue: &wgpu::Queue, frame: &RgbImage) {
        let pixels: Vec<u8> = frame.data().chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(4 * self.picture.width()),
            rows_per_image: None,
        };
        queue.write_texture(self.picture.as_image_copy(), &pixels, layout, self.picture.size());
    }

    fn record_paint(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.paint);
        pass.set_bind_group(0, &self.bindings, &[]);
        let [rows, columns] = EXTENT.map(|side| side as u32);
        pass.dispatch_workgroups(columns.div_ceil(8), rows.div_ceil(8), 1);
    }
}

/// The part of a scene that begins at this row and column.
fn window(scene: &RgbImage, [top, left]: [usize; 2]) -> Result<RgbImage> {
    let rows = scene.data().chunks_exact(3 * scene.extent()[1]).skip(top).take(EXTENT[0]);
    Ok(RgbImage::new(EXTENT, rows.flat_map(|row| &row[3 * left..][..3 * EXTENT[1]]).copied().collect())?)
}
