//! The site's database: rows in memory, and a journal with one line per change, so that what was answered survives a
//! killed process and a change costs the same however much is stored.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::schema::{self, Entity};

/// A row's columns that are not empty.
pub type Row = Map<String, Value>;

/// One object's rows, in the order of their making.
#[derive(Default)]
struct Table {
    next: u64,
    order: BTreeMap<u64, Uuid>,
    rows: HashMap<Uuid, (u64, Row)>,
}

impl Table {
    fn put(&mut self, id: Uuid, row: Row) {
        match self.rows.get_mut(&id) {
            Some((_, old)) => *old = row,
            None => {
                self.order.insert(self.next, id);
                self.rows.insert(id, (self.next, row));
                self.next += 1;
            }
        }
    }

    fn remove(&mut self, id: Uuid) {
        if let Some((place, _)) = self.rows.remove(&id) {
            self.order.remove(&place);
        }
    }
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Change {
    entity: String,
    id: Uuid,
    /// The whole row; absent when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<Row>,
}

/// The database.
pub struct Store {
    tables: HashMap<&'static str, Table>,
    journal: Option<File>,
    last_moment: Timestamp,
}

impl Store {
    /// Opens what the folder holds, or a new site. Fails when the folder cannot be used or holds something else.
    pub fn open(folder: Option<PathBuf>) -> io::Result<Self> {
        let mut store = Self { tables: HashMap::new(), journal: None, last_moment: Timestamp::UNIX_EPOCH };
        for (entity, row) in schema::shipped() {
            if let Some(id) = id_of(&row) {
                store.table(entity).put(id, row);
            }
        }
        if let Some(folder) = folder {
            fs::create_dir_all(&folder)?;
            let file = folder.join("creatio.jsonl");
            store.replay(&file)?;
            store.compact(&file)?;
            store.journal = Some(OpenOptions::new().append(true).open(&file)?);
        }
        Ok(store)
    }

    /// The row with this id.
    pub fn get(&self, entity: &str, id: Uuid) -> Option<&Row> {
        self.tables.get(entity)?.rows.get(&id).map(|(_, row)| row)
    }

    /// All rows, oldest first.
    pub fn all(&self, entity: &str) -> impl DoubleEndedIterator<Item = &Row> {
        let table = self.tables.get(entity);
        table.into_iter().flat_map(|table| table.order.values().filter_map(|id| Some(&table.rows.get(id)?.1)))
    }

    /// How many rows there were ever.
    pub fn made(&self, entity: &str) -> u64 {
        self.tables.get(entity).map_or(0, |table| table.next)
    }

    /// Stores a row, on disk first.
    pub fn put(&mut self, entity: &'static Entity, id: Uuid, row: Row) -> io::Result<()> {
        self.write(&Change { entity: entity.name.to_owned(), id, row: Some(row.clone()) })?;
        self.table(entity.name).put(id, row);
        Ok(())
    }

    /// Removes a row, on disk first.
    pub fn remove(&mut self, entity: &'static Entity, id: Uuid) -> io::Result<()> {
        self.write(&Change { entity: entity.name.to_owned(), id, row: None })?;
        self.table(entity.name).remove(id);
        Ok(())
    }

    /// The time, in the database's microseconds, never the same twice.
    pub fn now(&mut self) -> Timestamp {
        let now = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap_or(self.last_moment);
        let least = self.last_moment.saturating_add(SignedDuration::from_micros(1)).unwrap_or(now);
        self.last_moment = now.max(least);
        self.last_moment
    }

    fn table(&mut self, entity: &'static str) -> &mut Table {
        self.tables.entry(entity).or_default()
    }

    fn write(&mut self, change: &Change) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let mut line = serde_json::to_vec(change)?;
        line.push(b'\n');
        // One call: a process that is killed leaves the whole line or none of it.
        journal.write_all(&line)
    }

