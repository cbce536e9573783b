//! Whether a webhook comes from Meta: the signature over the raw bytes, and the handshake when the address is set.

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

/// The longest challenge that is given back. Meta's are about ten digits.
const CHALLENGE_LIMIT: usize = 1024;

/// The secret of a Meta app and the numbers that were configured with it.
#[derive(Clone)]
pub struct AppSecret {
    /// The app's secret, which signs its webhooks; neither the access token nor the verify token.
    pub secret: SecretString,
    /// The `phone_number_id`s whose webhooks this app may bring.
    pub numbers: Vec<String>,
}

/// A body that Meta signed. Only [`verify`] makes one, so nothing unsigned is ever parsed.
#[derive(Clone)]
pub struct Verified {
    body: Bytes,
    numbers: Vec<String>,
}

/// Why a body is not believed. Answer 401 and store nothing: Meta repeats for up to 7 days, so a secret that is
/// corrected meanwhile loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// No secret is configured, or only empty ones.
    #[error("no app secret is configured, so no webhook can be believed: set the Meta app's secret")]
    NoSecret,
    /// No header.
    #[error("the request has no X-Hub-Signature-256 header: it does not come from Meta")]
    Missing,
    /// The header is no signature.
    #[error("the X-Hub-Signature-256 header is not sha256= and 64 hexadecimal digits")]
    Malformed,
    /// The signature was not made with any of our secrets, or not over these bytes.
    #[error(
        "the signature matches no configured app secret: check the secret in the Meta app's basic settings"
    )]
    Wrong,
}

// The body holds what customers wrote.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Verified {
    /// The body, byte for byte as it was signed.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the number was configured with the secret that signed this.
    #[must_use]
    pub fn serves(&self, phone_number_id: &str) -> bool {
        !phone_number_id.is_empty() && self.numbers.iter().any(|number| number == phone_number_id)
    }
}

/// Checks the signature over the bytes as received, before anything is parsed: Meta signs the escaped form that it
/// sends, so parsing and writing again would change it (developers.facebook.com, Graph API, webhooks).
pub fn verify(body: Bytes, header: Option<&str>, secrets: &[AppSecret]) -> Result<Verified, BadSignature> {
    if secrets.iter().all(|app| app.secret.expose_secret().is_empty()) {
        return Err(BadSignature::NoSecret);
    }
    let signature = read_header(header.ok_or(BadSignature::Missing)?).ok_or(BadSignature::Malformed)?;
    let numbers = numbers_signed_for(&body, &signature, secrets).ok_or(BadSignature::Wrong)?;
    Ok(Verified { body, numbers })
}

/// The numbers of every entry whose secret made the signature: one app may serve several organisations.
fn numbers_signed_for(body: &[u8], signature: &[u8; 32], secrets: &[AppSecret]) -> Option<Vec<String>> {
    // One secret is hashed once, however many lines share it.
    let mut tried: Vec<(&str, bool)> = Vec::with_capacity(secrets.len());
    let mut numbers = None;
    for app in secrets {
        let secret = app.secret.expose_secret();
        let known = tried.iter().find(|(other, _)| *other == secret).map(|&(_, matched)| matched);
        let matched = known.unwrap_or_else(|| {
            let matched = signed_with(secret, body, signature);
            tried.push((secret, matched));
            matched
        });
        if matched {
            numbers.get_or_insert_with(Vec::new).extend_from_slice(&app.numbers);
        }
    }
    numbers
}

fn signed_with(secret: &str, body: &[u8], signature: &[u8; 32]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    // Compares in constant time.
    !secret.is_empty() && mac.verify_slice(signature).is_ok()
}

fn read_header(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("sha256=")?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Answers Meta's handshake: the challenge to give back as `text/plain` with status 200, or `None` for 403.
/// Takes the raw query of the GET; the parameters have dots in their names.
#[must_use]
pub fn challenge(query: &str, tokens: &[SecretString]) -> Option<String> {
    let first = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    let presented = first("hub.verify_token")?;
    let known = tokens.iter().filter(|token| is_same(token.expose_secret(), &presented)).count();
    let challenge =
        first("hub.challenge").filter(|text| !text.is_empty() && text.len() <= CHALLENGE_LIMIT)?;
    (known > 0 && first("hub.mode")? == "subscribe").then(|| challenge.into_owned())
}

/// Compares digests, so that neither content nor length shows in the time it takes. Empty never matches.
fn is_same(configured: &str, presented: &str) -> bool {
    let same = Sha256::digest(configured).as_slice().ct_eq(Sha256::digest(presented).as_slice());
    !configured.is_empty() && bool::from(same)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
