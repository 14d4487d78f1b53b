//! The part of the zip format that PyTorch writes: records that are stored, not compressed, so that a tensor's bytes are
//! the file's own.
//!
//! What is stated twice (in a record's own header and in the directory) has to agree, records may not overlap or lie
//! outside, and no record's name may lead out of the archive. PyTorch's writer adds the zip64 end of directory even to
//! small files, so that is read too.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::quoted;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";

/// Bytes of the end of the directory without its comment.
const END_BYTES: usize = 22;
/// Longest comment.
const MAX_COMMENT: usize = u16::MAX as usize;
const LOCATOR_BYTES: usize = 20;

/// A record: where its content is, and the checksum that it is said to have.
pub(super) struct Record {
    pub(super) content: Range<usize>,
    checksum: u32,
}

/// The records of an archive by name.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    records: BTreeMap<String, Record>,
}

impl<'a> Archive<'a> {
    /// Reads and checks the directory.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let directory = Directory::find(bytes)?;
        let mut records = BTreeMap::new();
        let mut at = directory.place.start;
        for _ in 0..directory.entries {
            let (name, record, next) = entry(bytes, at, directory.place.end, directory.place.start)?;
            at = next;
            let shown = quoted(&name);
            if records.insert(name, record).is_some() {
                return Err(format!("two records of the zip are called {shown}"));
            }
        }
        if at != directory.place.end {
            return Err("the zip's directory has another length than its end says".to_owned());
        }
        let mut places: Vec<(&Range<usize>, &String)> =
            records.iter().map(|(name, record): (&String, &Record)| (&record.content, name)).collect();
        places.sort_by_key(|(content, _)| (content.start, content.end));
        if let Some(overlap) = places.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
            return Err(format!("the zip's records {} and {} overlap", quoted(overlap[0].1), quoted(overlap[1].1)));
        }
        Ok(Self { bytes, records })
    }

    /// The names of the records.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Where a record's content is, once its checksum is found right; `None` if there is no such record.
    pub(super) fn content(&self, name: &str) -> Result<Option<Range<usize>>, String> {
        let Some(record) = self.records.get(name) else { return Ok(None) };
        if crc32fast::hash(&self.bytes[record.content.clone()]) != record.checksum {
            return Err(format!("the zip's record {} is damaged: its checksum is another", quoted(name)));
        }
        Ok(Some(record.content.clone()))
    }
}

/// Where the directory is, and how many records it lists.
struct Directory {
    place: Range<usize>,
    entries: u64,
}

impl Directory {
    fn find(bytes: &[u8]) -> Result<Self, String> {
        // Its end is the last thing in the file, but for a comment whose length it states.
        let earliest = bytes.len().saturating_sub(END_BYTES + MAX_COMMENT);
        let is_end = |&at: &usize| {
            bytes[at..].starts_with(END)
                && at + END_BYTES + usize::from(u16_at(bytes, at + 20).unwrap_or(0)) == bytes.len()
        };
        let last = bytes.len().checked_sub(END_BYTES);
        let end = last.and_then(|last| (earliest..=last).rev().find(is_end));
        let end = end.ok_or("the zip has no directory at its end: truncated, or not downloaded to the end")?;
        let number = |at: usize| u32_at(bytes, end + at).map(u64::from).unwrap_or(0);
        let short = |at: usize| u16_at(bytes, end + at).map(u64::from).unwrap_or(0);
        let (disk, start_disk, on_disk, mut entries) = (short(4), short(6), short(8), short(10));
        let (mut length, mut offset) = (number(12), number(16));
        let mut before = end;
        if let Some(locator) = end.checked_sub(LOCATOR_BYTES).filter(|&at| bytes[at..].starts_with(LOCATOR_64)) {
            let place = u64_at(bytes, locator + 8).and_then(|at| usize::try_from(at).ok());
            let place =
                place.filter(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(END_64)) && at < locator);
            let place = place.ok_or("the zip's end points to no zip64 end of directory")?;
            let long = |at: usize| u64_at(bytes, place + at).unwrap_or(0);
            (entries, length, offset) = (long(32), long(40), long(48));
            before = place;
        } else if disk != 0 || start_disk != 0 || on_disk != entries {
            return Err("the zip is one of several parts".to_owned());
        }
        let start = usize::try_from(offset).ok().filter(|&start| start <= before);
        let end = start.and_then(|start| start.checked_add(usize::try_from(length).ok()?));
        match (start, end.filter(|&end| end <= before)) {
            (Some(start), Some(end)) => Ok(Self { place: start..end, entries }),
            _ => Err(format!("the zip's directory is said to be {length} bytes at {offset}, past its end: truncated")),
        }
    }
}

