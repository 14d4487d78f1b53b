// Adds to y without losing anybody else's addition, on any device: replaces the bits of the old sum by those of the new
// one, and tries again if they were no longer the old ones.
@group(0) @binding(3) var<storage, read_write> y: array<atomic<u32>>;

fn add(index: u32, value: f32) {
    var old = atomicLoad(&y[index]);
    loop {
        let result = atomicCompareExchangeWeak(&y[index], old, bitcast<u32>(bitcast<f32>(old) + value));
        if result.exchanged {
            return;
        }
        old = result.old_value;
    }
}
