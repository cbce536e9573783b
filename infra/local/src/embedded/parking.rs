//! The parking place of a laptop line: one file an original under `parked/`, and beside it what is known about it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shared_flow::ports::{Parked, Parking, PortError, PortResult};

/// A folder of parked originals, for a person to look at.
#[derive(Debug, Clone)]
pub struct LocalParking {
    folder: PathBuf,
}

/// What stands beside an original.
#[derive(Serialize)]
struct Note<'a> {
    org: Option<&'a str>,
    source: &'a str,
    reason: &'a str,
    at: String,
    bytes: usize,
    original: String,
}

impl LocalParking {
    /// The parking place in this data folder.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("parked");
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    fn keep(&self, parked: &Parked) -> io::Result<()> {
        let name = name(parked);
        let note = self.folder.join(format!("{name}.json"));
        // The note is written last, so where it stands the original stands too.
        if note.try_exists()? {
            return Ok(());
        }
        let original = format!("{name}.original");
        self.write(&original, &parked.original)?;
        let about = Note {
            org: parked.org.as_ref().map(shared::OrgId::as_str),
            source: &parked.source,
            reason: &parked.reason,
            at: parked.at.to_string(),
            bytes: parked.original.len(),
            original,
        };
        self.write(&format!("{name}.json"), &serde_json::to_vec_pretty(&about)?)
    }

    /// Writes a file that is whole or absent, whatever happens meanwhile.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = self.folder.join(format!("{name}.draft"));
        let mut file = private(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, self.folder.join(name))?;
        sync(&self.folder)
    }
}

#[async_trait]
impl Parking for LocalParking {
    async fn park(&self, parked: &Parked) -> PortResult<()> {
        let (place, parked) = (self.clone(), parked.clone());
        let kept = tokio::task::spawn_blocking(move || place.keep(&parked)).await;
        kept.unwrap_or_else(|_| Err(io::Error::other("the writer stopped"))).map_err(|error| {
            // Its kind only: the system's words name the path, which is nobody's business in a log.
            PortError::Unavailable { what: "the parking place", why: error.kind().to_string() }
        })
    }
}

/// The same original from the same place has the same name. What comes from outside is hashed, so it names no path.
fn name(parked: &Parked) -> String {
    let mut hash = Sha256::new();
    let org = parked.org.as_ref().map_or("", shared::OrgId::as_str);
    for part in [org.as_bytes(), parked.source.as_bytes(), &parked.original] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new file that only this user can read: originals are somebody's words.
fn private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a rename last; only Unix has folders that can be synchronised.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let data = tempfile::tempdir().unwrap();
        let place = LocalParking::open(data.path()).unwrap();
        let notes = || entries(&place.folder).iter().filter(|name| name.ends_with(".json")).count();
        shared_testkit::contracts::parking(&place, &notes).await;
    }

    #[tokio::test]
    async fn the_original_is_kept_byte_for_byte_with_the_reason() {
        let data = tempfile::tempdir().unwrap();
        let place = LocalParking::open(data.path()).unwrap();
        let parked = Parked {
            org: None,
            source: "../../whatsapp webhook".to_owned(),
            reason: "not JSON".to_owned(),
            original: vec![0, 255, b'{'],
            at: shared::Timestamp::UNIX_EPOCH,
        };
        place.park(&parked).await.unwrap();
        let names = entries(&place.folder);
        assert_eq!(names.len(), 2, "{names:?}");
        let note: serde_json::Value =
            serde_json::from_slice(&fs::read(place.folder.join(&names[0])).unwrap()).unwrap();
        assert_eq!((note["reason"].as_str(), note["bytes"].as_u64()), (Some("not JSON"), Some(3)));
        let original = place.folder.join(note["original"].as_str().unwrap());
        assert_eq!(fs::read(original).unwrap(), parked.original);
    }

    #[test]
    fn where_one_part_ends_matters() {
        let parked = |source: &str, original: &[u8]| Parked {
            org: None,
            source: source.to_owned(),
            reason: String::new(),
            original: original.to_vec(),
            at: shared::Timestamp::UNIX_EPOCH,
        };
        assert_ne!(name(&parked("ab", b"c")), name(&parked("a", b"bc")));
    }

    #[tokio::test]
    async fn what_a_crash_left_half_done_is_done_again() {
        let data = tempfile::tempdir().unwrap();
        let place = LocalParking::open(data.path()).unwrap();
        let parked = Parked {
            org: None,
            source: "command".to_owned(),
            reason: "r".to_owned(),
            original: b"whole".to_vec(),
            at: shared::Timestamp::UNIX_EPOCH,
        };
        // The original was written in part, the note not at all.
        fs::write(place.folder.join(format!("{}.original", name(&parked))), b"who").unwrap();
        place.park(&parked).await.unwrap();
        assert_eq!(fs::read(place.folder.join(format!("{}.original", name(&parked)))).unwrap(), b"whole");
        assert_eq!(entries(&place.folder).len(), 2);
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_says_so() {
        let data = tempfile::tempdir().unwrap();
        let place = LocalParking::open(data.path()).unwrap();
        fs::remove_dir_all(&place.folder).unwrap();
        let parked = Parked {
            org: None,
            source: "command".to_owned(),
            reason: "r".to_owned(),
            original: Vec::new(),
            at: shared::Timestamp::UNIX_EPOCH,
        };
        assert!(matches!(place.park(&parked).await, Err(PortError::Unavailable { .. })));
    }
}
