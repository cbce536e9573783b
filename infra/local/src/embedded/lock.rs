//! One process a data folder: two would each believe that what the other has in hand was left behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The folder is ours until this is dropped. The system gives it back however the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum NotOurs {
    /// Another process works in it.
    #[error(
        "the data folder {} is in use by {owner}: stop that one first, or choose another folder with --data",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who has it, as far as it said.
        owner: String,
    },
    /// The lock file cannot be written.
    #[error(
        "the data folder {} cannot be used ({source}): it must be a folder that this user may write",
        folder.display()
    )]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Lock {
    /// Takes the folder, which must exist.
    pub fn take(folder: &Path) -> Result<Self, NotOurs> {
        let unusable = |source| NotOurs::Unusable { folder: folder.to_owned(), source };
        let path = folder.join("lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = open.map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(NotOurs::InUse { folder: folder.to_owned(), owner: owner(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        sign(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

/// Writes down who has the folder, for the message to whoever comes second.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "process {}", std::process::id())
}

fn owner(file: &mut File) -> String {
    let mut text = String::new();
    // Where the system forbids reading a locked file, the folder's name must do.
    let known = file.read_to_string(&mut text).is_ok() && text.starts_with("process ");
    if known { text } else { "another process".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_line_is_refused_and_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let refused = Lock::take(folder.path()).unwrap_err();
        assert!(matches!(refused, NotOurs::InUse { .. }));
        let said = refused.to_string();
        assert!(said.contains(&folder.path().display().to_string()) && said.contains("--data"), "{said}");
        if cfg!(unix) {
            assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
        }
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Lock::take(&folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(&refused, NotOurs::Unusable { .. }) && refused.to_string().contains("nowhere"));
    }
}
