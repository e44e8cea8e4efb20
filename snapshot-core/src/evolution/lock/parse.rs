//! Reads the text form of a lock.

use std::str::FromStr;

use super::{Lock, LockedPayload, LockedStage, Record};
use crate::error::Error;
use crate::wire::v1::manifest::{Enum, Field, Limit, Meaning, Message, Value, Values};

/// The version of the text form itself.
pub(super) const FORMAT: u32 = 1;

impl FromStr for Lock {
    type Err = Error;

    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument), with the line number, if the text is
    /// no lock or states a fact twice.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parser = Parser::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            parser
                .line(Cursor(line))
                .map_err(|reason| Error::invalid(format!("line {}: {reason}", index + 1)))?;
        }
        match parser.format {
            true => Ok(parser.finish()),
            false => Err(Error::invalid(format!("expected `format {FORMAT}` at the beginning"))),
        }
    }
}

/// The parser with the open payload, version and block, to which the next line belongs. Indentation
/// has no meaning.
#[derive(Default)]
struct Parser {
    format: bool,
    lock: Lock,
    payload: Option<(String, LockedPayload)>,
    record: Option<(u32, Record)>,
    block: Option<Block>,
}

/// A message or an enum of a version, while its lines are read.
enum Block {
    Message(Message),
    Enum(Enum),
}

impl Block {
    fn name(&self) -> &str {
        match self {
            Block::Message(message) => &message.name,
            Block::Enum(one) => &one.name,
        }
    }
}

const NO_PAYLOAD: &str = "expected `payload TYPE-URL` before it";
const NO_VERSION: &str = "expected `version NUMBER` before it";
const NO_BLOCK: &str = "expected `message NAME` or `enum NAME` before it";
const NO_FIELD: &str = "expected a field of a message before it";

