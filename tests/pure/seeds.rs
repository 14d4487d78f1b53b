//! Which problems are generated, and what a failure says.

use std::cell::RefCell;

use proptest::prelude::any;

use crate::common::seeds::{parse, try_each};

#[test]
fn seeds_are_one_or_a_range() {
    assert_eq!(parse("17"), Some(17..18));
    assert_eq!(parse("0..4096"), Some(0..4096));
    for text in ["", "x", "-1", "1..", "..5", "5..5", "7..3", "1-5", "18446744073709551615", " 1", "1.5"] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn a_seed_gives_one_problem_of_its_own_in_every_run() {
    let of = |seeds| {
        let problems = RefCell::new(Vec::new());
        try_each(seeds, &any::<u64>(), |problem| problems.borrow_mut().push(problem));
        problems.into_inner()
    };
    let all = of(0..50);
    assert_eq!(all.len(), 50);
    assert_eq!(of(17..18), all[17..18]);
    assert!(all.iter().enumerate().all(|(seed, problem)| !all[..seed].contains(problem)));
}

#[test]
#[should_panic(
    expected = "100\ntoo large\nagain: SWITCHBACK_SEEDS=7 cargo test --test pure -- --exact seeds::a_failure_says"
)]
fn a_failure_says_the_least_problem_and_how_to_try_it_again() {
    try_each(7..8, &(100_u32..1000), |number| assert!(number < 10, "too large"));
}
