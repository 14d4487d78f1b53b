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
        let left_over = self.names().filter(|&name| !required.contains_key(name)).map(|name| {
            let found = self.entries.get(name).map_or_else(String::new, |entry| dims(entry.shape()));
            format!("{} ({found}) has no place in it", quoted(name))
        });
        report(what, required.len(), &self.faults(&required), &left_over.collect::<Vec<_>>())
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
        let required = by_name(required);
        report(what, required.len(), &self.faults(&required), &[])
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

/// The error that says how many of so many tensors match, which are missing or misshapen, and which are left over.
fn report(what: &str, required: usize, faults: &[String], left_over: &[String]) -> Result<()> {
    if faults.is_empty() && left_over.is_empty() {
        return Ok(());
    }
    let matching = required - faults.len();
    let (other, extra) = (faults.len(), left_over.len());
    let mut message = format!(
        "they do not fit {what}: {matching} of its {required} tensors match, {other} are missing or misshapen, {extra} are \
         left over"
    );
    // Of two long lists, half of the lines each.
    let lines = MAX_LINES - left_over.len().min(MAX_LINES / 2);
    let shown: Vec<&String> = faults.iter().take(lines).chain(left_over).take(MAX_LINES).collect();
    for fault in &shown {
        let _ = write!(message, "\n  {fault}");
    }
    let rest = faults.len() + left_over.len() - shown.len();
    if rest > 0 {
        let _ = write!(message, "\n  and {rest} more");
    }
    Err(Error::Weights(message))
}
