//! The OData that the stand-in for Creatio understands: `$filter`, `$select`, `$expand`, `$orderby`, `$top`, `$skip`.
//! As on a real site, a lookup is filtered through its path, and the flat column is refused.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::columns::{column, target};
use super::site::{Row, Site};

/// A request that the site refuses with 500, with the message.
pub type Refusal = String;

/// The options of a query, `$` included in the names.
pub struct Query<'a>(pub &'a [(String, String)]);

impl Query<'_> {
    fn option(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether `$count=true` was asked for.
    pub fn wants_count(&self) -> bool {
        self.option("$count") == Some("true")
    }

    /// The rows of an entity set that the query asks for, before they are shaped.
    pub fn choose<'s>(&self, site: &'s Site, set: &str) -> Result<Vec<&'s Row>, Refusal> {
        let mut chosen = Vec::new();
        for row in site.rows(set) {
            let wanted = match self.option("$filter") {
                Some(filter) => is_true(&Filter::new(site, set, row, filter)?.value()?),
                None => true,
            };
            if wanted {
                chosen.push(row);
            }
        }
        if let Some(order) = self.option("$orderby") {
            let keys: Vec<(&str, bool)> = order.split(',').map(order_key).collect();
            chosen.sort_by(|a, b| in_order(&keys, a, b));
        }
        let skip = self.option("$skip").map_or(0, |n| n.parse().unwrap());
        let top = self.option("$top").map_or(20_000, |n| n.parse().unwrap());
        Ok(chosen.into_iter().skip(skip).take(top).collect())
    }

    /// A row as the answer shows it: selected, expanded, and without a single `null`.
    pub fn shape(&self, site: &Site, set: &str, row: &Row) -> Value {
        shape(site, set, row, self.option("$select"), self.option("$expand"))
    }
}

fn shape(site: &Site, set: &str, row: &Row, select: Option<&str>, expand: Option<&str>) -> Value {
    let wanted: Option<Vec<&str>> = select.map(|names| names.split(',').map(str::trim).collect());
    let mut shown = Map::new();
    for (name, value) in site.without_nulls(set, row) {
        if wanted.as_ref().is_none_or(|names| names.contains(&name.as_str())) {
            shown.insert(name, value);
        }
    }
    for part in expand.map(top_level_parts).unwrap_or_default() {
        let (path, inner) =
            part.split_once('(').map_or((part, ""), |(path, rest)| (path, rest.trim_end_matches(')')));
        let found = site.follow(set, row, path);
        let inner_select = inner.strip_prefix("$select=");
        let value = found.map_or(Value::Null, |(set, row)| shape(site, set, row, inner_select, None));
        shown.insert(path.to_owned(), value);
    }
    Value::Object(shown)
}

