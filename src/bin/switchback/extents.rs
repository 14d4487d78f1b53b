//! Sizes as users type them: `500x500`, `1x21x34x34`, `1,1,0,0`.

use std::str::FromStr;

use switchback::{Padding, Shape};

/// Positive numbers with `x` between them.
fn numbers<const N: usize>(text: &str) -> Option<[usize; N]> {
    let numbers: Result<Vec<usize>, _> = text.split(['x', 'X']).map(str::parse).collect();
    numbers.ok()?.try_into().ok().filter(|numbers: &[usize; N]| !numbers.contains(&0))
}

/// Rows and columns: `HxW`, or one number for both.
pub(crate) fn extent(text: &str) -> Result<[usize; 2], String> {
    let both = || numbers(text).map(|[one]: [usize; 1]| [one, one]);
    numbers(text).or_else(both).ok_or_else(|| "expected ROWSxCOLUMNS as in 500x375, or one number for both".to_owned())
}

/// Four extents: `NxCxHxW`.
pub(crate) fn shape(text: &str) -> Result<Shape, String> {
    let four: Option<[usize; 4]> = numbers(text);
    four.map(Shape::from).ok_or_else(|| "expected four extents as in 1x21x34x34".to_owned())
}

/// A border: `P` everywhere, `ROWSxCOLUMNS`, or `TOP,BOTTOM,LEFT,RIGHT`.
pub(crate) fn padding(text: &str) -> Result<Padding, String> {
    let parse = |separator: char| text.split(separator).map(usize::from_str).collect::<Result<Vec<_>, _>>();
    let separator = if text.contains(',') { ',' } else { 'x' };
    match parse(separator).as_deref() {
        Ok(&[all]) => Ok(Padding::from(all)),
        Ok(&[rows, columns]) if separator == 'x' => Ok(Padding::from([rows, columns])),
        Ok(&[top, bottom, left, right]) if separator == ',' => Ok(Padding { top, bottom, left, right }),
        _ => Err("expected one number, ROWSxCOLUMNS or TOP,BOTTOM,LEFT,RIGHT".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_typed() {
        assert_eq!(extent("500x375"), Ok([500, 375]));
        assert_eq!(extent("8"), Ok([8, 8]));
        assert_eq!(shape("1x21x34x35"), Ok(Shape::from([1, 21, 34, 35])));
        assert_eq!(padding("1"), Ok(Padding::from(1)));
        assert_eq!(padding("0x2"), Ok(Padding::from([0, 2])));
        assert_eq!(padding("1,2,3,4"), Ok(Padding { top: 1, bottom: 2, left: 3, right: 4 }));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "x", "0", "3x0", "3x", "1x2x3", "-1", "1.5", "99999999999999999999"] {
            assert!(extent(text).is_err(), "{text}");
            assert!(shape(text).is_err(), "{text}");
        }
        for text in ["", "1,2", "1x2x3x4", "1,2,3,4,5", "-1", "1,2x3"] {
            assert!(padding(text).is_err(), "{text}");
        }
    }
}
