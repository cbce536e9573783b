//! `$filter`: the part of OData's expression language that people and integrations write, with Creatio's traps in it.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::refusal::Refusal;
use super::schema::{Entity, Kind};
use super::store::{Row, Store, guid_in};

/// A condition on rows of one object.
#[derive(Debug)]
pub enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// A column compared with a literal.
    Compare(Path, Comparison, Operand),
    /// A text that begins with, ends with or contains another.
    Text(Path, Part, String),
}

/// `eq`, `ne`, `gt`, `ge`, `lt`, `le`.
#[derive(Debug, Clone, Copy)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Different.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

/// Which part of a text is compared.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// Its beginning.
    Start,
    /// Its end.
    End,
    /// Any.
    Any,
}

/// A column of the row itself, or of a row it looks up to.
#[derive(Debug)]
pub struct Path {
    /// Lookup columns to follow, with the object each leads to.
    through: Vec<(&'static str, &'static Entity)>,
    column: &'static str,
    kind: Kind,
}

/// A value to compare.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A text.
    Text(String),
    /// A GUID.
    Guid(Uuid),
    /// A moment.
    Date(Timestamp),
    /// A number.
    Number(i64),
    /// Yes or no.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Path {
    /// Finds the column that a path names. A lookup's own column (`StatusId`) is not found, as on a real site,
    /// although a body must use it: the path to it is `Status/Id`.
    pub fn find(text: &str, entity: &'static Entity) -> Result<Self, Refusal> {
        let unknown = || Refusal::no_column(&text.replace('/', "."), entity.name);
        let mut steps: Vec<&str> = text.split('/').collect();
        let last = steps.pop().ok_or_else(unknown)?;
        let mut at = entity;
        let mut through = Vec::new();
        for step in steps {
            let (column, target) = at.lookup(step).ok_or_else(unknown)?;
            through.push((column, target));
            at = target;
        }
        let column = at.column(last).ok_or_else(unknown)?;
        match column.kind {
            Kind::Lookup(_) => Err(unknown()),
            kind => Ok(Self { through, column: column.name, kind }),
        }
    }

    /// What stands there.
    pub fn value(&self, row: &Row, store: &Store) -> Operand {
        let mut at = Some(row);
        for (column, entity) in &self.through {
            at = at.and_then(|row| guid_in(row, column)).and_then(|id| store.get(entity.name, id));
        }
        let value = at.and_then(|row| row.get(self.column));
        of_column(value, self.kind)
    }
}

fn of_column(value: Option<&Value>, kind: Kind) -> Operand {
    let text = value.and_then(Value::as_str);
    match kind {
        Kind::Text(_) => Operand::Text(text.unwrap_or_default().to_owned()),
        Kind::Guid | Kind::Lookup(_) => {
            Operand::Guid(text.and_then(|text| Uuid::parse_str(text).ok()).unwrap_or_default())
        }
        Kind::Date => text.and_then(|text| text.parse().ok()).map_or(Operand::Null, Operand::Date),
        Kind::Bool => Operand::Bool(value.and_then(Value::as_bool).unwrap_or_default()),
        Kind::Int => Operand::Number(value.and_then(Value::as_i64).unwrap_or_default()),
    }
}

impl Operand {
    /// How two values of the same kind are ordered; nothing comes before everything.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Guid(a), Self::Guid(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (Self::Null, _) => Some(Ordering::Less),
            (_, Self::Null) => Some(Ordering::Greater),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Guid(id) => id.is_nil(),
            Self::Date(_) | Self::Number(_) | Self::Bool(_) => false,
        }
    }
}

impl Filter {
    /// Whether a row fits.
    pub fn fits(&self, row: &Row, store: &Store) -> bool {
        match self {
            Self::And(a, b) => a.fits(row, store) && b.fits(row, store),
            Self::Or(a, b) => a.fits(row, store) || b.fits(row, store),
            Self::Not(a) => !a.fits(row, store),
            Self::Compare(path, comparison, operand) => {
                compares(&path.value(row, store), *comparison, operand)
            }
            Self::Text(path, part, wanted) => match path.value(row, store) {
                Operand::Text(text) => match part {
                    Part::Start => text.starts_with(wanted.as_str()),
                    Part::End => text.ends_with(wanted.as_str()),
                    Part::Any => text.contains(wanted.as_str()),
                },
                _ => false,
            },
        }
    }

    /// Reads an expression.
    pub fn parse(text: &str, entity: &'static Entity) -> Result<Self, Refusal> {
        let mut reader = Reader { words: words(text)?, at: 0, entity, depth: 0 };
        let filter = reader.any_of()?;
        match reader.next() {
            None => Ok(filter),
            Some(word) => Err(syntax(&format!("unexpected {word:?}"))),
        }
    }
}

