//! Object proposals as text: a box a line.

use std::path::Path;

use switchback::net::Region;
use switchback::read_text;

use crate::Result;

/// Most bytes of such a file: half a million boxes.
const MOST_BYTES: u64 = 16 << 20;

/// Reads `LEFT TOP WIDTH HEIGHT` in pixels from each line, with spaces or commas between them; `#` begins a comment. A box
/// may reach beyond the image.
pub(super) fn read_boxes(path: &Path) -> Result<Vec<Region>> {
    parse(&read_text(path, MOST_BYTES)?).map_err(|reason| format!("{}: {reason}", path.display()).into())
}

fn parse(text: &str) -> Result<Vec<Region>, String> {
    let mut boxes = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let content = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> =
            content.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            continue;
        }
        let region = region(&words);
        boxes.push(region.ok_or_else(|| {
            let found = content.trim();
            format!("line {number}: expected LEFT TOP WIDTH HEIGHT in whole pixels, found `{found}`")
        })?);
    }
    if boxes.is_empty() { Err("there is no box in it".to_owned()) } else { Ok(boxes) }
}

fn region(words: &[&str]) -> Option<Region> {
    let [left, top, columns, rows] = words else { return None };
    let size = |word: &str| word.parse().ok().filter(|&cells: &u32| cells > 0);
    Some(Region { top: top.parse().ok()?, left: left.parse().ok()?, rows: size(rows)?, columns: size(columns)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn boxes_are_left_top_width_height() {
        let region = |left, top, columns, rows| Region { top, left, rows, columns };
        let text = "# boxes\n10 20 30 40\n\n  -5,0, 7 , 9  # beyond the left edge\r\n";
        assert_eq!(parse(text), Ok(vec![region(10, 20, 30, 40), region(-5, 0, 7, 9)]));
    }

    #[test]
    fn other_lines_are_refused_by_number() {
        for line in ["1 2 3", "1 2 3 4 5", "1 2 0 4", "1 2 3 -4", "1.5 2 3 4", "a b c d", "99999999999 0 1 1"] {
            let error = parse(&format!("0 0 1 1\n{line}")).unwrap_err();
            assert!(error.starts_with("line 2: expected LEFT TOP WIDTH HEIGHT") && error.contains(line), "{error}");
        }
        assert!(parse(" # nothing\n\n").unwrap_err().contains("no box"));
    }
}