/// One entry of the directory at `at`: name, record, and where the next entry is. Records end before `data_end`.
fn entry(bytes: &[u8], at: usize, end: usize, data_end: usize) -> Result<(String, Record, usize), String> {
    let cut = || "the zip's directory is cut off or counts more records than it has".to_owned();
    let header = bytes[at..end].get(..46).filter(|header| header.starts_with(CENTRAL)).ok_or_else(cut)?;
    let short = |at: usize| u16_at(header, at).map(usize::from).unwrap_or(0);
    let number = |at: usize| u32_at(header, at).map(u64::from).unwrap_or(0);
    let (name_length, extra_length, comment_length) = (short(28), short(30), short(32));
    let rest = &bytes[at + 46..end];
    let (name, rest) = rest.split_at_checked(name_length).ok_or_else(cut)?;
    let (extra, rest) = rest.split_at_checked(extra_length).ok_or_else(cut)?;
    if rest.len() < comment_length {
        return Err(cut());
    }
    let next = at + 46 + name_length + extra_length + comment_length;
    let name = std::str::from_utf8(name).map_err(|_| "a record's name in the zip is no UTF-8 text".to_owned())?;
    let of_record = |reason: String| format!("the zip's record {}: {reason}", quoted(name));
    check_name(name).map_err(of_record)?;

    let (flags, method) = (short(8), short(10));
    let way_out = "unpack it and zip it again without, as in `zip -0`";
    if flags & 1 != 0 {
        return Err(of_record(format!("it is encrypted; {way_out}")));
    }
    if method != 0 {
        let method = if method == 8 { "deflated".to_owned() } else { format!("compressed by method {method}") };
        return Err(of_record(format!("it is {method}, which PyTorch never does; {way_out}")));
    }
    let (mut stored, mut size, mut offset) = (number(20), number(24), number(42));
    widen(extra, [&mut size, &mut stored, &mut offset]).map_err(of_record)?;
    if stored != size {
        return Err(of_record(format!("it takes {stored} bytes for {size}, though it is not compressed")));
    }
    let content = content(bytes, name, offset, size, data_end).map_err(of_record)?;
    let checksum = u32_at(header, 16).unwrap_or(0);
    Ok((name.to_owned(), Record { content, checksum }, next))
}

/// Refuses names that lead out of the archive, should anyone unpack it.
fn check_name(name: &str) -> Result<(), String> {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || has_drive || name.contains(['\\', '\0']) {
        return Err("its name is no relative path".to_owned());
    }
    if name.split('/').any(|part| part == "..") {
        return Err("its name leads out of the archive".to_owned());
    }
    Ok(())
}

/// Takes the numbers that do not fit 32 bits (size, stored size, offset, in this order) from the zip64 extra field.
fn widen(mut extra: &[u8], numbers: [&mut u64; 3]) -> Result<(), String> {
    let mut wide: &[u8] = &[];
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let field = extra[4..].get(..usize::from(length)).ok_or("its extra field is cut off")?;
        if id == 1 {
            wide = field;
        }
        extra = &extra[4 + field.len()..];
    }
    for number in numbers {
        if *number == u64::from(u32::MAX) {
            *number = u64_at(wide, 0).ok_or("its zip64 sizes are missing")?;
            wide = &wide[8..];
        }
    }
    Ok(())
}

/// Where a record's content is, by its own header, which has to name the same record.
fn content(bytes: &[u8], name: &str, offset: u64, size: u64, data_end: usize) -> Result<Range<usize>, String> {
    let at = usize::try_from(offset).ok().filter(|&at| at < data_end).ok_or("it lies past the end")?;
    let header = bytes[at..data_end].get(..30).filter(|header| header.starts_with(LOCAL));
    let header = header.ok_or("there is no header where it should begin")?;
    let short = |at: usize| u16_at(header, at).map(usize::from).unwrap_or(0);
    let name_end = at + 30 + short(26);
    if bytes[..data_end].get(at + 30..name_end) != Some(name.as_bytes()) {
        return Err("its own header has another name than the directory".to_owned());
    }
    let start = name_end + short(28);
    let end = usize::try_from(size).ok().and_then(|size| start.checked_add(size)).filter(|&end| end <= data_end);
    Ok(start..end.ok_or_else(|| format!("its {size} bytes reach past the end"))?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&word| u16::from_le_bytes(word))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|&word| u32::from_le_bytes(word))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|&word| u64::from_le_bytes(word))
}
