//! Whether a set of weights is what a network needs: everything wrong with it, by name, in one message.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Weights, dims, quoted};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// Most lines of an error message; the rest is counted.
const MAX_LINES: usize = 24;

impl Weights {
    /// Checks that exactly the `required` names (with operand shapes, see [`super::Entry::operand_shape`]) are there.
    ///
    /// # Errors
    /// [`Error::Weights`] that lists each missing, misshapen and unexpected tensor with what was expected and found;
    /// `what` says for what they were meant, as in `FCN-8s`.
    pub fn check<N: AsRef<str>>(&self, what: &str, required: impl IntoIterator<Item = (N, Shape)>) -> Result<()> {
        let required = by_name(required);
        let mut faults = self.faults(&required);
        for name in self.names().filter(|&name| !required.contains_key(name)) {
            let found = self.entries.get(name).map_or_else(String::new, |entry| dims(entry.shape()));
            faults.push(format!("{} ({found}) has no place in it", quoted(name)));
        }
        report(what, &faults)
    }

    /// Checks that the `required` names are there, perhaps among others.
    ///
    /// # Errors
    /// As [`Weights::check`], but for unexpected tensors.
    pub fn check_present<N: AsRef<str>>(
        &self,
        what: &str,
        required: impl IntoIterator<Item = (N, Shape)>,
    ) -> Result<()> {
        report(what, &self.faults(&by_name(required)))
    }

    /// What is missing or misshapen.
    fn faults(&self, required: &BTreeMap<String, Shape>) -> Vec<String> {
        let fault = |(name, expected): (&String, &Shape)| match self.entries.get(name) {
            None => Some(format!("{} is missing, expected {expected}", quoted(name))),
            Some(entry) if entry.operand_shape() != Some(*expected) => {
                Some(format!("{} is {}, expected {expected}", quoted(name), dims(entry.shape())))
            }
            Some(_) => None,
        };
        required.iter().filter_map(fault).collect()
    }
}

fn by_name<N: AsRef<str>>(required: impl IntoIterator<Item = (N, Shape)>) -> BTreeMap<String, Shape> {
    required.into_iter().map(|(name, shape)| (name.as_ref().to_owned(), shape)).collect()
}

fn report(what: &str, faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut message = format!("they do not fit {what}:");
    for fault in faults.iter().take(MAX_LINES) {
        let _ = write!(message, "\n  {fault}");
    }
    if faults.len() > MAX_LINES {
        let _ = write!(message, "\n  and {} more", faults.len() - MAX_LINES);
    }
    Err(Error::Weights(message))
}
