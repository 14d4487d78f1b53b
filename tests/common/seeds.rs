//! Generated problems: the same ones in every run, and of other seeds where `SWITCHBACK_SEEDS` says so.

use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};

/// Tries so many problems, each from a seed of its own: those from 0 on, or those of `SWITCHBACK_SEEDS`, one (`17`) or a range
/// (`1000..2000`).
///
/// # Panics
/// As [`try_each`]; where `SWITCHBACK_SEEDS` is neither.
pub(crate) fn for_generated<S: Strategy>(problems: u64, strategy: S, check: impl Fn(S::Value)) {
    try_each(seeds(problems), &strategy, check);
}

/// The seeds that [`for_generated`] tries.
pub(crate) fn seeds(problems: u64) -> Range<u64> {
    let Some(asked) = std::env::var_os("SWITCHBACK_SEEDS") else { return 0..problems };
    asked.to_str().and_then(parse).unwrap_or_else(|| {
        panic!("SWITCHBACK_SEEDS is {asked:?}, expected a seed such as 17, or a range such as 1000..2000")
    })
}

/// One seed, or a range that is not empty.
pub(crate) fn parse(text: &str) -> Option<Range<u64>> {
    let seed = |text: &str| text.parse::<u64>().ok();
    match text.split_once("..") {
        None => seed(text).and_then(|first| Some(first..first.checked_add(1)?)),
        Some((first, end)) => Some(seed(first)?..seed(end)?).filter(|range| !range.is_empty()),
    }
}

/// Tries the problem of each seed.
///
/// # Panics
/// Where `check` does, with the problem that is left after shrinking and the command that tries it again.
pub(crate) fn try_each<S: Strategy>(seeds: Range<u64>, strategy: &S, check: impl Fn(S::Value)) {
    for seed in seeds {
        let config = ProptestConfig {
            cases: 1,
            // By itself it is four times the cases.
            max_shrink_iters: 256,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let tried = TestRunner::new(config).run(strategy, |problem| {
            check(problem);
            Ok(())
        });
        match tried {
            Ok(()) => {}
            Err(TestError::Fail(reason, problem)) => panic!("{problem:?}\n{reason}\n{}", again(seed)),
            Err(TestError::Abort(reason)) => panic!("no problem: {reason}\n{}", again(seed)),
        }
    }
}

/// The command that tries the problem of a seed.
fn again(seed: u64) -> String {
    let target = match env!("CARGO_CRATE_NAME") {
        "switchback" => "--lib".to_owned(),
        binary => format!("--test {binary}"),
    };
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    format!("again: SWITCHBACK_SEEDS={seed} cargo test {target} -- --exact {test}")
}
