//! Values on the device: tensors, switches, label maps and images, and their way there and back.
//!
//! Layouts: f32 NCHW, one word each; switches u32, one word each, or two bits each ([`Storage::Compact`]); labels and
//! RGB bytes packed four to a word, the lowest byte first, images one after another, the last word filled with zeros.

use crate::error::Result;
use crate::gpu::Gpu;
use crate::gpu::buffer::GpuBuffer;
use crate::gpu::storage::{Storage, from_compact};
use crate::op::MaxPool2d;
use crate::shape::Shape;
use crate::tensor::{Labels, RgbImage, Switches, Tensor};

/// An f32 NCHW tensor on the device; clones share its memory, which nothing changes once it is written.
#[derive(Clone, Debug)]
pub struct GpuTensor {
    shape: Shape,
    buffer: GpuBuffer,
}

/// Pooling switches on the device.
#[derive(Clone, Debug)]
pub struct GpuSwitches {
    shape: Shape,
    origin: [usize; 2],
    pool: MaxPool2d,
    storage: Storage,
    buffer: GpuBuffer,
}

/// Label maps on the device: a byte a pixel.
#[derive(Clone, Debug)]
pub struct GpuLabels {
    count: usize,
    extent: [usize; 2],
    buffer: GpuBuffer,
}

/// An 8-bit RGB image on the device: rows of interleaved `r g b` bytes.
#[derive(Clone, Debug)]
pub struct GpuImage {
    extent: [usize; 2],
    buffer: GpuBuffer,
}

/// Words that hold so many bytes.
pub(crate) fn words_of_bytes(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

impl GpuTensor {
    pub(crate) fn new(shape: Shape, buffer: GpuBuffer) -> Self {
        Self { shape, buffer }
    }

    /// Its extents.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The device buffer that holds it from its first byte on; it may be longer. For applications that bind it in their
    /// own passes.
    #[must_use]
    pub fn wgpu_buffer(&self) -> &wgpu::Buffer {
        self.buffer.raw()
    }

    pub(crate) fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }
}

impl GpuSwitches {
    pub(crate) fn new(shape: Shape, origin: [usize; 2], pool: MaxPool2d, storage: Storage, buffer: GpuBuffer) -> Self {
        Self { shape, origin, pool, storage, buffer }
    }

    /// Shape of the pooled map: one switch for each of its elements.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Rows and columns of the planes that were pooled.
    #[must_use]
    pub fn origin(&self) -> [usize; 2] {
        self.origin
    }

    /// The pooling that made them.
    #[must_use]
    pub fn pool(&self) -> MaxPool2d {
        self.pool
    }

    /// In which form they lie on the device.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.storage
    }

    pub(crate) fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }
}

impl GpuLabels {
    pub(crate) fn new(count: usize, extent: [usize; 2], buffer: GpuBuffer) -> Self {
        Self { count, extent, buffer }
    }

    /// Number of images.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Rows and columns of each image.
    #[must_use]
    pub fn extent(&self) -> [usize; 2] {
        self.extent
    }

    /// The device buffer that holds them from its first byte on, packed as the module says; it may be longer.
    #[must_use]
    pub fn wgpu_buffer(&self) -> &wgpu::Buffer {
        self.buffer.raw()
    }

    pub(crate) fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }
}

impl GpuImage {
    pub(crate) fn new(extent: [usize; 2], buffer: GpuBuffer) -> Self {
        Self { extent, buffer }
    }

    /// Rows and columns.
    #[must_use]
    pub fn extent(&self) -> [usize; 2] {
        self.extent
    }

    /// The device buffer that holds it from its first byte on, packed as the module says; it may be longer.
    #[must_use]
    pub fn wgpu_buffer(&self) -> &wgpu::Buffer {
        self.buffer.raw()
    }

    pub(crate) fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }
}

impl Gpu {
    /// Copies a tensor to the device.
    ///
    /// # Errors
    /// [`crate::Error::Limit`] if it is larger than the device's buffers; out of memory; device lost.
    pub fn upload(&self, tensor: &Tensor) -> Result<GpuTensor> {
        let buffer = self.upload_bytes("tensor", bytemuck::cast_slice(tensor.data()))?;
        Ok(GpuTensor::new(tensor.shape(), buffer))
    }

