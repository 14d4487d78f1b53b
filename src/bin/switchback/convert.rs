//! `switchback convert`: weight files into other weight files.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use switchback::net::{Fcn, Head};
use switchback::weights::{Element, Weights};

use crate::Result;
use crate::console::report;

/// Write weights as safetensors: PyTorch's and Caffe's, another precision, or a network's starting weights
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  The originals: Caffe's weights of FCN, SegNet or DeconvNet, and a PyTorch checkpoint (nothing in
  it is executed):
    switchback convert fcn8s-heavy-pascal.caffemodel fcn8s.safetensors
    switchback convert model_best.pth.tar fcn32s.safetensors
  Half the size:
    switchback convert fcn8s.safetensors fcn8s-f16.safetensors --element f16
  Starting weights of FCN-32s for 21 classes, from torchvision's VGG16 (fully connected layers
  become convolutions, score layers zero, upsampling bilinear):
    switchback convert vgg16.safetensors fcn32s.safetensors --to fcn32s --classes 21")]
pub(crate) struct Args {
    /// The file to read: safetensors, .pth or .caffemodel; its content tells which
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The safetensors file to write; an existing one is replaced in one step
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Make this network's starting weights; IN has torchvision's VGG16 names
    #[arg(long, value_name = "MODEL", value_parser = crate::model::heads())]
    to: Option<Head>,
    /// Classes of the new network, background included
    #[arg(long, value_name = "N", default_value_t = 21, requires = "to")]
    classes: usize,
    /// Precision to write
    #[arg(long, value_name = "TYPE", default_value = "f32", value_parser = elements())]
    element: Element,
}

fn elements() -> impl TypedValueParser<Value = Element> {
    PossibleValuesParser::new(["f32", "f16", "bf16"]).map(|name| match name.as_str() {
        "f16" => Element::F16,
        "bf16" => Element::Bf16,
        _ => Element::F32,
    })
}

pub(crate) fn run(args: &Args) -> Result {
    let mut weights = Weights::open(&args.input)?;
    if let Some(head) = args.to {
        let named = |error| format!("{}: {error}", args.input.display());
        weights = Fcn::starting_weights(head, &weights, args.classes).map_err(named)?;
    }
    weights.save(&args.output, args.element)?;
    print_table(&weights, args.element)?;
    let elements = |name| weights.get(name).map_or(0, |entry| entry.shape().iter().product());
    let parameters: usize = weights.names().map(elements).sum();
    let bytes = std::fs::metadata(&args.output).map_or(0, |file| file.len());
    let (tensors, element) = (weights.len(), args.element);
    report(format_args!(
        "{}: {tensors} tensors, {parameters} parameters, {element}, {bytes} bytes",
        args.output.display()
    ))
}

/// What went into the file, and what did not.
fn print_table(weights: &Weights, element: Element) -> Result {
    let width = weights.names().map(|name| name.chars().count()).max().unwrap_or(0);
    for name in weights.names() {
        let Some(entry) = weights.get(name) else { continue };
        let shape: Vec<String> = entry.shape().iter().map(ToString::to_string).collect();
        let stored = entry.element();
        let types = if stored == element { element.to_string() } else { format!("{stored} as {element}") };
        report(format_args!("{:<width$}  {types}  {}", name.escape_debug().to_string(), shape.join("x")))?;
    }
    for left in weights.left_out() {
        report(format_args!("{:<width$}  left out: {}", left.name.escape_debug().to_string(), left.reason))?;
    }
    Ok(())
}
