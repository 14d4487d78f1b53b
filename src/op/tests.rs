//! Tables of shapes, valid and refused ones side by side; the refusals are whole messages, as a user reads them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

mod convolution;
mod fcn;
mod layout;
mod pooling;

use std::fmt::Display;

use crate::error::Result;
use crate::shape::Shape;

/// What a row of a table expects: the output's shape, or the whole message.
type Expected = Result<[usize; 4], &'static str>;

/// Fails with every row that did not give what it expects.
#[track_caller]
fn check_rows(rows: impl IntoIterator<Item = (impl Display, Result<Shape>, Expected)>) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(because, found, expected)| {
            let found = found.map(Shape::dims).map_err(|error| error.to_string());
            let expected = expected.map_err(str::to_owned);
            (found != expected).then(|| format!("{because}\n  expected {expected:?}\n  found    {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong rows:\n{}", wrong.len(), wrong.join("\n"));
}