fn compares(value: &Operand, comparison: Comparison, operand: &Operand) -> bool {
    if *operand == Operand::Null {
        return match comparison {
            Comparison::Eq => value.is_empty(),
            Comparison::Ne => !value.is_empty(),
            Comparison::Gt | Comparison::Ge | Comparison::Lt | Comparison::Le => false,
        };
    }
    // An empty date is neither before nor after anything.
    let Some(order) = value.order(operand).filter(|_| *value != Operand::Null) else { return false };
    match comparison {
        Comparison::Eq => order == Ordering::Equal,
        Comparison::Ne => order != Ordering::Equal,
        Comparison::Gt => order == Ordering::Greater,
        Comparison::Ge => order != Ordering::Less,
        Comparison::Lt => order == Ordering::Less,
        Comparison::Le => order != Ordering::Greater,
    }
}

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Word {
    Plain(String),
    Quoted(String),
    Open,
    Close,
    Comma,
}

/// The deepest nesting that is read.
const DEEPEST: usize = 50;

fn syntax(what: &str) -> Refusal {
    Refusal::bad(format!("The query specified in the URI is not valid. Syntax error: {what} in '$filter'."))
}

fn words(text: &str) -> Result<Vec<Word>, Refusal> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '(' => (Word::Open, rest.get(1..)),
            ')' => (Word::Close, rest.get(1..)),
            ',' => (Word::Comma, rest.get(1..)),
            '\'' => {
                let (text, after) = quoted(rest.get(1..).unwrap_or_default())?;
                (Word::Quoted(text), Some(after))
            }
            _ => {
                let stop = |c: char| c.is_whitespace() || "(),'".contains(c);
                let (word, after) = rest.split_at(rest.find(stop).unwrap_or(rest.len()));
                (Word::Plain(word.to_owned()), Some(after))
            }
        };
        found.push(word);
        rest = after.unwrap_or_default().trim_start();
    }
    Ok(found)
}

/// A text literal up to its closing quote, with doubled quotes undone, and what follows.
fn quoted(text: &str) -> Result<(String, &str), Refusal> {
    let mut found = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('\'').ok_or_else(|| syntax("an unterminated text"))?;
        found.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                found.push('\'');
                rest = more;
            }
            None => return Ok((found, after)),
        }
    }
}

struct Reader {
    words: Vec<Word>,
    at: usize,
    entity: &'static Entity,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Word> {
        self.words.get(self.at)
    }

    fn next(&mut self) -> Option<Word> {
        let word = self.peek().cloned();
        self.at += 1;
        word
    }

    fn take(&mut self, keyword: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Word::Plain(word)) if word == keyword);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, word: &Word) -> Result<(), Refusal> {
        if self.next().as_ref() == Some(word) { Ok(()) } else { Err(syntax(&format!("{word:?} expected"))) }
    }

    fn any_of(&mut self) -> Result<Filter, Refusal> {
        let mut found = self.all_of()?;
        while self.take("or") {
            found = Filter::Or(Box::new(found), Box::new(self.all_of()?));
        }
        Ok(found)
    }

    fn all_of(&mut self) -> Result<Filter, Refusal> {
        let mut found = self.one()?;
        while self.take("and") {
            found = Filter::And(Box::new(found), Box::new(self.one()?));
        }
        Ok(found)
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(syntax("too many nested conditions"));
        }
        let found = self.one_deep();
        self.depth -= 1;
        found
    }

    fn one_deep(&mut self) -> Result<Filter, Refusal> {
        if self.take("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Word::Open) => {
                let inner = self.any_of()?;
                self.expect(&Word::Close)?;
                Ok(inner)
            }
            Some(Word::Plain(name)) if self.peek() == Some(&Word::Open) => self.function(&name),
            Some(Word::Plain(path)) => self.comparison(&path),
            other => Err(syntax(&format!("{other:?} where a condition should be"))),
        }
    }

    fn function(&mut self, name: &str) -> Result<Filter, Refusal> {
        let part = match name {
            "startswith" => Part::Start,
            "endswith" => Part::End,
            "contains" => Part::Any,
            other => return Err(Refusal::bad(format!("An unknown function with name '{other}' was found."))),
        };
        self.expect(&Word::Open)?;
        let Some(Word::Plain(path)) = self.next() else { return Err(syntax("a column expected")) };
        self.expect(&Word::Comma)?;
        let Some(Word::Quoted(text)) = self.next() else { return Err(syntax("a text expected")) };
        self.expect(&Word::Close)?;
        let path = Path::find(&path, self.entity)?;
        match path.kind {
            Kind::Text(_) => Ok(Filter::Text(path, part, text)),
            Kind::Guid | Kind::Lookup(_) | Kind::Date | Kind::Bool | Kind::Int => {
                Err(Refusal::bad(format!("No function signature for the function '{name}' matches.")))
            }
        }
    }

    fn comparison(&mut self, path: &str) -> Result<Filter, Refusal> {
        let path = Path::find(path, self.entity)?;
        let comparison = match self.next() {
            Some(Word::Plain(word)) => match word.as_str() {
                "eq" => Comparison::Eq,
                "ne" => Comparison::Ne,
                "gt" => Comparison::Gt,
                "ge" => Comparison::Ge,
                "lt" => Comparison::Lt,
                "le" => Comparison::Le,
                other => return Err(syntax(&format!("unknown operator {other:?}"))),
            },
            other => return Err(syntax(&format!("{other:?} where an operator should be"))),
        };
        let literal = self.next().ok_or_else(|| syntax("a value expected"))?;
        let operand = operand(literal, path.kind)?;
        Ok(Filter::Compare(path, comparison, operand))
    }
}

