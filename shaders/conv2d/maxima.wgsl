// The end of minimal filtering that stores the maxima of 2x2 windows of step 2, and where they were: tiles are whole windows,
// so that the map itself is never written. A window's cells inside the map, and no others, in raster order: the first of equal
// values, the last NaN, as in max_pool2d. Switches are flat positions in a plane of the map or, if COMPACT, two bits each,
// added to words that are zero before (max_pool2d/compact_scalars says where).

override SWITCHES: bool;
override COMPACT: bool;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> switches: array<atomic<u32>>;

struct Maximum {
    value: f32,
    rank: i32,
    // Which cell of its window it is: 0 to 3 in raster order.
    cell: u32,
}

fn contender(sum: f32, cell: u32) -> Maximum {
    let value = activate(sum);
    return Maximum(value, rank(bitcast<u32>(value)), cell);
}

// The better of two, of which `next` comes later in the window and may not be there.
fn better(best: Maximum, next: Maximum, exists: bool) -> Maximum {
    if exists && (next.rank > best.rank || next.rank == RANK_OF_NAN) {
        return next;
    }
    return best;
}

// Stores the maximum of a window whose first cell is at row, column, if there is such a window.
fn store_block(plane: u32, row: u32, column: u32, upper: vec2<f32>, lower: vec2<f32>) {
    if row / 2 >= params.pooled_h || column / 2 >= params.pooled_w {
        return;
    }
    let right = column + 1 < params.out_w;
    let below = row + 1 < params.out_h;
    var best = contender(upper.x, 0);
    best = better(best, contender(upper.y, 1), right);
    best = better(best, contender(lower.x, 2), below);
    best = better(best, contender(lower.y, 3), below && right);
    let pooled_row = plane * params.pooled_h + row / 2;
    let at = pooled_row * params.pooled_w + column / 2;
    y[at] = best.value;
    if SWITCHES && COMPACT {
        let word = pooled_row * ((params.pooled_w + 15) / 16) + column / 32;
        atomicOr(&switches[word], best.cell << (column % 32));
    } else if SWITCHES {
        atomicStore(&switches[at], (row + best.cell / 2) * params.out_w + column + best.cell % 2);
    }
}
