//! Protobuf's wire format: a message is a run of fields, each a number, a wire type and a value.
//!
//! Nothing is copied or allocated: strings, messages and packed arrays come back as runs of the file's bytes. Depth is
//! bounded, lengths are held to the bytes that there are.

use std::ops::Range;

/// Deepest nesting of groups that are passed over, protobuf's own limit for messages.
const MAX_DEPTH: usize = 100;
/// Largest number of a field.
const MAX_FIELD: u64 = (1 << 29) - 1;

/// The fields of one message, in the order in which they are written.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    /// The whole file.
    bytes: &'a [u8],
    /// What of the message is not read yet.
    rest: Range<usize>,
}

/// One field.
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) value: Value,
}

/// A field's value, as its wire type says it is written.
#[derive(Clone)]
pub(super) enum Value {
    /// A number in groups of seven bits.
    Varint(u64),
    /// Eight bytes.
    Fixed64(Range<usize>),
    /// A string, a message or a packed array.
    Bytes(Range<usize>),
    /// Four bytes.
    Fixed32(Range<usize>),
    /// A run of fields, which no message here has.
    Group,
}

impl<'a> Fields<'a> {
    /// The fields of a message that takes up these bytes of a file.
    pub(super) fn of(bytes: &'a [u8], message: Range<usize>) -> Self {
        Self { bytes, rest: message }
    }

    /// The fields, or the numbers, of a run of bytes within this message.
    pub(super) fn within(&self, run: Range<usize>) -> Self {
        Self { bytes: self.bytes, rest: run }
    }

    /// The next field, or `None` at the message's end.
    pub(super) fn next(&mut self) -> Result<Option<Field>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let value = match wire_type {
            3 => {
                self.skip_group(number)?;
                Value::Group
            }
            other => self.value(other)?,
        };
        Ok(Some(Field { number, value }))
    }

    fn value(&mut self, wire_type: u64) -> Result<Value, String> {
        Ok(match wire_type {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.take(8)?),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.take(4)?),
            4 => return Err(self.fault("the end of a group that did not begin")),
            other => return Err(self.fault(&format!("a field of wire type {other}, which does not exist"))),
        })
    }

    fn tag(&mut self) -> Result<(u64, u64), String> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > MAX_FIELD {
            return Err(self.fault(&format!("a field numbered {number}")));
        }
        Ok((number, tag & 7))
    }

    /// Passes over a group's fields, and over groups within it.
    fn skip_group(&mut self, number: u64) -> Result<(), String> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            if self.rest.is_empty() {
                return Err(self.fault("a group that does not end"));
            }
            match self.tag()? {
                (number, 3) if open.len() < MAX_DEPTH => open.push(number),
                (_, 3) => return Err(self.fault(&format!("groups more than {MAX_DEPTH} deep"))),
                (number, 4) if number == innermost => {
                    open.pop();
                }
                (_, 4) => return Err(self.fault("groups that end in the wrong order")),
                (_, wire_type) => {
                    self.value(wire_type)?;
                }
            }
        }
        Ok(())
    }

    /// Up to ten groups of seven bits, the lowest first.
    pub(super) fn varint(&mut self) -> Result<u64, String> {
        let mut number = 0_u64;
        for group in 0..10 {
            let byte = self.take(1)?;
            let byte = self.bytes[byte.start];
            number |= u64::from(byte & 0x7f).checked_shl(7 * group).unwrap_or(0);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.fault("a number of more than ten bytes"))
    }

    fn take(&mut self, length: u64) -> Result<Range<usize>, String> {
        let left = self.rest.len();
        let Some(length) = usize::try_from(length).ok().filter(|&length| length <= left) else {
            return Err(self.fault(&format!("{length} bytes where {left} are left")));
        };
        let start = self.rest.start;
        self.rest.start += length;
        Ok(start..start + length)
    }

    /// Whether there is nothing left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn fault(&self, what: &str) -> String {
        format!("not a sound protobuf message: {what}, at byte {}", self.rest.start)
    }
}
