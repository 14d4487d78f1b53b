// Which taps reach an output row, and from which input rows (columns likewise).
//
// Output row p, counted with the cut-off border as P = p + top, gets tap u from input row i where i * stride + u * dilation
// = P. With g = gcd(stride, dilation), such an i exists only if g divides P, and then for the taps
//     u = first, first + step, ...    first = (P / g) * inverse mod step,    step = stride / g,
// inverse being that of dilation / g modulo step (the host computes it). From one such tap to the next, i falls by
// dilation / g. So all rows p of one phase, p mod stride, have the same taps, and along p = phase + k * stride the
// input rows advance with k: each phase is an ordinary convolution of stride 1 and dilation (dilation / g) with some
// of the kernel's taps, the last one first.
struct Phase {
    // How many taps, and the last of them. Tap number t of the ordinary convolution is tap last - t * step of the kernel.
    taps: u32,
    last: u32,
    // The k-th row's window starts at start + k, counted from `before` rows ahead of the input's first row.
    start: u32,
    before: u32,
}

// The phase to which the output row with P = offset belongs, as its row k = 0.
fn phase_of(offset: u32, kernel: u32, stride: u32, dilation: u32, g: u32, inverse: u32) -> Phase {
    let step = stride / g;
    let residue = offset % stride;
    let first = residue / g * inverse % step;
    if residue % g != 0 || first >= kernel {
        return Phase(0, 0, 0, 0);
    }
    let taps = (kernel - 1 - first) / step + 1;
    let last = first + (taps - 1) * step;
    let reach = last * dilation;
    return Phase(taps, last, (max(offset, reach) - reach) / stride, (max(offset, reach) - offset) / stride);
}
