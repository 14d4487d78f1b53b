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
/// others: FCN-8s' score_pool3 (1x1 256->21 @88) took 2.4 by `split-k`, the most of the layers of four networks.
pub(super) const FOR_A_LARGE_CARD: f64 = 2.5;

impl Card {
    /// The largest of today, of which the models' constants are (H100 and H200).
    pub(super) const LARGE: Self = Self { multiprocessors: 132.0 };
    /// One of a laptop or a phone.
    pub(super) const SMALL: Self = Self { multiprocessors: 8.0 };

    /// How many workgroups are at work at a time that fill a multiprocessor each.
    pub(super) fn multiprocessors(self) -> u64 {
        self.multiprocessors as u64
    }

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

    /// The same for workgroups that stage their operands, of which so many keep a multiprocessor busy. They go at the same rate, so that
    /// multiprocessors with one more than others have the card to themselves in the end (H200: 36 products of 512 by 512 by 128 take 109
    /// us in 144 workgroups, 77 in 576).
    pub(super) fn idle_of_staged(self, workgroups: u64, busy: u64) -> f64 {
        let rounds = workgroups.max(1) as f64 / self.multiprocessors;
        rounds.ceil().max(busy as f64) / rounds
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

/// Whether what takes so much on a small card may be chosen beside the least that anything takes there.
pub(super) fn is_choice(effort: f64, least: f64) -> bool {
    effort <= FOR_A_LARGE_CARD * least
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
    offers.sort_by(|a, b| is_choice(b.2, least).cmp(&is_choice(a.2, least)).then(a.1.total_cmp(&b.1)));
    offers.into_iter().map(|(variant, ..)| variant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
