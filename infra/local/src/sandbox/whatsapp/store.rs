//! The JSON file behind the sandbox: written whole to a second file, then renamed, so that it is never half.

use std::fs;
use std::io;
use std::path::PathBuf;

use tokio::sync::Mutex;

use super::book::Book;

/// Where the book is kept, if anywhere, and up to which version it is.
pub struct Store {
    file: Option<PathBuf>,
    saved: Mutex<u64>,
}

impl Store {
    /// Opens the folder and reads what it holds.
    pub fn open(folder: Option<PathBuf>) -> io::Result<(Self, Book)> {
        let Some(folder) = folder else {
            return Ok((Self { file: None, saved: Mutex::new(0) }, Book::default()));
        };
        fs::create_dir_all(&folder)?;
        let file = folder.join("whatsapp.json");
        let book = match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| unreadable(&file, &error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Book::default(),
            Err(error) => return Err(error),
        };
        Ok((Self { file: Some(file), saved: Mutex::new(0) }, book))
    }

    /// Returns once the file covers `version`. Those who wait meanwhile share the next writing.
    ///
    /// The file is not forced onto the disk: it has to survive a killed process, not a power cut.
    pub async fn save(
        &self,
        version: u64,
        snapshot: impl FnOnce() -> (u64, serde_json::Result<Vec<u8>>),
    ) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut saved = self.saved.lock().await;
        if *saved >= version {
            return Ok(());
        }
        let (covers, json) = snapshot();
        let half = file.with_extension("json.new");
        tokio::fs::write(&half, json?).await?;
        tokio::fs::rename(&half, file).await?;
        *saved = covers;
        Ok(())
    }
}

fn unreadable(file: &std::path::Path, error: &serde_json::Error) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "{} is not what the WhatsApp sandbox wrote (line {}); start with --fresh or another --data folder",
            file.display(),
            error.line()
        ),
    )
}
