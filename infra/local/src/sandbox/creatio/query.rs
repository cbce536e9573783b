//! Query options: which rows, in which order, and which of their columns.

use serde_json::{Map, Value};

use super::filter::{Filter, Path};
use super::refusal::Refusal;
use super::schema::Entity;
use super::store::{Row, Store, guid_in};

/// The most rows of one answer.
const MOST_ROWS: usize = 20_000;

/// The options of one request.
#[derive(Default)]
pub struct Query {
    filter: Option<Filter>,
    order: Vec<(Path, bool)>,
    top: Option<usize>,
    skip: usize,
    count: bool,
    shape: Shape,
}

/// Which columns an answer shows.
#[derive(Default)]
struct Shape {
    /// Empty means all.
    select: Vec<String>,
    expand: Vec<Expansion>,
}

/// A navigation property to show, with its columns.
struct Expansion {
    name: String,
    column: &'static str,
    target: &'static Entity,
    shape: Shape,
}

impl Query {
    /// Reads the options; those without `$` are none.
    pub fn read(pairs: &[(String, String)], entity: &'static Entity) -> Result<Self, Refusal> {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "$filter" => query.filter = Some(Filter::parse(value, entity)?),
                "$orderby" => query.order = order(value, entity)?,
                "$top" => query.top = Some(number(name, value)?),
                "$skip" => query.skip = number(name, value)?,
                "$count" => query.count = value == "true",
                "$select" => query.shape.select = select(value, entity)?,
                "$expand" => query.shape.expand = expand(value, entity)?,
                "$format" => {}
                other if other.starts_with('$') => {
                    return Err(Refusal::bad(format!("The query parameter '{other}' is not supported.")));
                }
                _ => {}
            }
        }
        Ok(query)
    }

    /// The rows that fit, as an answer's `value` and, when it was asked for, their number.
    pub fn rows(&self, entity: &'static Entity, store: &Store) -> (Vec<Value>, Option<usize>) {
        let fits = |row: &&Row| self.filter.as_ref().is_none_or(|filter| filter.fits(row, store));
        let mut found: Vec<&Row> = store.all(entity.name).filter(fits).collect();
        // Stable, so that rows of equal order keep that of their making.
        for (path, descending) in self.order.iter().rev() {
            found.sort_by(|a, b| {
                let order =
                    path.value(a, store).order(&path.value(b, store)).unwrap_or(std::cmp::Ordering::Equal);
                if *descending { order.reverse() } else { order }
            });
        }
        let count = self.count.then_some(found.len());
        let shown = found.into_iter().skip(self.skip).take(self.top.unwrap_or(MOST_ROWS).min(MOST_ROWS));
        (shown.map(|row| Value::Object(self.shape.show(row, entity, store))).collect(), count)
    }

    /// One row in the shape that was asked for.
    pub fn show(&self, row: &Row, entity: &'static Entity, store: &Store) -> Map<String, Value> {
        self.shape.show(row, entity, store)
    }
}

impl Shape {
    fn show(&self, row: &Row, entity: &'static Entity, store: &Store) -> Map<String, Value> {
        let mut shown = Map::new();
        for column in entity.columns() {
            if self.select.is_empty() || self.select.iter().any(|name| name == column.name) {
                let value = row.get(column.name).cloned().unwrap_or_else(|| column.kind.empty());
                shown.insert(column.name.to_owned(), value);
            }
        }
        for expansion in &self.expand {
            shown.insert(expansion.name.clone(), expansion.show(row, store));
        }
        shown
    }
}

impl Expansion {
    fn show(&self, row: &Row, store: &Store) -> Value {
        let found = guid_in(row, self.column).and_then(|id| store.get(self.target.name, id));
        found.map_or(Value::Null, |row| Value::Object(self.shape.show(row, self.target, store)))
    }
}

fn number(name: &str, value: &str) -> Result<usize, Refusal> {
    value
        .trim()
        .parse()
        .map_err(|_| Refusal::bad(format!("Invalid value '{value}' for {name} query option.")))
}

fn select(value: &str, entity: &'static Entity) -> Result<Vec<String>, Refusal> {
    let check = |name: &str| match entity.column(name.trim()) {
        Some(column) => Ok(column.name.to_owned()),
        None => Err(no_property(name.trim(), entity)),
    };
    value.split(',').map(check).collect()
}

fn order(value: &str, entity: &'static Entity) -> Result<Vec<(Path, bool)>, Refusal> {
    let mut keys = Vec::new();
    for key in value.split(',') {
        let mut words = key.split_whitespace();
        let path = Path::find(words.next().unwrap_or_default(), entity)?;
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(Refusal::bad(format!("Syntax error: '{other}' in '$orderby'."))),
        };
        keys.push((path, descending));
    }
    Ok(keys)
}

/// `Status,Contact($select=Name)`: one level, which is what sites are asked for.
fn expand(value: &str, entity: &'static Entity) -> Result<Vec<Expansion>, Refusal> {
    let mut found = Vec::new();
    for part in outside_brackets(value, ',') {
        let (name, options) = match part.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')').unwrap_or(rest)),
            None => (part, ""),
        };
        let name = name.trim();
        let (column, target) = entity.lookup(name).ok_or_else(|| no_property(name, entity))?;
        let mut shape = Shape::default();
        for option in options.split(';').filter(|option| !option.trim().is_empty()) {
            match option.trim().split_once('=') {
                Some(("$select", columns)) => shape.select = select(columns, target)?,
                _ => return Err(Refusal::bad(format!("Syntax error: '{option}' in '$expand'."))),
            }
        }
        found.push(Expansion { name: name.to_owned(), column, target, shape });
    }
    Ok(found)
}

/// Splits where no bracket is open.
fn outside_brackets(text: &str, at: char) -> Vec<&str> {
    let mut depth = 0_usize;
    let cuts = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == at && depth == 0
    };
    text.split(cuts).collect()
}

fn no_property(name: &str, entity: &Entity) -> Refusal {
    Refusal::bad(format!(
        "Could not find a property named '{name}' on type 'Terrasoft.Configuration.{}'.",
        entity.name
    ))
}