/// Splits at the commas that stand outside of parentheses.
fn top_level_parts(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn order_key(key: &str) -> (&str, bool) {
    let key = key.trim();
    key.strip_suffix(" desc").map_or((key.trim_end_matches(" asc"), false), |name| (name.trim(), true))
}

fn in_order(keys: &[(&str, bool)], a: &Row, b: &Row) -> Ordering {
    for (name, descending) in keys {
        let order = compare(&a[*name], &b[*name]);
        let order = if *descending { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn compare(a: &Value, b: &Value) -> Ordering {
    if let (Some(a), Some(b)) = (moment(a), moment(b)) {
        return a.cmp(&b);
    }
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true)
}

/// A filter being worked out for one row.
struct Filter<'a> {
    site: &'a Site,
    set: &'a str,
    row: &'a Row,
    words: Vec<String>,
    at: usize,
}

impl<'a> Filter<'a> {
    fn new(site: &'a Site, set: &'a str, row: &'a Row, text: &str) -> Result<Self, Refusal> {
        Ok(Self { site, set, row, words: words(text)?, at: 0 })
    }

    fn value(mut self) -> Result<Value, Refusal> {
        let value = self.either()?;
        if self.at < self.words.len() {
            Err(format!("syntax error in $filter at word {}", self.at))
        } else {
            Ok(value)
        }
    }

    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.words.get(self.at - 1).cloned().unwrap_or_default()
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word;
        self.at += usize::from(is_next);
        is_next
    }

    fn either(&mut self) -> Result<Value, Refusal> {
        let mut value = self.both()?;
        while self.takes("or") {
            let right = self.both()?;
            value = Value::Bool(is_true(&value) || is_true(&right));
        }
        Ok(value)
    }

    fn both(&mut self) -> Result<Value, Refusal> {
        let mut value = self.negated()?;
        while self.takes("and") {
            let right = self.negated()?;
            value = Value::Bool(is_true(&value) && is_true(&right));
        }
        Ok(value)
    }

    fn negated(&mut self) -> Result<Value, Refusal> {
        if self.takes("not") {
            return Ok(Value::Bool(!is_true(&self.negated()?)));
        }
        let left = self.operand()?;
        if !["eq", "ne", "gt", "ge", "lt", "le"].contains(&self.peek()) {
            return Ok(left);
        }
        let operator = self.next();
        let right = self.operand()?;
        let order = compare(&left, &right);
        // As in a database, an empty value is neither before nor after anything.
        let known = !left.is_null() && !right.is_null();
        Ok(Value::Bool(match operator.as_str() {
            "eq" => order == Ordering::Equal,
            "ne" => order != Ordering::Equal,
            "gt" => known && order == Ordering::Greater,
            "ge" => known && order != Ordering::Less,
            "lt" => known && order == Ordering::Less,
            _ => known && order != Ordering::Greater,
        }))
    }

    fn operand(&mut self) -> Result<Value, Refusal> {
        if self.takes("(") {
            let value = self.either()?;
            self.takes(")");
            return Ok(value);
        }
        let word = self.next();
        if let Some(text) = word.strip_prefix('\'') {
            return Ok(Value::String(text.to_owned()));
        }
        if self.takes("(") {
            return self.call(&word);
        }
        match word.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ if word.contains('-') || word.starts_with(|c: char| c.is_ascii_digit()) => {
                Ok(Value::String(word))
            }
            path => self.path(path),
        }
    }

    fn call(&mut self, name: &str) -> Result<Value, Refusal> {
        let mut given = Vec::new();
        while !self.takes(")") {
            given.push(self.either()?.as_str().unwrap_or_default().to_owned());
            if !self.takes(",") && self.peek() != ")" {
                return Err(format!("syntax error in $filter: {name}"));
            }
        }
        match (name, given.as_slice()) {
            ("startswith", [text, part]) => Ok(Value::Bool(text.starts_with(part.as_str()))),
            ("endswith", [text, part]) => Ok(Value::Bool(text.ends_with(part.as_str()))),
            ("contains", [text, part]) => Ok(Value::Bool(text.contains(part.as_str()))),
            ("tolower", [text]) => Ok(Value::String(text.to_lowercase())),
            (_, _) => Err(format!("An unknown function with name '{name}' was found")),
        }
    }

    fn path(&self, path: &str) -> Result<Value, Refusal> {
        let refused = || format!("Column by path {path} not found in schema {}", self.set);
        let (set, row, name) = match path.rsplit_once('/') {
            None if path != "Id" && path.ends_with("Id") => return Err(refused()),
            None => (self.set, Some(self.row), path),
            Some((lookup, name)) => match self.site.follow(self.set, self.row, lookup) {
                Some((set, row)) => (set, Some(row), name),
                None => (target(self.set, lookup).ok_or_else(refused)?, None, name),
            },
        };
        if name != "Id" && column(set, name).is_none() {
            return Err(refused());
        }
        Ok(row.map_or(Value::Null, |row| row[name].clone()))
    }
}

/// Words, parentheses and commas; a text literal is one word that begins with a quote and has no quote at its end.
fn words(text: &str) -> Result<Vec<String>, Refusal> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' | ')' | ',' => {
                words.push(first.to_string());
                1
            }
            '\'' => {
                let (literal, taken) = literal(rest).ok_or("unterminated string in $filter")?;
                words.push(literal);
                taken
            }
            _ => {
                let end = rest.find([' ', '(', ')', ',', '\'']).unwrap_or(rest.len());
                words.push(rest[..end].to_owned());
                end
            }
        };
        rest = rest[taken..].trim_start();
    }
    Ok(words)
}

/// The text literal at the beginning, and how much of the text it takes. A doubled quote stands for one.
fn literal(text: &str) -> Option<(String, usize)> {
    let mut from = 1;
    loop {
        let quote = from + text.get(from..)?.find('\'')?;
        if text[quote + 1..].starts_with('\'') {
            from = quote + 2;
            continue;
        }
        return Some((format!("'{}", text[1..quote].replace("''", "'")), quote + 1));
    }
}
