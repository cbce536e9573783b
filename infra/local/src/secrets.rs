//! The secrets that a laptop line makes for itself: the operator's token, and what the sandboxes share with the line.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Made once, kept in the data folder, readable by its owner only.
#[derive(Clone, Serialize, Deserialize)]
pub struct LocalSecrets {
    /// Lets the command line in.
    pub admin_token: String,
    /// Signs the sandbox's webhooks.
    pub app_secret: String,
    /// The sandbox's Cloud API token.
    pub access_token: String,
    /// The handshake word of the sandbox's number.
    pub verify_token: String,
    /// The sandbox's Creatio OAuth secret.
    pub client_secret: String,
    /// The last part of the Creatio webhook address.
    pub webhook_token: String,
    /// The sandbox's model key.
    pub model_key: String,
}

impl std::fmt::Debug for LocalSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalSecrets([REDACTED])")
    }
}

impl LocalSecrets {
    /// Reads the folder's secrets, or makes them.
    pub fn of(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("secrets.json");
        if let Ok(text) = fs::read_to_string(&path) {
            return serde_json::from_str(&text).map_err(std::io::Error::other);
        }
        let made = Self::make();
        write_private(&path, serde_json::to_string_pretty(&made)?.as_bytes())?;
        Ok(made)
    }

    fn make() -> Self {
        Self {
            admin_token: random(),
            app_secret: random(),
            access_token: random(),
            verify_token: random(),
            client_secret: random(),
            webhook_token: random(),
            model_key: random(),
        }
    }
}

/// 256 random bits in hexadecimal.
fn random() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_folder_keeps_its_secrets_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        let first = LocalSecrets::of(folder.path()).unwrap();
        let second = LocalSecrets::of(folder.path()).unwrap();
        assert_eq!(first.admin_token, second.admin_token);
        assert_ne!(first.admin_token, first.app_secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("secrets.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
