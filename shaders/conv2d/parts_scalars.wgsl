// Sums that were taken in parts are added one by one. See parts_vectors.wgsl.

alias Sums = f32;

fn activated(sums: Sums) -> Sums {
    return activate(sums);
}
