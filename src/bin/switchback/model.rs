//! `--model` and `--weights`: which network.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use switchback::net::{Fcn, Head};
use switchback::weights::Weights;

use crate::Result;

/// Parses a network's name, and lets `--help` list them.
pub(crate) fn heads() -> impl TypedValueParser<Value = Head> {
    PossibleValuesParser::new(Head::ALL.map(Head::name)).try_map(|name| name.parse::<Head>())
}

/// A network with its weights.
#[derive(clap::Args)]
pub(crate) struct ModelArgs {
    /// Which network the weights are for
    #[arg(long = "model", value_name = "MODEL", default_value = "fcn8s", value_parser = heads())]
    head: Head,
    /// The weights: safetensors with pytorch-fcn's names; widths and classes come from the tensors
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
}

impl ModelArgs {
    /// Opens the weights and builds the network they are for.
    pub(crate) fn open(&self) -> Result<(Fcn, Weights)> {
        let named = |error| format!("{}: {error}", self.weights.display());
        let weights = Weights::open(&self.weights)?;
        Ok((Fcn::from_weights(self.head, &weights).map_err(named)?, weights))
    }
}
