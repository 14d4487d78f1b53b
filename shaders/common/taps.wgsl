// The taps t, from .x up to .y, at which a window lies inside an axis of `cells` cells that is preceded by a border of
// `before`: before <= start + t * dilation < before + cells. For several windows, whose starts go from `first` to `last`,
// the taps at which any of them does.
fn taps_inside(first: u32, last: u32, before: u32, cells: u32, dilation: u32, taps: u32) -> vec2<u32> {
    let entered = (max(before, last) - last + dilation - 1) / dilation;
    let left = (max(before + cells, first) - first + dilation - 1) / dilation;
    return min(vec2(entered, left), vec2(taps));
}
