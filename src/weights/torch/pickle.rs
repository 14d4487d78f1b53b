//! A pickle, interpreted without executing anything.
//!
//! Python's pickles are programs for a stack machine that may name and call any function. Here a name must be one of a few
//! ([`Global`]) whose calls are understood: what makes an ordered dict or a tensor, and what makes the scalars of NumPy that
//! checkpoints hold beside their weights, which stay opaque. Every other name, and every opcode that makes an object by
//! other means, is refused before anything comes of it.

mod bytes;
mod stack;

use std::collections::HashMap;

use super::super::quoted;
use super::globals::{self, Global};
use super::values::{Id, Pickle, Storage, Tensor, Value};
use bytes::Bytes;
use stack::pairs;

/// Most values of one pickle. A checkpoint has some forty for each tensor.
const MAX_VALUES: usize = 1 << 22;
/// Most numbers, pairs and bytes of names that are copied from one value into another. A checkpoint has some thirty for each
/// tensor, but a few bytes can name a long list once more.
const MAX_COPIED: usize = 1 << 24;

impl Pickle {
    /// Interprets the pickle that `bytes` begin with.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut machine = Machine {
            bytes: Bytes::new(bytes),
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            copied: 0,
        };
        match machine.run() {
            Ok(result) => Ok(Self { values: machine.values, result, length: machine.bytes.taken() }),
            Err(reason) => Err(format!("the pickle{}: {reason}", machine.context())),
        }
    }
}