impl Parser {
    /// Reads one line that is neither empty nor a comment.
    fn line(&mut self, mut rest: Cursor<'_>) -> Result<(), String> {
        if rest.0.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return self.number(rest);
        }
        let keyword = rest.bare();
        if !self.format && keyword != "format" {
            return Err(format!("expected `format {FORMAT}` at the beginning"));
        }
        match keyword {
            "format" => {
                let format: u32 = rest.number()?;
                if self.format || format != FORMAT {
                    return Err(format!("format {format}: this build reads format {FORMAT}, once"));
                }
                self.format = true;
            }
            "payload" => {
                self.end_payload();
                let type_url = rest.word()?;
                if self.lock.payloads.contains_key(&type_url) {
                    return Err(format!("payload {type_url} twice"));
                }
                let retired = rest.flag("retired")?;
                self.payload =
                    Some((type_url, LockedPayload { retired, ..LockedPayload::default() }));
            }
            "accepts" | "saves" | "reads" | "reads_from" | "after" | "freeze_to" | "import_as"
            | "abort_to" | "live" => self.unversioned(keyword, &mut rest)?,
            "version" => {
                self.end_record();
                let (_, payload) = self.payload.as_ref().ok_or(NO_PAYLOAD)?;
                let version = rest.number()?;
                if payload.records.contains_key(&version) {
                    return Err(format!("version {version} twice"));
                }
                let draft = rest.flag("draft")?;
                self.record = Some((version, Record { draft, ..Record::default() }));
            }
            "root" => once(&mut self.record()?.schema.root, rest.word()?)?,
            "stage" => {
                let carried = match rest.bare() {
                    "carried" => true,
                    "not-carried" => false,
                    _ => return Err("expected `stage carried` or `stage not-carried`".to_owned()),
                };
                match self
                    .record()?
                    .stage
                    .replace(LockedStage { carried, ..LockedStage::default() })
                {
                    None => {}
                    Some(_) => return Err("`stage` twice".to_owned()),
                }
            }
            "meaning" => match (rest.bare(), &mut self.record()?.states_meaning) {
                ("stated", states @ false) => *states = true,
                ("stated", true) => return Err("`meaning` twice".to_owned()),
                _ => return Err("expected `meaning stated`".to_owned()),
            },
            "id" => once_number(&mut self.record()?.id_field, rest.number()?)?,
            "stage_field" => once_number(&mut self.record()?.stage_field, rest.number()?)?,
            "mapped" | "ignored" | "discarded" => {
                let meaning = Meaning {
                    ignored: keyword == "ignored",
                    discarded: keyword == "discarded",
                    ..rest.meaning()?
                };
                self.field()?.meanings.push(meaning);
            }
            "save_from" => {
                let stage = rest.word()?;
                let rules = self.record()?.stage.as_mut().ok_or("expected `stage` before it")?;
                added(rules.save_from.insert(stage))?;
            }
            "message" | "enum" => {
                self.end_block();
                let name = rest.word()?;
                let schema = &self.record()?.schema;
                if schema.messages.contains_key(&name) || schema.enums.contains_key(&name) {
                    return Err(format!("{name} twice"));
                }
                self.block = Some(match keyword {
                    "message" => Block::Message(Message { name, fields: Vec::new() }),
                    _ => Block::Enum(Enum { name, values: Vec::new() }),
                });
            }
            "reserved" => {
                let entry = (rest.number()?, rest.word()?);
                let name = self.block.as_ref().ok_or(NO_BLOCK)?.name().to_owned();
                added(self.record()?.reserved.entry(name).or_default().insert(entry))?;
            }
            "oneof" => once(&mut self.field()?.oneof, rest.word()?)?,
            "since" => {
                let since = rest.number()?;
                let place = match &mut self.block {
                    Some(Block::Enum(one)) => {
                        let value = one.values.last_mut();
                        &mut value.ok_or("expected a value of an enum before it")?.since
                    }
                    _ => &mut self.field()?.since,
                };
                match std::mem::replace(place, since) {
                    0 => {}
                    _ => return Err("`since` twice".to_owned()),
                }
            }
            "defines" => self.field()?.defines.push(rest.line()?),
            "refers" => self.field()?.refers.push(rest.line()?),
            _ => return Err(format!("unknown keyword `{keyword}`")),
        }
        rest.end()
    }

    /// Reads a property of a payload that belongs to no version.
    fn unversioned(&mut self, keyword: &str, rest: &mut Cursor<'_>) -> Result<(), String> {
        let (_, payload) = self.payload.as_mut().ok_or(NO_PAYLOAD)?;
        if self.record.is_some() {
            return Err(format!("`{keyword}` belongs before the versions"));
        }
        let unversioned = &mut payload.unversioned;
        match keyword {
            "accepts" | "saves" => {
                let versions = if keyword == "accepts" {
                    &mut unversioned.accepts
                } else {
                    &mut unversioned.saves
                };
                while !rest.0.is_empty() {
                    added(versions.insert(rest.number()?))?;
                }
            }
            "reads" => {
                let version = rest.number()?;
                if rest.bare() != "as" {
                    return Err("expected `reads VERSION as MESSAGE`".to_owned());
                }
                added(unversioned.older.insert(version, rest.word()?).is_none())?;
            }
            "reads_from" => {
                let version = rest.number()?;
                added(unversioned.older_urls.insert(version, rest.word()?).is_none())?;
            }
            "after" => added(unversioned.after.insert(rest.word()?))?,
            "freeze_to" => once(&mut unversioned.freeze_to, rest.word()?)?,
            "import_as" => once(&mut unversioned.import_as, rest.word()?)?,
            "abort_to" => once(&mut unversioned.abort_to, rest.word()?)?,
            _ => once(&mut unversioned.live, rest.word()?)?,
        }
        Ok(())
    }

    /// Reads a field or an enum value.
    fn number(&mut self, mut rest: Cursor<'_>) -> Result<(), String> {
        match self.block.as_mut().ok_or(NO_BLOCK)? {
            Block::Message(message) => {
                let number = rest.number()?;
                let name = rest.word()?;
                rest.0 = rest.0.strip_prefix(':').ok_or("expected `NUMBER NAME: KIND`")?.trim();
                let kind = rest.line()?;
                let fields = &mut message.fields;
                if fields.last().is_some_and(|last| last.number >= number) {
                    return Err(format!("field {number} is not in ascending order"));
                }
                fields.push(Field { number, name, kind, ..Field::default() });
            }
            Block::Enum(one) => {
                let value =
                    Value { number: rest.number()?, name: rest.word()?, ..Value::default() };
                if one
                    .values
                    .last()
                    .is_some_and(|last| (last.number, &last.name) >= (value.number, &value.name))
                {
                    return Err(format!("value {} is not in ascending order", value.number));
                }
                one.values.push(value);
            }
        }
        rest.end()
    }

    fn record(&mut self) -> Result<&mut Record, String> {
        self.record.as_mut().map(|(_, record)| record).ok_or_else(|| NO_VERSION.to_owned())
    }

    fn field(&mut self) -> Result<&mut Field, String> {
        match &mut self.block {
            Some(Block::Message(message)) => {
                message.fields.last_mut().ok_or_else(|| NO_FIELD.to_owned())
            }
            _ => Err(NO_FIELD.to_owned()),
        }
    }

    fn end_block(&mut self) {
        let (Some(block), Some((_, record))) = (self.block.take(), &mut self.record) else {
            return;
        };
        match block {
            Block::Message(message) => {
                record.schema.messages.insert(message.name.clone(), message);
            }
            Block::Enum(one) => {
                record.schema.enums.insert(one.name.clone(), one);
            }
        }
    }

    fn end_record(&mut self) {
        self.end_block();
        if let (Some((version, record)), Some((_, payload))) =
            (self.record.take(), &mut self.payload)
        {
            let record = match record.states_meaning {
                true => record.with_plain_fields(),
                false => record,
            };
            payload.records.insert(version, record);
        }
    }

    fn end_payload(&mut self) {
        self.end_record();
        if let Some((type_url, payload)) = self.payload.take() {
            self.lock.payloads.insert(type_url, payload);
        }
    }

    fn finish(mut self) -> Lock {
        self.end_payload();
        self.lock
    }
}

