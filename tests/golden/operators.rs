//! Every operator against results of PyTorch and ONNX Runtime: 263 cases, on the reference and on the device.

mod case;
mod run;

use switchback::reference::Answer;
use switchback::{Error, Gpu, Labels, Switches, Tensor, kernel};

use crate::common::adapter;
use case::{Case, Operator, cases};
use run::Truth;

/// What an operator gives.
#[derive(Clone, Debug)]
enum Outcome {
    Tensor(Tensor),
    Pooled(Tensor, Switches),
    Labels(Labels),
}

impl Outcome {
    /// Equal, a NaN to a NaN.
    fn check(&self, found: &Self) -> Result<(), String> {
        let numbers = |expected: &Tensor, found: &Tensor| {
            Answer::from(expected).check(found).map_err(|mismatch| mismatch.to_string())
        };
        match (self, found) {
            (Self::Tensor(expected), Self::Tensor(found)) => numbers(expected, found),
            (Self::Pooled(expected, switches), Self::Pooled(found, found_switches)) => {
                numbers(expected, found)?;
                let equal = switches == found_switches;
                equal.then_some(()).ok_or_else(|| format!("{found_switches:?}, expected {switches:?}"))
            }
            (Self::Labels(expected), Self::Labels(found)) => {
                (expected == found).then_some(()).ok_or_else(|| format!("{found:?}, expected {expected:?}"))
            }
            _ => Err(format!("{found:?}, expected {self:?}")),
        }
    }
}

/// Equal, or off by one in the last place: the recorded numbers are f64 sums rounded once, the reference's too, and
/// the f64 sums may differ.
fn check_last_place(recorded: &Outcome, found: &Outcome) -> Result<(), String> {
    let (Outcome::Tensor(recorded), Outcome::Tensor(found)) = (recorded, found) else {
        return Err(format!("{found:?}, expected {recorded:?}"));
    };
    assert_eq!(found.shape(), recorded.shape());
    for (position, (&found, &recorded)) in found.data().iter().zip(recorded.data()).enumerate() {
        let last_place = f64::from(recorded.abs()) * f64::from(f32::EPSILON);
        let near = (f64::from(found) - f64::from(recorded)).abs() <= last_place;
        if !near && found.to_bits() != recorded.to_bits() {
            return Err(format!("{found} at {position}, expected {recorded}"));
        }
    }
    Ok(())
}

/// The cases on which frameworks agree with each other, and we with them.
fn agreed() -> Vec<Case> {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.contested.is_none()).collect();
    assert_eq!(cases.len(), 258);
    cases
}

#[test]
fn the_reference_gives_the_recorded_results() {
    for case in agreed() {
        let (recorded, truth) = (case.recorded(), case.on_reference().unwrap());
        let verdict = match (&case.operator, &truth, &recorded) {
            _ if case.exact => recorded.check(&truth.outcome()),
            // The recorded means and factors are f64, ours f32, which the bound allows for.
            (Operator::Normalize { .. }, Truth::Bounded(answer), Outcome::Tensor(recorded)) => {
                answer.check(recorded).map_err(|mismatch| mismatch.to_string())
            }
            _ => check_last_place(&recorded, &truth.outcome()),
        };
        verdict.unwrap_or_else(|fault| panic!("{}: {fault}", case.name));
    }
}

/// Caffe lets a last window lie past the input, and fills in the lowest number; here that is refused.
#[test]
fn windows_without_a_cell_are_refused() {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.contested.is_some() && case.is_pooling()).collect();
    assert_eq!(cases.len(), 4);
    for case in cases {
        assert!(case.on_reference().err().is_some_and(|error| error.is_unsupported()), "{}", case.name);
    }
}

/// PyTorch takes a NaN for the largest score; here it never wins. Other pixels are the same.
#[test]
fn a_score_that_is_no_number_never_wins() {
    let case = cases().into_iter().find(|case| case.name == "argmax_channels_nan").unwrap();
    let (Outcome::Labels(found), Outcome::Labels(recorded)) = (case.on_reference().unwrap().outcome(), case.recorded())
    else {
        panic!("labels")
    };
    let x = case.input("x");
    let plane = x.shape().plane();
    for (pixel, (&found, &recorded)) in found.data().iter().zip(recorded.data()).enumerate() {
        let score = |class: u8| x.data()[usize::from(class) * plane + pixel];
        assert!(!score(found).is_nan());
        assert!(found == recorded || score(recorded).is_nan(), "pixel {pixel}");
    }
    assert_ne!(found, recorded);
}

/// A way to compute a case on a device.
struct Executor {
    name: &'static str,
    gpu: Gpu,
    /// `[m, r]` along either axis of Winograd's minimal filtering F(m x m', r x r'), which has a bound of its own and
    /// spreads a NaN over its tiles.
    filtering: Option<[[usize; 2]; 2]>,
    /// Whether it rounds operands to f16, which leaves integers alone and has a bound of its own.
    half: bool,
}

