//! How large a GPU is, for what idles on it while few invocations are under way, and what that says of a choice.

use crate::gpu::Caps;

/// A GPU by its multiprocessors. Efforts are multiply-adds of a register tile in the time that all of it takes for them.
#[derive(Clone, Copy)]
pub(super) struct Card {
    multiprocessors: f64,
}

/// Invocations that keep the largest of today busy: some 65,536, each of eight channels by four cells (an estimate).
const UNDER_WAY: f64 = 65_536.0;
const SUMS: f64 = 32.0;

/// Times the least effort on a small card that a variant may take there for being the least on a large one, which would idle by
/// others: FCN-8s' score_pool3 (1x1 256->21 @88) takes 2.4 by `split-k`, the most of the layers of four networks.
const FOR_A_LARGE_CARD: f64 = 2.5;

impl Card {
    /// The largest of today, of which the models' constants are (H100 and H200).
    pub(super) const LARGE: Self = Self { multiprocessors: 132.0 };
    /// One of a laptop or a phone.
    const SMALL: Self = Self { multiprocessors: 8.0 };

    fn share(self) -> f64 {
        self.multiprocessors / Self::LARGE.multiprocessors
    }

    /// How many times its share of the card's time a dispatch of so many invocations takes, those without work included, for the rest
    /// is idle. One that makes few sums waits as long for its loads as one of [`SUMS`]; one of more has as many more under way.
    pub(super) fn idle(self, invocations: f64, sums: u64, caps: &Caps) -> f64 {
        if caps.software {
            return 1.0;
        }
        let under_way = invocations.max(1.0) * (sums as f64 / SUMS).max(1.0);
        (UNDER_WAY * self.share() / under_way).max(1.0)
    }

    /// The same for workgroups that stage their operands: one a multiprocessor keeps it busy.
    pub(super) fn idle_of_staged(self, workgroups: u64) -> f64 {
        (self.multiprocessors / workgroups.max(1) as f64).max(1.0)
    }

    /// What a dispatch costs before and after all its workgroups are at work (H100: 3 us of some 17 TMAC/s).
    pub(super) fn dispatch(self, caps: &Caps) -> f64 {
        if caps.software { 0.0 } else { 5e7 * self.share() }
    }

    /// What a dispatch takes of so many invocations, each of which makes so many sums by so much `work`.
    pub(super) fn dispatched(self, invocations: f64, sums: u64, work: f64, caps: &Caps) -> f64 {
        invocations * self.idle(invocations, sums, caps) * work + self.dispatch(caps)
    }
}