/// The stack machine.
struct Machine<'a> {
    bytes: Bytes<'a>,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack that MARK left behind.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// How much was copied so far.
    copied: usize,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let opcode = self.bytes.byte()?;
            if opcode == b'.' {
                return match *self.stack {
                    [result] if self.marks.is_empty() => Ok(result),
                    _ => Err(format!("it ends with {} values, expected one", self.stack.len())),
                };
            }
            self.step(opcode)?;
            if self.values.len() > MAX_VALUES {
                return Err(format!("it holds more than {MAX_VALUES} values"));
            }
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            // PROTO, FRAME
            0x80 => match self.bytes.byte()? {
                0..=5 => {}
                protocol => return Err(format!("its protocol is {protocol}, expected at most 5")),
            },
            0x95 => {
                let length = self.bytes.number(8)?;
                if length > self.bytes.left() {
                    return Err(format!("a frame of {length} bytes reaches past its end"));
                }
            }
            b'(' => self.marks.push(self.stack.len()),
            // POP, POP_MARK, DUP
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.pop_mark()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
            b'J' => {
                let bits = self.bytes.number(4)? as u32;
                self.push(Value::Int((bits as i32).into()));
            }
            b'K' => self.push_number(1)?,
            b'M' => self.push_number(2)?,
            0x8a => {
                let length = self.bytes.number(1)?;
                self.push_long(length)?;
            }
            0x8b => {
                let length = self.bytes.number(4)? as u32 as i32;
                self.push_long(u64::try_from(length).map_err(|_| format!("a number of {length} bytes"))?)?;
            }
            b'G' => {
                self.bytes.take(8)?;
                self.push(Value::Opaque);
            }
            // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
            b'X' => self.push_text(4)?,
            0x8c => self.push_text(1)?,
            0x8d => self.push_text(8)?,
            // BINBYTES, SHORT_BINBYTES, BINBYTES8, BINSTRING, SHORT_BINSTRING, BYTEARRAY8
            b'B' | b'T' => self.push_bytes(4)?,
            b'C' | b'U' => self.push_bytes(1)?,
            0x8e | 0x96 => self.push_bytes(8)?,
            b']' => self.push(Value::List(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            // LIST, TUPLE, DICT
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Value::List(items));
            }
            b't' => {
                let items = self.pop_mark()?;
                self.push(Value::Tuple(items));
            }
            b'd' => {
                let items = self.pop_mark()?;
                let pairs = pairs(&items)?;
                self.push(Value::Dict(pairs));
            }
            // TUPLE1, TUPLE2, TUPLE3
            0x85..=0x87 => {
                let start = self.height_above(usize::from(opcode - 0x84))?;
                let items = self.stack.split_off(start);
                self.push(Value::Tuple(items));
            }
            // APPEND, APPENDS, SETITEM, SETITEMS
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(vec![(key, value)])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.insert(pairs(&items)?)?;
            }
            // BINGET, LONG_BINGET, BINPUT, LONG_BINPUT, MEMOIZE
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'q' => self.memorize(1)?,
            b'r' => self.memorize(4)?,
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len() as u64, top);
            }
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (self.bytes.line()?, self.bytes.line()?);
                self.push_global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop_text()?, self.pop_text()?);
                self.push_global(&module, &name)?;
            }
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            b'Q' => self.persistent()?,
            other => return Err(self.refused(other)),
        }
        Ok(())
    }

    /// Why an opcode is refused: by what it would call, if it says so.
    fn refused(&mut self, opcode: u8) -> String {
        let name = match opcode {
            b'i' => match (self.bytes.line(), self.bytes.line()) {
                (Ok(module), Ok(name)) => return globals::refusal(module, name),
                _ => "INST",
            },
            b'o' => "OBJ",
            0x81 => "NEWOBJ",
            0x92 => "NEWOBJ_EX",
            0x82 => "EXT1",
            0x83 => "EXT2",
            0x84 => "EXT4",
            b'P' => "PERSID",
            0x8f => "EMPTY_SET",
            0x90 => "ADDITEMS",
            0x91 => "FROZENSET",
            0x97 => "NEXT_BUFFER",
            0x98 => "READONLY_BUFFER",
            b'I' | b'L' | b'F' | b'S' | b'V' | b'p' | b'g' => "an opcode of protocol 0",
            other => return format!("it holds the byte {other:#04x}, which is no opcode"),
        };
        format!("it uses {name}, which no state dict needs; {}", globals::WAY_OUT)
    }

    /// `REDUCE`: a call, of which only those of [`Global`] mean anything.
    fn reduce(&mut self) -> Result<(), String> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let Value::Tuple(arguments) = &self.values[arguments] else {
            return Err("a call without a tuple of arguments".to_owned());
        };
        let lengths = arguments.iter().map(|&argument| self.values[argument].length()).sum();
        let Value::Global(global) = self.values[callable] else {
            return Err("a call of something that is no function".to_owned());
        };
        self.copied = self.copied_with(lengths)?;
        let result = match (global, arguments.as_slice()) {
            (Global::OrderedDict, []) => Value::Dict(Vec::new()),
            (Global::OrderedDict, &[items]) => Value::Dict(self.listed_pairs(items)?),
            (Global::RebuildTensor, &[storage, offset, size, stride, ..]) => {
                let (size, stride) = (self.integers(size)?, self.integers(stride)?);
                Value::Tensor(Tensor { storage, offset: self.integer(offset)?, size, stride })
            }
            // Its data, and whether it is trained.
            (Global::RebuildParameter, &[data, ..]) => {
                self.stack.push(data);
                return Ok(());
            }
            (Global::Opaque, _) => Value::Opaque,
            (other, arguments) => return Err(format!("{other} is called with {} arguments", arguments.len())),
        };
        self.push(result);
        Ok(())
    }

    /// `BUILD`: attributes of an object. An ordered dict of PyTorch's has some (`_metadata`), which nothing here needs.
    fn build(&mut self) -> Result<(), String> {
        self.pop()?;
        match self.values[self.top()?] {
            Value::Dict(_) | Value::Opaque => Ok(()),
            _ => Err(format!("it sets the state of an object; {}", globals::WAY_OUT)),
        }
    }

    /// `BINPERSID`: PyTorch's way to name a storage, `("storage", kind, key, place, count)`.
    fn persistent(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let Value::Tuple(items) = &self.values[id] else {
            return Err("a persistent id that is no tuple".to_owned());
        };
        let (&[tag, kind, key, _, count], view) = match items.split_first_chunk::<5>() {
            Some((parts, [])) => (parts, None),
            Some((parts, &[view])) => (parts, Some(view)),
            _ => return Err(format!("a persistent id of {} parts, expected five", items.len())),
        };
        if view.is_some_and(|view| !matches!(self.values[view], Value::None)) {
            return Err("a storage that is part of another, as PyTorch wrote before 0.4".to_owned());
        }
        let (Value::Text(tag), Value::Global(kind), Value::Text(key)) =
            (&self.values[tag], &self.values[kind], &self.values[key])
        else {
            return Err("a persistent id of unexpected parts".to_owned());
        };
        if tag != "storage" {
            return Err(format!("a persistent id of kind {}, expected a storage", quoted(tag)));
        }
        let copied = self.copied_with(key.len())?;
        let storage = Storage { kind: *kind, key: key.clone(), count: self.integer(count)? };
        self.copied = copied;
        self.push(Value::Storage(storage));
        Ok(())
    }

    /// How much is copied with so much more.
    fn copied_with(&self, more: usize) -> Result<usize, String> {
        let copied = self.copied.saturating_add(more);
        if copied > MAX_COPIED {
            return Err("it names the same things again and again, which would take more memory than it has".to_owned());
        }
        Ok(copied)
    }

    fn integer(&self, id: Id) -> Result<i128, String> {
        match self.values[id] {
            Value::Int(number) => Ok(number),
            _ => Err("a tensor or storage is described by something that is no whole number".to_owned()),
        }
    }

    fn integers(&self, id: Id) -> Result<Vec<i128>, String> {
        let (Value::Tuple(items) | Value::List(items)) = &self.values[id] else {
            return Err("a tensor's extents or strides are no tuple".to_owned());
        };
        items.iter().map(|&item| self.integer(item)).collect()
    }

    /// Beside which key a fault lies, as far as the stack tells: the last string that is no part of a storage's name.
    fn context(&self) -> String {
        let key = self.stack.iter().rev().find_map(|&id| match &self.values[id] {
            Value::Text(text) if text != "storage" => Some(text),
            _ => None,
        });
        key.map_or_else(String::new, |key| format!(", at {}", quoted(key)))
    }
}