    fn replay(&mut self, file: &Path) -> io::Result<()> {
        let lines = match File::open(file) {
            Ok(open) => BufReader::new(open).lines().collect::<io::Result<Vec<String>>>()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let count = lines.len();
        for (at, line) in lines.into_iter().enumerate() {
            match serde_json::from_str::<Change>(&line) {
                Ok(change) => self.apply(change),
                // A machine that lost power may leave half of the last line; its change was never answered.
                Err(_) if at + 1 == count => {}
                Err(_) => return Err(unreadable(file, at + 1)),
            }
        }
        Ok(())
    }

    fn apply(&mut self, change: Change) {
        // An object that this version no longer has is forgotten.
        let Some(entity) = schema::entity(&change.entity) else { return };
        match change.row {
            Some(row) => self.table(entity.name).put(change.id, row),
            None => self.table(entity.name).remove(change.id),
        }
    }

    /// Writes a journal that holds each row once.
    fn compact(&self, file: &Path) -> io::Result<()> {
        let whole = file.with_extension("jsonl.new");
        let mut out = BufWriter::new(File::create(&whole)?);
        for entity in schema::ENTITIES {
            for row in self.all(entity.name) {
                let Some(id) = id_of(row) else { continue };
                serde_json::to_writer(
                    &mut out,
                    &Change { entity: entity.name.to_owned(), id, row: Some(row.clone()) },
                )?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()?;
        drop(out);
        fs::rename(&whole, file)
    }
}

/// The id of a row.
pub fn id_of(row: &Row) -> Option<Uuid> {
    guid_in(row, "Id")
}

/// A GUID in a row; `None` when it is empty.
pub fn guid_in(row: &Row, column: &str) -> Option<Uuid> {
    Uuid::parse_str(row.get(column)?.as_str()?).ok()
}

/// A text in a row; empty when it is empty.
pub fn text_in<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// A yes or no in a row.
pub fn flag_in(row: &Row, column: &str) -> bool {
    row.get(column).and_then(Value::as_bool).unwrap_or_default()
}

fn unreadable(file: &Path, line: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "{} is not what the Creatio sandbox wrote (line {line}); start with --fresh or another --data folder",
            file.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contact(name: &str) -> (Uuid, Row) {
        let id = Uuid::from_u128(name.len() as u128 + 1);
        (id, json!({"Id": id, "Name": name}).as_object().unwrap().clone())
    }

    fn names(store: &Store) -> Vec<String> {
        store.all("Contact").map(|row| text_in(row, "Name").to_owned()).skip(2).collect()
    }

    #[test]
    fn everything_is_there_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let entity = schema::entity("Contact").unwrap();
        {
            let mut store = Store::open(Some(folder.path().to_owned())).unwrap();
            for name in ["a", "bb", "ccc"] {
                let (id, row) = contact(name);
                store.put(entity, id, row).unwrap();
            }
            let (id, mut row) = contact("a");
            row.insert("Name".to_owned(), json!("changed"));
            store.put(entity, id, row).unwrap();
            store.remove(entity, contact("bb").0).unwrap();
        }
        for _ in 0..2 {
            let store = Store::open(Some(folder.path().to_owned())).unwrap();
            assert_eq!(names(&store), ["changed", "ccc"]);
        }
    }

    #[test]
    fn half_a_last_line_is_forgotten_and_rubbish_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("creatio.jsonl");
        let (id, row) = contact("kept");
        let line =
            serde_json::to_string(&Change { entity: "Contact".to_owned(), id, row: Some(row) }).unwrap();
        fs::write(&file, format!("{line}\n{}", &line[..20])).unwrap();
        assert_eq!(names(&Store::open(Some(folder.path().to_owned())).unwrap()), ["kept"]);
        fs::write(&file, format!("rubbish\n{line}\n")).unwrap();
        let error = Store::open(Some(folder.path().to_owned())).err().unwrap();
        assert!(error.to_string().contains("line 1") && error.to_string().contains("--fresh"), "{error}");
    }

    #[test]
    fn no_moment_comes_twice() {
        let mut store = Store::open(None).unwrap();
        let moments: Vec<Timestamp> = (0..100).map(|_| store.now()).collect();
        assert!(moments.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