/// The variants that apply, by the effort that each takes on a card: the least on a large one first, but those that would be no choice
/// on a small one last, so that no shape is filled up to many times its work for multiprocessors that another card does not have.
pub(super) fn least_first<V: Copy>(
    variants: impl IntoIterator<Item = V>,
    effort: impl Fn(V, Card) -> Option<f64>,
) -> Vec<V> {
    let offer = |variant| Some((variant, effort(variant, Card::LARGE)?, effort(variant, Card::SMALL)?));
    let mut offers: Vec<_> = variants.into_iter().filter_map(offer).collect();
    let least = offers.iter().map(|&(_, _, small)| small).fold(f64::INFINITY, f64::min);
    let no_choice = |small: f64| small > FOR_A_LARGE_CARD * least;
    offers.sort_by(|a, b| no_choice(a.2).cmp(&no_choice(b.2)).then(a.1.total_cmp(&b.1)));
    offers.into_iter().map(|(variant, ..)| variant).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::kernel::{channel_block, conv_transpose2d, conv2d};
    use crate::op::{Conv2d, ConvTranspose2d};
    use crate::shape::Shape;

    #[test]
    fn what_is_no_choice_on_a_small_card_comes_last() {
        let effort = |variant: char, card: Card| {
            let [large, small] = match variant {
                'a' => [1.0, 2.6],
                'b' => [3.0, 2.0],
                'c' => [2.0, 2.0],
                'd' => [4.0, 1.0],
                _ => return None,
            };
            Some(if card.share() == 1.0 { large } else { small })
        };
        assert_eq!(least_first("abcde".chars(), effort), ['c', 'b', 'd', 'a']);
    }

    #[test]
    fn few_invocations_leave_a_large_card_idle_but_no_cpu_driver() {
        let gpu = Caps::WEBGPU;
        assert_eq!(Card::LARGE.idle(16_384.0, 8, &gpu), 4.0);
        assert_eq!(Card::LARGE.idle(16_384.0, 64, &gpu), 2.0);
        assert_eq!(Card::SMALL.idle(16_384.0, 8, &gpu), 1.0);
        assert_eq!(Card::LARGE.idle(1.0, 1, &Caps { software: true, ..gpu }), 1.0);
    }

    /// What there is to multiply: kernel, stride, dilation, a border of half the kernel or none; channels of a group, groups; batch and
    /// extent.
    type Sizes = (usize, usize, usize, bool, [usize; 2], usize, [usize; 3]);

    fn sizes() -> impl Strategy<Value = Sizes> {
        let channels =
            [[1, 1], [1, 2], [2, 2], [5, 1], [4, 4], [16, 4], [8, 8], [3, 64], [64, 3], [33, 40], [256, 256]];
        let maps = [[1, 6, 6], [4, 9, 5], [1, 14, 14], [2, 33, 21], [1, 56, 56], [1, 7, 300], [1, 180, 240]];
        (
            select(&[1, 2, 3, 4, 5, 7, 11, 15]),
            select(&[1, 1, 2, 4]),
            select(&[1, 1, 2, 3]),
            any::<bool>(),
            select(channels.to_vec()),
            select(&[1, 1, 3, 16, 64, 300]),
            select(maps.to_vec()),
        )
    }

    fn devices() -> [Caps; 4] {
        let software = Caps { software: true, ..Caps::WEBGPU };
        let large = Caps { max_binding_bytes: 2 << 30, max_buffer_bytes: 4 << 30, ..Caps::WEBGPU };
        [Caps::WEBGPU, large, software, Caps { int64: true, subgroup: Some(8), ..software }]
    }

    /// Results that keep a small card busy whatever computes them: by an invocation for eight channels of a cell, and few lanes
    /// past a plane's end.
    fn is_work(output: Shape, group_outputs: usize) -> bool {
        output.plane() >= 32 && output.elements() / group_outputs.min(8) >= 4096
    }

    fn config() -> ProptestConfig {
        ProptestConfig {
            cases: 1500,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    proptest! {
        #![proptest_config(config())]

        /// For c channels of a cell `Direct` takes c and the load of a cell; so what multiplies without such loads may be filled up as
        /// many times, twice for lanes past the end of a plane, and twice for a large card.
        #[test]
        fn no_convolution_is_filled_up_to_many_times_its_work(
            (kernel, stride, dilation, border, [inputs, outputs], groups, [n, h, w]) in sizes()
        ) {
            let pad = if border { kernel / 2 * dilation } else { 0 };
            let op = Conv2d::new([kernel, kernel]).stride([stride, stride]).dilation([dilation, dilation]).pad(pad);
            let (op, input) = (op.groups(groups), Shape::from([n, inputs * groups, h, w]));
            let weight = op.weight_shape(input.c, outputs * groups).unwrap();
            let output = op.output_shape(input, weight, None).ok().filter(|&output| is_work(output, outputs));
            if output.is_none() {
                return Ok(());
            }
            let useful = op.cost(input, weight, None).unwrap().macs as f64;
            let channels = channel_block(outputs as u64, 8) as f64;
            for caps in devices() {
                let Ok(plan) = conv2d::plan(&op, input, weight, None, None, &caps) else { continue };
                let (load, card) = if caps.software { (24.0, 1.0) } else { (38.0, FOR_A_LARGE_CARD) };
                let times = plan.executed_macs as f64 / useful;
                prop_assert!(times <= 2.0 * card * (load + channels) / channels, "{} executes {times} times", plan.variant);
            }
        }

        /// The same with `Gather`, whose weights are loads too.
        #[test]
        fn no_transposed_convolution_is_filled_up_to_many_times_its_work(
            (kernel, stride, dilation, border, [inputs, outputs], groups, [n, h, w]) in sizes()
        ) {
            let pad = if border { kernel / 2 } else { 0 };
            let op = ConvTranspose2d::new([kernel, kernel]).stride([stride, stride]).dilation([dilation, dilation]).pad(pad);
            let (op, input) = (op.groups(groups), Shape::from([n, inputs * groups, h, w]));
            let weight = op.weight_shape(input.c, outputs * groups).unwrap();
            let output = op.output_shape(input, weight, None).ok().filter(|&output| is_work(output, outputs));
            let Some(output) = output else { return Ok(()) };
            let useful = op.cost(input, weight, None).unwrap().macs.max(output.elements() as u64) as f64;
            let channels = channel_block(outputs as u64, 8) as f64;
            for caps in devices() {
                let Ok(plan) = conv_transpose2d::plan(&op, input, weight, None, None, &caps) else { continue };
                let card = if caps.software { 1.0 } else { FOR_A_LARGE_CARD };
                let times = plan.executed_macs as f64 / useful;
                prop_assert!(times <= card * (9.0 * channels + 8.0) / channels, "{} executes {times} times", plan.variant);
            }
        }
    }
}
