// A transposed convolution as a convolution of stride 1 whose output channels are phases of y, to be stored interleaved.
//
// Count rows of y with the cut-off border, P = p + top, and let P = a * S + r. Tap u reaches P from input row i where i * S +
// u * D = P, that is where u * D = q * S + r for some q, from row i = a - q. So cell a of phase r is a sum over q of x[a - q] times
// one weight, or none: an ordinary convolution, by the same cells for all S phases, which therefore share each cell that is
// loaded. Its weight (conv_transpose2d/phase_weight) has a row for each channel of y and phase, of r along both axes.

// Phases along rows and along columns: the stride.
override PY: u32;
override PX: u32;
// Channels of y that lie together, 1 or 2: two halves of a word. Rows of the weight are [channels / PAIR][phase][PAIR].
override PAIR: u32;

// What a row of a group's weight gives: a channel of the group, maybe one past its last, and where among the phases.
struct Interleaved {
    channel: u32,
    row: u32,
    column: u32,
}

fn interleaved(row: u32) -> Interleaved {
    let phase = row / PAIR % (PY * PX);
    return Interleaved(row / (PAIR * PY * PX) * PAIR + row % PAIR, phase / PX, phase % PX);
}
