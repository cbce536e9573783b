//! The signature that Meta puts on a webhook, made with a secret that the operator may read.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The value of `X-Hub-Signature-256` for this body.
#[must_use]
pub fn signature(secret: &SecretString, body: &[u8]) -> String {
    // A key of any length is a key, so this fails for none.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use shared_vendors::whatsapp::{AppSecret, verify};

    use super::*;

    #[test]
    fn the_line_believes_it() {
        let app = AppSecret { secret: "s".into(), numbers: Vec::new() };
        let header = signature(&app.secret, b"{}");
        assert!(verify(Bytes::from_static(b"{}"), Some(&header), std::slice::from_ref(&app)).is_ok());
        assert!(verify(Bytes::from_static(b"{ }"), Some(&header), &[app]).is_err());
    }
}