    /// Copies switches to the device.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_switches(&self, switches: &Switches) -> Result<GpuSwitches> {
        let buffer = self.upload_bytes("switches", bytemuck::cast_slice(switches.indices()))?;
        let (shape, origin, pool) = (switches.shape(), switches.origin(), switches.pool());
        Ok(GpuSwitches::new(shape, origin, pool, Storage::Words, buffer))
    }

    /// Copies label maps to the device.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_labels(&self, labels: &Labels) -> Result<GpuLabels> {
        let buffer = self.upload_bytes("labels", labels.data())?;
        Ok(GpuLabels::new(labels.count(), labels.extent(), buffer))
    }

    /// Copies an image to the device.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_image(&self, image: &RgbImage) -> Result<GpuImage> {
        let buffer = self.upload_bytes("image", image.data())?;
        Ok(GpuImage::new(image.extent(), buffer))
    }

    /// New memory with these bytes in it.
    fn upload_bytes(&self, what: &str, bytes: &[u8]) -> Result<GpuBuffer> {
        let buffer = self.allocate(what, words_of_bytes(bytes.len()))?;
        self.write(what, &buffer, bytes)?;
        Ok(buffer)
    }

    /// Copies a tensor back; in browsers, where nothing may block, this is the only form.
    ///
    /// # Errors
    /// Any fault of the work that made it: device lost, out of memory.
    pub async fn download_async(&self, tensor: &GpuTensor) -> Result<Tensor> {
        let data = self.read("tensor", &tensor.buffer, tensor.shape.elements()).await?;
        Tensor::new(tensor.shape, data)
    }

    /// Copies switches back.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub async fn download_switches_async(&self, switches: &GpuSwitches) -> Result<Switches> {
        let GpuSwitches { shape, origin, pool, storage, ref buffer } = *switches;
        let words: Vec<u32> = self.read("switches", buffer, storage.words(shape) as usize).await?;
        let indices = match storage {
            Storage::Words | Storage::Halves | Storage::Texels(_) => words,
            Storage::Compact => from_compact(&words, shape, origin[1]),
        };
        Ok(Switches::trusted(shape, origin, pool, indices))
    }

    /// Copies label maps back.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub async fn download_labels_async(&self, labels: &GpuLabels) -> Result<Labels> {
        let GpuLabels { count, extent, buffer } = labels;
        let data = self.read("labels", buffer, count * extent[0] * extent[1]).await?;
        Labels::new(*count, *extent, data)
    }

    /// Copies an image back.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub async fn download_image_async(&self, image: &GpuImage) -> Result<RgbImage> {
        let data = self.read("image", &image.buffer, 3 * image.extent[0] * image.extent[1]).await?;
        RgbImage::new(image.extent, data)
    }

    /// Takes a buffer of the application's own device as a tensor, without a copy: f32 NCHW from its first byte on. It
    /// must not change while operators that read it are in flight, other than by earlier submissions.
    ///
    /// # Errors
    /// [`crate::Error::Operand`] if the shape is empty, or the buffer is too small or lacks the usage `STORAGE`.
    pub fn wrap(&self, shape: impl Into<Shape>, buffer: wgpu::Buffer) -> Result<GpuTensor> {
        let shape = shape.into();
        shape.check("wrap", "shape")?;
        Ok(GpuTensor::new(shape, self.adopt("wrap", buffer, shape.elements() as u64)?))
    }
}

/// Blocking forms.
#[cfg(not(target_arch = "wasm32"))]
impl Gpu {
    /// Copies a tensor back, waiting for the work that makes it.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub fn download(&self, tensor: &GpuTensor) -> Result<Tensor> {
        pollster::block_on(self.download_async(tensor))
    }

    /// Copies switches back.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub fn download_switches(&self, switches: &GpuSwitches) -> Result<Switches> {
        pollster::block_on(self.download_switches_async(switches))
    }

    /// Copies label maps back.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub fn download_labels(&self, labels: &GpuLabels) -> Result<Labels> {
        pollster::block_on(self.download_labels_async(labels))
    }

    /// Copies an image back.
    ///
    /// # Errors
    /// As [`Gpu::download_async`].
    pub fn download_image(&self, image: &GpuImage) -> Result<RgbImage> {
        pollster::block_on(self.download_image_async(image))
    }
}
