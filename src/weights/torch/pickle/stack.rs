//! The stack of a pickle's machine, its memo, and what its opcodes gather into lists and dicts.

use super::super::globals::{self, Global};
use super::super::values::{Id, Value};
use super::Machine;

impl Machine<'_> {
    pub(super) fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    pub(super) fn push_number(&mut self, bytes: usize) -> Result<(), String> {
        let number = self.bytes.number(bytes)?;
        self.push(Value::Int(number.into()));
        Ok(())
    }

    /// A two's complement number of so many bytes.
    pub(super) fn push_long(&mut self, length: u64) -> Result<(), String> {
        let bytes = self.bytes.take(length)?;
        if bytes.len() > 16 {
            self.push(Value::Opaque);
            return Ok(());
        }
        let mut wide = [if bytes.last().is_some_and(|&last| last >= 0x80) { 0xff } else { 0 }; 16];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.push(Value::Int(i128::from_le_bytes(wide)));
        Ok(())
    }

    pub(super) fn push_text(&mut self, length_bytes: usize) -> Result<(), String> {
        let length = self.bytes.number(length_bytes)?;
        let text =
            std::str::from_utf8(self.bytes.take(length)?).map_err(|_| "a string that is no UTF-8 text".to_owned())?;
        let text = text.to_owned();
        self.push(Value::Text(text));
        Ok(())
    }

    pub(super) fn push_bytes(&mut self, length_bytes: usize) -> Result<(), String> {
        let length = self.bytes.number(length_bytes)?;
        self.bytes.take(length)?;
        self.push(Value::Opaque);
        Ok(())
    }

    pub(super) fn push_global(&mut self, module: &str, name: &str) -> Result<(), String> {
        let global = Global::find(module, name).ok_or_else(|| globals::refusal(module, name))?;
        self.push(Value::Global(global));
        Ok(())
    }

    pub(super) fn recall(&mut self, bytes: usize) -> Result<(), String> {
        let place = self.bytes.number(bytes)?;
        let id = self.memo.get(&place).ok_or_else(|| format!("it recalls {place}, which it never memorized"))?;
        self.stack.push(*id);
        Ok(())
    }

    pub(super) fn memorize(&mut self, bytes: usize) -> Result<(), String> {
        let place = self.bytes.number(bytes)?;
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    /// The lowest height of the stack that opcodes may reach: that of the last MARK.
    pub(super) fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    /// Where the topmost `count` values begin.
    pub(super) fn height_above(&self, count: usize) -> Result<usize, String> {
        let start = self.stack.len().checked_sub(count).filter(|&start| start >= self.floor());
        start.ok_or_else(|| "it takes a value that is not there".to_owned())
    }

    pub(super) fn pop(&mut self) -> Result<Id, String> {
        let top = self.height_above(1)?;
        self.stack.truncate(top + 1);
        self.stack.pop().ok_or_else(String::new)
    }

    pub(super) fn top(&self) -> Result<Id, String> {
        Ok(self.stack[self.height_above(1)?])
    }

    pub(super) fn pop_text(&mut self) -> Result<String, String> {
        let id = self.pop()?;
        match &self.values[id] {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("a name that is no string".to_owned()),
        }
    }

    /// The values since the last MARK, which goes too.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("it takes what follows a mark that is not there")?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn append(&mut self, mut items: Vec<Id>) -> Result<(), String> {
        let list = self.top()?;
        match &mut self.values[list] {
            Value::List(list) => {
                list.append(&mut items);
                Ok(())
            }
            _ => Err("items are added to something that is no list".to_owned()),
        }
    }

    pub(super) fn insert(&mut self, mut pairs: Vec<(Id, Id)>) -> Result<(), String> {
        let dict = self.top()?;
        match &mut self.values[dict] {
            Value::Dict(dict) => {
                dict.append(&mut pairs);
                Ok(())
            }
            _ => Err("keys are set in something that is no dict".to_owned()),
        }
    }

    /// The pairs of a list of tuples of two.
    pub(super) fn listed_pairs(&self, list: Id) -> Result<Vec<(Id, Id)>, String> {
        let Value::List(items) = &self.values[list] else {
            return Err("a dict of something that is no list".to_owned());
        };
        let pair = |&item: &Id| match &self.values[item] {
            Value::Tuple(pair) | Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err("a dict of something that is no pair".to_owned()),
        };
        items.iter().map(pair).collect()
    }
}

/// Keys and values in turn.
pub(super) fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("a key without a value".to_owned());
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}
