// Sums that were taken in parts are added by fours, which are neighbours in a plane: one load and one store for four of them.

alias Sums = vec4<f32>;

fn activated(sums: Sums) -> Sums {
    return vec4(activate(sums.x), activate(sums.y), activate(sums.z), activate(sums.w));
}
