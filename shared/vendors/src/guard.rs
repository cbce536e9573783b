//! Which addresses a client may talk to: the one guard between what a person typed into settings and a socket.
//!
//! It judges twice. [`Guard::check`] reads the text before anything is resolved; [`Guard::may_connect`] sees each
//! address a name resolved to, at connect time, so that a name cannot change its mind in between.

mod addresses;

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use url::{Host, Url};

/// The longest address that is read; next-page links of a CRM stay far below it.
const LONGEST: usize = 8192;

/// Names that only mean something inside a private network, as last label or as the last two.
const LOCAL_ENDINGS: [&str; 10] = [
    "localhost",
    "local",
    "internal",
    "localdomain",
    "lan",
    "intranet",
    "corp",
    "home",
    "private",
    "home.arpa",
];

/// The guard. Cheap to copy; every client holds the same one.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    allow_insecure: bool,
    /// The one place on this machine that is played by ourselves.
    own: Option<SocketAddr>,
}

/// Why an address is not used, in words that say what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Something unprintable: the parser would drop some of it silently and read another address than a person sees.
    #[error("the address holds a blank or an invisible character: type it again instead of pasting it")]
    Invisible,
    /// No absolute web address.
    #[error("this is not a web address: it should look like https://name.example")]
    NotAnAddress,
    /// Over the length that is read.
    #[error("the address is too long: leave away everything behind the path")]
    TooLong,
    /// Another scheme.
    #[error("the address must begin with https://")]
    NotHttps,
    /// `user:password@`.
    #[error("the address must not hold a user name or password: put credentials into their own fields")]
    User,
    /// `#…`.
    #[error("the address must not hold a fragment: leave away everything from # on")]
    Fragment,
    /// Another port than https's own.
    #[error("the address must not name a port: only the standard port 443 is used")]
    Port,
    /// A number instead of a name, in any notation.
    #[error("the address must name a host, not an IP address")]
    IpAddress,
    /// A name of a private network or of this machine.
    #[error(
        "the host name belongs to a private network: a public name such as mycompany.creatio.com is needed"
    )]
    PrivateName,
    /// `example.com.`: certificates and cookies treat it as another host.
    #[error("the host name ends with a dot: leave it away")]
    TrailingDot,
}

impl Guard {
    /// A guard. `allow_insecure` additionally accepts plain http, any port and loopback addresses, for sandboxes
    /// on one's own machine; nothing else that is private.
    #[must_use]
    pub const fn new(allow_insecure: bool) -> Self {
        Self { allow_insecure, own: None }
    }

    /// The same, which additionally accepts this one address of ours over plain http: a sandbox in this very process.
    #[must_use]
    pub const fn with_own(self, own: SocketAddr) -> Self {
        Self { own: Some(own), ..self }
    }

    /// Reads an address. Resolves no names.
    pub fn check(&self, text: &str) -> Result<Url, Refused> {
        if text.len() > LONGEST {
            return Err(Refused::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(Refused::Invisible);
        }
        if authority(text)?.contains('@') {
            return Err(Refused::User);
        }
        let url = Url::parse(text).map_err(|_| Refused::NotAnAddress)?;
        self.check_url(&url)?;
        Ok(url)
    }

    /// Judges an address that was parsed before, such as that of a request about to leave.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if self.is_own(url) {
            return Ok(());
        }
        // The scheme first: for others than http and https the parser leaves `127.0.0.1` a mere name.
        if url.scheme() != "https" && !(self.allow_insecure && url.scheme() == "http") {
            return Err(Refused::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::User);
        }
        if url.fragment().is_some() {
            return Err(Refused::Fragment);
        }
        self.check_host(url)?;
        // The parser drops the scheme's own port, so any that is left is another one.
        if url.port().is_some() && !self.allow_insecure { Err(Refused::Port) } else { Ok(()) }
    }

    fn is_own(&self, url: &Url) -> bool {
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::from(ip),
            Some(Host::Ipv6(ip)) => IpAddr::from(ip),
            Some(Host::Domain(_)) | None => return false,
        };
        let plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
        let here = url.port_or_known_default().map(|port| SocketAddr::new(ip, port));
        plain && url.fragment().is_none() && here.is_some() && here == self.own
    }

    fn check_host(&self, url: &Url) -> Result<(), Refused> {
        match url.host().ok_or(Refused::NotAnAddress)? {
            Host::Ipv4(ip) => self.check_literal(ip.into()),
            Host::Ipv6(ip) => self.check_literal(ip.into()),
            Host::Domain("localhost") if self.allow_insecure => Ok(()),
            Host::Domain(name) => check_name(name),
        }
    }

    fn check_literal(&self, ip: IpAddr) -> Result<(), Refused> {
        if self.allow_insecure && ip.is_loopback() { Ok(()) } else { Err(Refused::IpAddress) }
    }

    /// Whether a connection may be made to what a name resolved to.
    #[must_use]
    pub fn may_connect(&self, ip: IpAddr) -> bool {
        addresses::is_public(ip) || (self.allow_insecure && ip.is_loopback())
    }
}

fn check_name(name: &str) -> Result<(), Refused> {
    if name.ends_with('.') {
        return Err(Refused::TrailingDot);
    }
    let ends_locally = LOCAL_ENDINGS
        .iter()
        .any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    if ends_locally || !name.contains('.') { Err(Refused::PrivateName) } else { Ok(()) }
}

/// What stands between `://` and the path. The parser would also accept `https:host` and `https:///host`; a person
/// who writes that has made a mistake.
fn authority(text: &str) -> Result<&str, Refused> {
    let (_, rest) = text.split_once("://").ok_or(Refused::NotAnAddress)?;
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() { Err(Refused::NotAnAddress) } else { Ok(authority) }
}

/// Characters that a person does not see and that the parser drops or maps away: blanks, controls, zero-width and
/// direction-changing characters, soft hyphens, tags.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
        )
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// What the guard makes of an address, for an operator:
/// `{"allowed": bool, "reason": string or null, "normalised": string or null}`.
#[must_use]
pub fn inspect_url(text: &str, allow_insecure: bool) -> Value {
    match Guard::new(allow_insecure).check(text) {
        Ok(url) => json!({ "allowed": true, "reason": null, "normalised": normalised(&url) }),
        Err(refused) => json!({ "allowed": false, "reason": refused.to_string(), "normalised": null }),
    }
}

/// The form in which a base address is kept: origin and path, without a slash at the end.
#[must_use]
pub fn normalised(url: &Url) -> String {
    let whole = format!("{}{}", url.origin().ascii_serialization(), url.path());
    whole.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests;
