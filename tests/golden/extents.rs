//! Output extents along one axis against PyTorch's, refusals included: the size formulas are shared by the reference and
//! the kernels, so that neither can find a fault in them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, Result, Rounding, Shape};

#[derive(Deserialize)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

type Row = BTreeMap<String, Value>;

/// The rows of one table, each with its columns' names.
fn rows(table: &str, count: usize) -> Vec<Row> {
    let tables: BTreeMap<String, Table> = serde_json::from_str(include_str!("extents.json")).unwrap();
    let Table { columns, rows } = &tables[table];
    assert_eq!(rows.len(), count);
    rows.iter().map(|row| columns.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

/// A cell's number; null is none.
fn number(row: &Row, column: &str) -> Option<usize> {
    row[column].as_u64().map(|number| number as usize)
}

/// Rows of a result, or none where it was refused.
fn extent(result: Result<Shape>) -> Option<usize> {
    result.ok().map(|shape| shape.h)
}

#[test]
fn conv2d() {
    for row in rows("conv2d", 648) {
        let [input, kernel, stride, pad, dilation] =
            ["input", "kernel", "stride", "pad", "dilation"].map(|column| number(&row, column).unwrap());
        let op = Conv2d::new([kernel, 1]).stride([stride, 1]).pad([pad, 0]).dilation([dilation, 1]);
        let found = op.output_shape([1, 1, input, 1].into(), [1, 1, kernel, 1].into(), None);
        assert_eq!(extent(found), number(&row, "output"), "{row:?}");
    }
}

#[test]
fn conv_transpose2d() {
    for row in rows("conv_transpose2d", 1080) {
        let [input, kernel, stride, pad, dilation, more] =
            ["input", "kernel", "stride", "pad", "dilation", "output_padding"]
                .map(|column| number(&row, column).unwrap());
        let op = ConvTranspose2d::new([kernel, 1]).stride([stride, 1]).pad([pad, 0]).dilation([dilation, 1]);
        let op = op.output_padding([more, 0]);
        let found = op.output_shape([1, 1, input, 1].into(), [1, 1, kernel, 1].into(), None);
        assert_eq!(extent(found), number(&row, "output"), "{row:?}");
    }
}

#[test]
fn max_pool2d() {
    for row in rows("max_pool2d", 576) {
        let [input, kernel, stride, pad, dilation] =
            ["input", "kernel", "stride", "pad", "dilation"].map(|column| number(&row, column).unwrap());
        let op = MaxPool2d::new([kernel, 1]).stride([stride, 1]).pad([pad, 0]).dilation([dilation, 1]);
        // A window of taps outside the input has no maximum; the frameworks give it the lowest number, we refuse it.
        let sees_input =
            |window: usize| (0..kernel).any(|tap| (pad..pad + input).contains(&(window * stride + tap * dilation)));
        for (rounding, column) in [(Rounding::Floor, "floor"), (Rounding::Ceil, "ceil"), (Rounding::Caffe, "caffe")] {
            let found = op.rounding(rounding).output_shape([1, 1, input, 1].into());
            match number(&row, column) {
                Some(windows) if !(0..windows).all(sees_input) => {
                    assert!(found.unwrap_err().is_unsupported(), "{column}: {row:?}");
                }
                None if rounding == Rounding::Caffe && dilation > 1 => {} // Caffe has no dilated pooling
                expected => assert_eq!(extent(found), expected, "{column}: {row:?}"),
            }
        }
    }
}
