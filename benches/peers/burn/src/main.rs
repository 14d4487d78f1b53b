//! burn's wgpu backend as a peer: one operator, timed from host to host after its own tuning.
//!
//! ```text
//! peer-burn OP X0 X1 X2 X3 W0 W1 W2 W3 STRIDE PAD GROUPS SECONDS FOLDER
//! ```
//!
//! Reads FOLDER/x and FOLDER/weight (f32, little endian), writes FOLDER/output and prints one line of JSON.

use std::path::Path;
use std::time::Instant;

use burn::backend::Wgpu;
use burn::tensor::module::{conv_transpose2d, conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, TensorData};
use serde_json::json;

type Backend = Wgpu<f32, i32>;
type Fault = Box<dyn std::error::Error>;

/// Fewest and most timed runs.
const RUNS: (usize, usize) = (3, 200);

fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [op, numbers @ .., seconds, folder] = words.as_slice() else {
        return Err("usage: peer-burn OP 11xNUMBER SECONDS FOLDER".into());
    };
    let numbers = numbers.iter().map(|word| word.parse()).collect::<Result<Vec<usize>, _>>()?;
    let &[x0, x1, x2, x3, w0, w1, w2, w3, stride, pad, groups] = numbers.as_slice() else {
        return Err("expected eleven numbers".into());
    };
    let (input, kernel, seconds, folder) = ([x0, x1, x2, x3], [w0, w1, w2, w3], seconds.parse::<f64>()?, Path::new(folder));
    let (stride, pad, one) = ([stride; 2], [pad; 2], [1; 2]);
    let device = Default::default();
    let x = read(&folder.join("x"))?;
    let weight = match w0 {
        0 => None,
        _ => Some(Tensor::<Backend, 4>::from_data(TensorData::new(read(&folder.join("weight"))?, kernel), &device)),
    };
    let run = || -> Result<Vec<f32>, Fault> {
        let x = Tensor::<Backend, 4>::from_data(TensorData::new(x.clone(), input), &device);
        let y = match (op.as_str(), weight.clone()) {
            ("conv2d", Some(weight)) => conv2d(x, weight, None, ConvOptions::new(stride, pad, one, groups)),
            ("conv_transpose2d", Some(weight)) => {
                conv_transpose2d(x, weight, None, ConvTransposeOptions::new(stride, pad, [0; 2], one, groups))
            }
            ("max_pool2d", None) => max_pool2d(x, [2; 2], stride, pad, one, false),
            _ => return Err("unsupported".into()),
        };
        Ok(y.into_data().to_vec().map_err(|error| format!("{error:?}"))?)
    };
    let row = json!({ "peer": "burn", "version": "0.21.0", "adapter": "wgpu's choice" });
    if !["conv2d", "conv_transpose2d", "max_pool2d"].contains(&op.as_str()) {
        println!("{}", merged(row, json!({ "unsupported": true })));
        return Ok(());
    }
    let begin = Instant::now();
    let output = run()?;
    run()?;
    let prepared = begin.elapsed();
    std::fs::write(folder.join("output"), output.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < RUNS.0 || (begin.elapsed().as_secs_f64() < seconds && times.len() < RUNS.1) {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let measured = json!({
        "prepared_ms": prepared.as_secs_f64() * 1e3,
        "host_min_ms": times[0],
        "host_median_ms": times[times.len() / 2],
        "samples": times.len(),
    });
    println!("{}", merged(row, measured));
    Ok(())
}

fn read(path: &Path) -> Result<Vec<f32>, Fault> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

fn merged(mut row: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    if let (Some(row), serde_json::Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}
