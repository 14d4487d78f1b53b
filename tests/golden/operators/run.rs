//! Each case by our operators: on the reference, and on a device.

use switchback::reference::{self, Answer};
use switchback::{
    ChannelOrder, Conv2d, ConvTranspose2d, Crop, CropAdd, Gpu, GpuTensor, MaxPool2d, MaxUnpool2d, Normalize, Pad,
    Result, Rounding, Slice, Tensor, bilinear_weight,
};

use super::Outcome;
use super::case::{Case, Operator, Window};

/// What the reference gives: numbers with their bound, or results that are only moved or chosen.
pub(super) enum Truth {
    Bounded(Answer),
    Exact(Outcome),
}

impl From<Answer> for Truth {
    fn from(answer: Answer) -> Self {
        Self::Bounded(answer)
    }
}

impl From<Tensor> for Truth {
    fn from(tensor: Tensor) -> Self {
        Self::Exact(Outcome::Tensor(tensor))
    }
}

impl Truth {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Bounded(answer) => Outcome::Tensor(answer.tensor()),
            Self::Exact(outcome) => outcome.clone(),
        }
    }
}

impl Window {
    fn conv2d(&self) -> Conv2d {
        let op = Conv2d::new(self.kernel).stride(self.stride).dilation(self.dilation).pad(self.pad).groups(self.groups);
        if self.relu { op.relu() } else { op }
    }

    fn conv_transpose2d(&self) -> ConvTranspose2d {
        let op = ConvTranspose2d::new(self.kernel).stride(self.stride).dilation(self.dilation).pad(self.pad);
        let op = if self.relu { op.groups(self.groups).relu() } else { op.groups(self.groups) };
        match (self.output_padding, self.output_size) {
            (Some(padding), None) => op.output_padding(padding),
            (None, Some(size)) => op.output_size(size),
            both => panic!("one of output_padding and output_size: {both:?}"),
        }
    }

    pub(super) fn max_pool2d(&self) -> MaxPool2d {
        let rounding = match self.rounding.as_deref() {
            Some("floor") => Rounding::Floor,
            Some("ceil") => Rounding::Ceil,
            Some("caffe") => Rounding::Caffe,
            other => panic!("{other:?}"),
        };
        MaxPool2d::new(self.kernel).stride(self.stride).dilation(self.dilation).pad(self.pad).rounding(rounding)
    }
}

fn normalize(order: &str, mean: [f32; 3], factor: [f32; 3]) -> Normalize {
    let order = match order {
        "rgb" => ChannelOrder::Rgb,
        "bgr" => ChannelOrder::Bgr,
        other => panic!("{other}"),
    };
    Normalize { order, mean, factor }
}

impl Case {
    pub(super) fn is_pooling(&self) -> bool {
        matches!(self.operator, Operator::MaxPool2d(_))
    }

    /// The factor of a scaling: one a channel, or one for all.
    fn factor(&self, factor: Option<f32>) -> Tensor {
        let channels = self.input("x").shape().c;
        factor.map_or_else(|| self.input("scale"), |factor| Tensor::full([1, channels, 1, 1], factor).unwrap())
    }

    /// The reference's result, with the bound of minimal filtering or of operands rounded to f16 where that computes it.
    pub(super) fn on_reference_with_bound_of(&self, filtering: Option<[[usize; 2]; 2]>, half: bool) -> Result<Truth> {
        match (&self.operator, filtering) {
            (Operator::Conv2d(window), None) if half => {
                let (x, weight, bias) = (self.input("x"), self.input("weight"), self.optional("bias"));
                Ok(reference::conv2d_half_operands(&window.conv2d(), &x, &weight, bias.as_ref())?.into())
            }
            (Operator::ConvTranspose2d(window), None) if half => {
                let (x, weight, bias) = (self.input("x"), self.input("weight"), self.optional("bias"));
                let op = window.conv_transpose2d();
                Ok(reference::conv_transpose2d_half_operands(&op, &x, &weight, bias.as_ref())?.into())
            }
            (Operator::Conv2d(window), Some(filtering)) => {
                let (x, weight, bias) = (self.input("x"), self.input("weight"), self.optional("bias"));
                let op = window.conv2d();
                Ok(reference::conv2d_minimal_filtering(&op, &x, &weight, bias.as_ref(), filtering)?.into())
            }
            (Operator::ConvTranspose2d(window), Some(filtering)) => {
                let (x, weight, bias) = (self.input("x"), self.input("weight"), self.optional("bias"));
                let op = window.conv_transpose2d();
                Ok(reference::conv_transpose2d_minimal_filtering(&op, &x, &weight, bias.as_ref(), filtering)?.into())
            }
            _ => self.on_reference(),
        }
    }