/// Sets a text, and fails if it is set already.
fn once(place: &mut String, text: String) -> Result<(), String> {
    match std::mem::replace(place, text).is_empty() {
        true => Ok(()),
        false => Err("this is stated twice".to_owned()),
    }
}

/// Sets a number other than 0, and fails if it is set already.
fn once_number(place: &mut u32, number: u32) -> Result<(), String> {
    match (std::mem::replace(place, number), number) {
        (0, 1..) => Ok(()),
        (0, 0) => Err("expected a number from 1 on".to_owned()),
        _ => Err("this is stated twice".to_owned()),
    }
}

/// Returns the bytes of a hexadecimal text.
fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// Fails unless an entry was new.
fn added(new: bool) -> Result<(), String> {
    match new {
        true => Ok(()),
        false => Err("this is stated twice".to_owned()),
    }
}

/// The unread rest of a line.
struct Cursor<'t>(&'t str);

impl<'t> Cursor<'t> {
    /// Reads up to the next space.
    fn bare(&mut self) -> &'t str {
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest.trim_start();
        word
    }

    /// Reads a number.
    fn number<N: FromStr>(&mut self) -> Result<N, String> {
        let word = self.bare();
        word.parse().map_err(|_| format!("expected a number, found `{word}`"))
    }

    /// Reads a text without spaces, or a text in quotes.
    fn word(&mut self) -> Result<String, String> {
        if self.0.starts_with('"') {
            return self.quoted();
        }
        let end = self.0.find(|c: char| c.is_whitespace() || c == ':').unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest.trim_start();
        match word.is_empty() {
            true => Err("expected a name".to_owned()),
            false => Ok(word.to_owned()),
        }
    }

    /// Reads the whole rest of the line, or a text in quotes.
    fn line(&mut self) -> Result<String, String> {
        match self.0 {
            "" => Err("the line ends too early".to_owned()),
            text if text.starts_with('"') => self.quoted(),
            _ => Ok(std::mem::take(&mut self.0).to_owned()),
        }
    }

    /// Reads a text in quotes.
    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut chars = self.0.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = self.0.get(at + 1..).unwrap_or_default().trim_start();
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    Some((_, 'u')) => {
                        let digits: String =
                            chars.by_ref().map(|(_, c)| c).take_while(|&c| c != '}').collect();
                        let digits = digits.strip_prefix('{').unwrap_or_default();
                        let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                        text.push(c.ok_or("expected `\\u{HEX}`")?);
                    }
                    _ => return Err("expected `\\\"`, `\\\\` or `\\u{HEX}`".to_owned()),
                },
                c => text.push(c),
            }
        }
        Err("the closing quote is missing".to_owned())
    }

    /// Reads the meaning of a field, to the end of the line.
    fn meaning(&mut self) -> Result<Meaning, String> {
        let mut meaning = Meaning::default();
        // The values that the next parts describe.
        let mut values: Option<&mut Values> = None;
        while !self.0.is_empty() {
            match (self.bare(), &mut values) {
                ("form", _) => once(&mut meaning.form, self.word()?)?,
                ("range", _) => once(&mut meaning.range, self.word()?)?,
                ("set", _) => added(!std::mem::replace(&mut meaning.set, true))?,
                ("required", _) => added(!std::mem::replace(&mut meaning.required, true))?,
                ("secret", _) => added(!std::mem::replace(&mut meaning.secret, true))?,
                ("default_none", _) => {
                    added(!std::mem::replace(&mut meaning.default_none, true))?;
                }
                ("may_stay_behind", _) => {
                    added(!std::mem::replace(&mut meaning.may_stay_behind, true))?;
                }
                ("length", _) => added(meaning.length.replace(self.number()?).is_none())?,
                ("max", _) => added(meaning.max.replace(self.number()?).is_none())?,
                ("default", _) => {
                    let bytes = bytes_of(&self.word()?).ok_or("expected bytes in hexadecimal")?;
                    added(meaning.default_bytes.replace(bytes).is_none())?;
                }
                (keyword @ ("below" | "at_most"), _) => {
                    let limit = Limit { field: self.number()?, included: keyword == "at_most" };
                    added(!meaning.limits.contains(&limit))?;
                    meaning.limits.push(limit);
                }
                ("keys", _) => values = Some(meaning.keys.insert(Values::default())),
                ("values", _) => values = Some(meaning.values.insert(Values::default())),
                ("as", Some(values)) => once(&mut values.form, self.word()?)?,
                ("least", Some(values)) => once(&mut values.least, self.word()?)?,
                ("most", Some(values)) => once(&mut values.most, self.word()?)?,
                ("bytes", Some(values)) => {
                    added(values.bytes.replace(self.number()?).is_none())?;
                }
                ("most_excluded", Some(values)) => {
                    added(!std::mem::replace(&mut values.most_excluded, true))?;
                }
                ("not_zero", Some(values)) => {
                    added(!std::mem::replace(&mut values.not_zero, true))?;
                }
                (other, _) => return Err(format!("unexpected `{other}` in a meaning")),
            }
        }
        Ok(meaning)
    }

    /// Reads an optional word. Returns whether it is present.
    fn flag(&mut self, flag: &str) -> Result<bool, String> {
        match self.bare() {
            "" => Ok(false),
            word if word == flag => Ok(true),
            word => Err(format!("expected `{flag}` or nothing, found `{word}`")),
        }
    }

    /// Fails unless the whole line is read.
    fn end(&self) -> Result<(), String> {
        match self.0 {
            "" => Ok(()),
            rest => Err(format!("unexpected `{rest}` at the end of the line")),
        }
    }
}
