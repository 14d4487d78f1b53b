//! Loops of shaders that are written out before a driver sees them.
//!
//! WGSL has no way to ask for it, and drivers do it for few rounds only: the product of a stage of 8 terms, written out, took 0.80
//! to 0.82 of the time that it took by rounds of two or four terms (H200). So a loop whose first line ends in `// unrolled` becomes
//! its body again and again, each with the counter as a constant; a file stays what it was, a valid shader with a loop.

/// What the first line of such a loop ends in.
pub(crate) const MARK: &str = "// unrolled";

/// The source with each marked loop written out, on the line where it began, so that all other lines keep their numbers. What is marked
/// but no loop of the form `for (var i = 0u; i < 16; i++) {`, closed by a brace below the `for` and with no marked one inside, stays
/// as it is, mark and all.
pub(crate) fn written_out(source: &str) -> String {
    let mut lines = source.lines();
    let mut text = String::with_capacity(source.len());
    while let Some(line) = lines.next() {
        let body = loop_of(line).and_then(|header| Some((header, body(header.indent, lines.clone())?)));
        if let Some((Header { counter, rounds, .. }, (body, count))) = body {
            for round in 0..rounds {
                text.push_str(&format!("{{ const {counter} = {round}u; {body}}} "));
            }
            text.push_str(&"\n".repeat(count + 1));
            lines.nth(count);
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// The first line of a marked loop.
#[derive(Clone, Copy)]
struct Header<'a> {
    indent: &'a str,
    counter: &'a str,
    rounds: u32,
}

fn loop_of(line: &str) -> Option<Header<'_>> {
    let code = line.trim_end().strip_suffix(MARK)?.trim_end();
    let (indent, header) = code.split_at(code.len() - code.trim_start().len());
    let mut clauses = header.strip_prefix("for (var ")?.strip_suffix("++) {")?.split("; ");
    let counter = clauses.next()?.strip_suffix(" = 0u")?;
    let rounds = clauses.next()?.strip_prefix(counter)?.strip_prefix(" < ")?.parse().ok()?;
    (clauses.next() == Some(counter)).then_some(Header { indent, counter, rounds })
}

/// The lines up to the brace that closes the loop, as one line without comments, and how many they are; `None` if a marked loop is
/// among them.
fn body<'a>(indent: &str, lines: impl Iterator<Item = &'a str>) -> Option<(String, usize)> {
    let mut body = String::new();
    for (count, line) in lines.enumerate() {
        if line.strip_prefix(indent) == Some("}") {
            return Some((body, count));
        }
        if line.trim_end().ends_with(MARK) {
            return None;
        }
        let code = line.split_once("//").map_or(line, |(code, _)| code).trim();
        body.push_str(code);
        body.push(' ');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_loop_is_written_out_where_it_began() {
        let source = "fn f() {
    for (var i = 0u; i < 3; i++) { // unrolled
        // Why.
        if A { x += i; } // of i
    }
    y();
}
";
        let rounds = ["0u", "1u", "2u"].map(|i| format!("{{ const i = {i};  if A {{ x += i; }} }} "));
        let expected = format!("fn f() {{\n{}\n\n\n\n    y();\n}}\n", rounds.concat());
        assert_eq!(written_out(source), expected);
        assert_eq!(expected.lines().count(), source.lines().count());
    }

    #[test]
    fn what_is_no_such_loop_stays() {
        for line in [
            "for (var i = 0u; i < 3; i++) {",
            "for (var i = 0u; i < n; i++) { // unrolled",
            "for (var i = 0u; i < 3; i += 2) { // unrolled",
            "for (var i = 0u; j < 3; i++) { // unrolled",
            "while true { // unrolled",
        ] {
            let source = format!("{line}\n    x();\n}}\n");
            assert_eq!(written_out(&source), source);
        }
        // Nothing closes it.
        let source = "for (var i = 0u; i < 3; i++) { // unrolled\n    }\n";
        assert_eq!(written_out(source), source);
        // Of two, one inside the other, the outer one.
        let (outer, inner) =
            ("for (var i = 0u; i < 3; i++) { // unrolled\n", "    for (var j = 0u; j < 2; j++) { // unrolled\n    }\n");
        assert_eq!(written_out(&format!("{outer}{inner}}}\n")), format!("{outer}{}}}\n", written_out(inner)));
        assert_ne!(written_out(inner), inner);
    }
}