fn executors(gpu: &Gpu, case: &Case) -> Vec<Executor> {
    macro_rules! every_variant {
        ($operator:ident, $kernel:expr) => {
            kernel::$operator::Variant::ALL
                .iter()
                .map(|&variant| {
                    let name = variant.name();
                    let eight = $kernel.map(|taps| [9_usize.saturating_sub(taps), taps]);
                    let filterings = [
                        ("winograd-f2", [[2, 3]; 2]),
                        ("winograd-f4", [[4, 3]; 2]),
                        ("winograd-pieces", [[4, 4]; 2]),
                        ("winograd-eight", eight),
                    ];
                    let filtering = filterings.into_iter().find(|(it, _)| name.ends_with(it));
                    let (gpu, half) = (gpu.with_variant(variant), name == "cooperative");
                    Executor { name, gpu, filtering: filtering.map(|(_, sizes)| sizes), half }
                })
                .collect()
        };
    }
    match &case.operator {
        Operator::Conv2d(window) => every_variant!(conv2d, window.kernel),
        Operator::ConvTranspose2d(window) => every_variant!(conv_transpose2d, window.kernel),
        Operator::MaxUnpool2d { kernel, .. } => every_variant!(max_unpool2d, kernel),
        _ => vec![Executor { name: "its one kernel", gpu: gpu.clone(), filtering: None, half: false }],
    }
}

impl Executor {
    /// Whether the device gives the recorded result: exact cases to the bit, others within the bound of the reference,
    /// which the recorded results confirm. `None` if this variant does not serve the case.
    fn verdict(&self, case: &Case) -> Option<Result<(), String>> {
        if self.filtering.is_some() && !case.finite || self.half && !case.exact && !case.finite {
            return None;
        }
        let found = match case.on_device(&self.gpu) {
            Ok(found) => found?,
            Err(error) if error.is_unsupported() => return None,
            // What f16 does not hold is refused, which the tests of matrix units see.
            Err(Error::Overflow { .. }) if self.half => return None,
            Err(error) => return Some(Err(error.to_string())),
        };
        // F(2x2, 3x3) halves and quarters, all others divide by 3 at least.
        let exact = case.exact && self.filtering.is_none_or(|sizes| sizes == [[2, 3]; 2]);
        Some(match (case.on_reference_with_bound_of(self.filtering, self.half).unwrap(), &found) {
            (Truth::Bounded(answer), Outcome::Tensor(found)) if !exact => {
                answer.check(found).map_err(|mismatch| mismatch.to_string())
            }
            _ => case.recorded().check(&found),
        })
    }
}

#[test]
fn every_variant_of_convolution_gives_the_recorded_results() {
    on_a_device(|operator| matches!(operator, Operator::Conv2d(_)));
}

#[test]
fn every_variant_of_transposed_convolution_gives_the_recorded_results() {
    on_a_device(|operator| matches!(operator, Operator::ConvTranspose2d(_)));
}

#[test]
fn every_other_operator_gives_the_recorded_results() {
    on_a_device(|operator| !matches!(operator, Operator::Conv2d(_) | Operator::ConvTranspose2d(_)));
}

/// Every case of some operators, by every variant: the two with many are apart, for tests run side by side.
fn on_a_device(takes: impl Fn(&Operator) -> bool) {
    let Some(gpu) = adapter::gpu() else { return };
    let mut wrong = Vec::new();
    for case in agreed().into_iter().filter(|case| takes(&case.operator)) {
        let mut served = matches!(case.operator, Operator::Bilinear { .. }); // by the host
        for executor in executors(&gpu, &case) {
            let verdict = executor.verdict(&case);
            served |= verdict.is_some();
            if let Some(Err(fault)) = verdict {
                wrong.push(format!("{} by {}: {fault}", case.name, executor.name));
            }
        }
        assert!(served, "{}: no variant serves it", case.name);
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

/// Faults that the comparisons have to see.
#[test]
fn wrong_results_are_refused() {
    for case in agreed() {
        let recorded = case.recorded();
        let wrong = match recorded.clone() {
            Outcome::Tensor(mut y) | Outcome::Pooled(mut y, _) if y.data().len() > 1 => {
                let last = y.data_mut().last_mut().unwrap();
                *last = if last.is_nan() { 0.0 } else { f32::NAN };
                Outcome::Tensor(y)
            }
            Outcome::Tensor(y) | Outcome::Pooled(y, _) => Outcome::Tensor(Tensor::full(y.shape(), 1e30).unwrap()),
            Outcome::Labels(labels) => {
                let data = labels.data().iter().map(|label| label.wrapping_add(1)).collect();
                Outcome::Labels(Labels::new(labels.count(), labels.extent(), data).unwrap())
            }
        };
        assert!(recorded.check(&wrong).is_err(), "{}", case.name);
        assert!(check_last_place(&recorded, &wrong).is_err(), "{}", case.name);
        assert!(recorded.check(&recorded).is_ok(), "{}", case.name);
    }
}