    pub(super) fn on_reference(&self) -> Result<Truth> {
        let (x, weight, bias) = (|| self.input("x"), || self.input("weight"), self.optional("bias"));
        Ok(match &self.operator {
            Operator::Conv2d(window) => reference::conv2d(&window.conv2d(), &x(), &weight(), bias.as_ref())?.into(),
            Operator::ConvTranspose2d(window) => {
                reference::conv_transpose2d(&window.conv_transpose2d(), &x(), &weight(), bias.as_ref())?.into()
            }
            Operator::MaxPool2d(window) => {
                let (y, switches) = reference::max_pool2d(&window.max_pool2d(), &x())?;
                Truth::Exact(Outcome::Pooled(y, switches))
            }
            &Operator::MaxUnpool2d { kernel, stride, pad, origin, output_size } => {
                let switches = self.switches(MaxPool2d::new(kernel).stride(stride).pad(pad), origin);
                reference::max_unpool2d(&MaxUnpool2d::new().output_size(output_size), &x(), &switches)?.into()
            }
            Operator::Relu {} => reference::relu(&x())?.into(),
            Operator::Add { relu: false } => reference::add(&x(), &self.input("other"))?.into(),
            Operator::Add { relu: true } => {
                reference::relu(&reference::add(&x(), &self.input("other"))?.tensor())?.into()
            }
            &Operator::Crop { offset, size } => reference::crop(&Crop::new(offset, size), &x())?.into(),
            &Operator::Pad { pad } => reference::pad(&Pad::new(pad), &x())?.into(),
            &Operator::CropAdd { offset } => {
                reference::crop_add(&CropAdd::new(offset), &x(), &self.input("skip"))?.into()
            }
            Operator::Concat {} => reference::concat(&self.parts().iter().collect::<Vec<_>>())?.into(),
            &Operator::Slice { start, count } => reference::slice(&Slice::new(start, count), &x())?.into(),
            &Operator::Scale { factor, relu } => {
                let y = reference::scale(&x(), &self.factor(factor), self.optional("shift").as_ref())?;
                if relu { reference::relu(&y.tensor())?.into() } else { y.into() }
            }
            Operator::SoftmaxChannels {} => reference::softmax_channels(&x())?.into(),
            Operator::ArgmaxChannels {} => Truth::Exact(Outcome::Labels(reference::argmax_channels(&x())?)),
            Operator::Normalize { order, mean, scale } => {
                reference::normalize(&normalize(order, *mean, *scale), &self.image())?.into()
            }
            Operator::Bilinear { kernel: [h, w], channels, layout } => {
                let planes = if layout == "dense" { *channels } else { 1 };
                bilinear_weight([*channels, planes, *h, *w])?.into()
            }
        })
    }

    /// What the device gives, or nothing for what is made on the host.
    pub(super) fn on_device(&self, gpu: &Gpu) -> Result<Option<Outcome>> {
        let upload = |key: &str| gpu.upload(&self.input(key));
        let optional = |key: &str| self.optional(key).map(|operand| gpu.upload(&operand)).transpose();
        let relu_if = |relu: bool, y: GpuTensor| if relu { gpu.relu(&y) } else { Ok(y) };
        let y = match &self.operator {
            Operator::Conv2d(window) => {
                gpu.conv2d(&window.conv2d(), &upload("x")?, &upload("weight")?, optional("bias")?.as_ref())?
            }
            Operator::ConvTranspose2d(window) => {
                let op = window.conv_transpose2d();
                gpu.conv_transpose2d(&op, &upload("x")?, &upload("weight")?, optional("bias")?.as_ref())?
            }
            Operator::MaxPool2d(window) => {
                let (op, x) = (window.max_pool2d(), upload("x")?);
                let (y, switches) = gpu.max_pool2d_switches(&op, &x)?;
                let y = gpu.download(&y)?;
                let alone = gpu.download(&gpu.max_pool2d(&op, &x)?)?;
                Answer::from(&y).check(&alone).unwrap_or_else(|mismatch| panic!("without switches: {mismatch}"));
                return Ok(Some(Outcome::Pooled(y, gpu.download_switches(&switches)?)));
            }
            &Operator::MaxUnpool2d { kernel, stride, pad, origin, output_size } => {
                let switches = self.switches(MaxPool2d::new(kernel).stride(stride).pad(pad), origin);
                let switches = gpu.upload_switches(&switches)?;
                gpu.max_unpool2d(&MaxUnpool2d::new().output_size(output_size), &upload("x")?, &switches)?
            }
            Operator::Relu {} => gpu.relu(&upload("x")?)?,
            &Operator::Add { relu } => relu_if(relu, gpu.add(&upload("x")?, &upload("other")?)?)?,
            &Operator::Crop { offset, size } => gpu.crop(&Crop::new(offset, size), &upload("x")?)?,
            &Operator::Pad { pad } => gpu.pad(&Pad::new(pad), &upload("x")?)?,
            &Operator::CropAdd { offset } => gpu.crop_add(&CropAdd::new(offset), &upload("x")?, &upload("skip")?)?,
            Operator::Concat {} => {
                let parts = self.parts().iter().map(|part| gpu.upload(part)).collect::<Result<Vec<_>>>()?;
                gpu.concat(&parts.iter().collect::<Vec<_>>())?
            }
            &Operator::Slice { start, count } => gpu.slice(&Slice::new(start, count), &upload("x")?)?,
            &Operator::Scale { factor, relu } => {
                let factor = gpu.upload(&self.factor(factor))?;
                relu_if(relu, gpu.scale(&upload("x")?, &factor, optional("shift")?.as_ref())?)?
            }
            Operator::SoftmaxChannels {} => gpu.softmax_channels(&upload("x")?)?,
            Operator::ArgmaxChannels {} => {
                let labels = gpu.argmax_channels(&upload("x")?)?;
                return Ok(Some(Outcome::Labels(gpu.download_labels(&labels)?)));
            }
            Operator::Normalize { order, mean, scale } => {
                gpu.normalize(&normalize(order, *mean, *scale), &gpu.upload_image(&self.image())?)?
            }
            Operator::Bilinear { .. } => return Ok(None),
        };
        Ok(Some(Outcome::Tensor(gpu.download(&y)?)))
    }
}