/// A literal as the column's kind demands it: GUIDs and dates bare, text quoted.
fn operand(word: Word, kind: Kind) -> Result<Operand, Refusal> {
    let incompatible = || {
        Refusal::bad(format!(
            "A binary operator with incompatible types was detected. The column is of kind {kind:?}; GUIDs and dates \
             stand without quotes, texts with them."
        ))
    };
    match (word, kind) {
        (Word::Plain(word), _) if word == "null" => Ok(Operand::Null),
        (Word::Quoted(text), Kind::Text(_)) => Ok(Operand::Text(text)),
        (Word::Plain(word), Kind::Guid | Kind::Lookup(_)) => {
            Uuid::parse_str(&word).map(Operand::Guid).map_err(|_| incompatible())
        }
        (Word::Plain(word), Kind::Date) => word.parse().map(Operand::Date).map_err(|_| incompatible()),
        (Word::Plain(word), Kind::Bool) => word.parse().map(Operand::Bool).map_err(|_| incompatible()),
        (Word::Plain(word), Kind::Int) => word.parse().map(Operand::Number).map_err(|_| incompatible()),
        _ => Err(incompatible()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::{entity, ids};
    use super::*;

    fn fits(filter: &str) -> Result<bool, Refusal> {
        let store = Store::open(None).unwrap();
        let row = json!({
            "Id": Uuid::from_u128(7), "Subject": "It's a bike", "StatusId": ids::CLOSED,
            "CreatedOn": "2026-11-20T08:00:00.5Z",
        });
        Filter::parse(filter, entity("Case").unwrap()).map(|f| f.fits(row.as_object().unwrap(), &store))
    }

    #[test]
    fn conditions_that_fit() {
        for filter in [
            "Subject eq 'It''s a bike'",
            "startswith(Subject,'It''s') and endswith(Subject, 'bike')",
            "contains(Subject,'a b')",
            "Id eq 00000000-0000-0000-0000-000000000007",
            "Status/Id eq 3e7f420c-f46b-1410-fc9a-0050ba5d6c38",
            "Status/Name eq 'Closed' and Status/IsFinal eq true",
            "CreatedOn ge 2026-11-20T08:00:00.500Z and CreatedOn lt 2026-11-20T09:00:00+00:30",
            "Subject eq 'x' or not (Subject eq 'y')",
            "Subject eq 'x' and Subject eq 'y' or Subject ne 'z'",
            "Owner/Id eq null and Owner/Name eq ''",
            "Owner/Id eq 00000000-0000-0000-0000-000000000000",
            "Number eq ''",
        ] {
            assert_eq!(fits(filter), Ok(true), "{filter}");
        }
    }

    #[test]
    fn conditions_that_do_not_fit() {
        for filter in [
            "Subject eq 'it''s a bike'",
            "CreatedOn gt 2026-11-20T08:00:00.5Z",
            "ClosureDate lt 2030-01-01T00:00:00Z",
            "Status/IsResolved eq true",
            "Status/Id ne 3e7f420c-f46b-1410-fc9a-0050ba5d6c38",
            "not startswith(Subject,'It')",
        ] {
            assert_eq!(fits(filter), Ok(false), "{filter}");
        }
    }

    #[test]
    fn the_traps_of_a_real_site() {
        for (filter, status, part) in [
            (
                "StatusId eq 3e7f420c-f46b-1410-fc9a-0050ba5d6c38",
                500,
                "Column by path StatusId not found in schema Case",
            ),
            ("Nope eq 1", 500, "Column by path Nope not found"),
            ("Status/Nope eq 1", 500, "Column by path Status.Nope"),
            ("CreatedOn gt '2026-11-20T00:00:00Z'", 400, "incompatible types"),
            ("Status/Id eq '3e7f420c-f46b-1410-fc9a-0050ba5d6c38'", 400, "incompatible types"),
            ("Id eq abc", 400, "incompatible types"),
            ("Subject eq 7", 400, "incompatible types"),
            ("Subject eq 'open", 400, "unterminated"),
            ("Subject is 'x'", 400, "unknown operator"),
            ("toupper(Subject) eq 'X'", 400, "unknown function"),
            ("(Subject eq 'x'", 400, "expected"),
            ("Subject eq 'x' 'y'", 400, "unexpected"),
            ("", 400, "condition"),
        ] {
            let refusal = fits(filter).unwrap_err();
            assert_eq!(refusal.status, status, "{filter}");
            assert!(refusal.says.contains(part), "{filter}: {}", refusal.says);
        }
        assert!(fits(&"(".repeat(10_000)).is_err());
    }
}
