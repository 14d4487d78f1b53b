//! The bytes of a pickle, taken one after another, never past their end.

pub(super) struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many have been taken.
    pub(super) fn taken(&self) -> usize {
        self.at
    }

    /// How many are left.
    pub(super) fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of up to eight bytes.
    pub(super) fn number(&mut self, bytes: usize) -> Result<u64, String> {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(self.take(bytes as u64)?);
        Ok(u64::from_le_bytes(wide))
    }

    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = usize::try_from(length).ok().and_then(|length| rest.get(..length)) else {
            return Err(format!("it ends where {length} more bytes should follow"));
        };
        self.at += taken.len();
        Ok(taken)
    }

    /// A line of text, without its end.
    pub(super) fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or("it ends within a name")?;
        let line = std::str::from_utf8(&rest[..length]).map_err(|_| "a name that is no UTF-8 text".to_owned())?;
        self.at += length + 1;
        Ok(line)
    }
}
