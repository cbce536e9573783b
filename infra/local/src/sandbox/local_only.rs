//! Who may see conversations: a browser or a tool on this machine, and nobody who comes through a tunnel.
//!
//! Real webhooks need a public address, usually a tunnel to this port. A tunnel brings its own host name or adds
//! forwarding headers; a web page elsewhere that tries to reach this machine brings its own host name or origin.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Headers that a proxy or tunnel adds.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "true-client-ip", "x-client-ip", "x-original-host", "x-original-url"];
/// The beginnings of further ones: the `X-Forwarded-…` family, Cloudflare, ngrok.
const FORWARDING_FAMILIES: [&str; 4] = ["x-forwarded-", "cf-", "ngrok-", "x-ngrok-"];

/// Lets a request pass that came to this machine under its own name, straight from this machine.
pub async fn local_only(request: Request, next: Next) -> Response {
    match refusal(request.uri(), request.headers()) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
    }
}

fn refusal(uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    if headers.keys().any(|name| is_forwarding(name.as_str())) {
        return Some(
            "This came through a proxy or tunnel. Conversations are shown on this machine only: \
             open http://127.0.0.1 with the port of this server.",
        );
    }
    let mut hosts = headers.get_all("host").iter().map(|host| host.to_str().unwrap_or_default());
    let named = uri.authority().is_none_or(|authority| is_loopback(authority.as_str()));
    let host = hosts.next().is_some_and(is_loopback) && hosts.next().is_none();
    if !(named && host) {
        return Some("The Host header must name this machine: 127.0.0.1, [::1] or localhost.");
    }
    let mut origins = headers.get_all("origin").iter().map(|origin| origin.to_str().unwrap_or_default());
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(is_loopback);
    (!origins.all(own)).then_some("A page from elsewhere may not act here.")
}

fn is_forwarding(name: &str) -> bool {
    FORWARDING.contains(&name) || FORWARDING_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// `127.0.0.1`, `[::1]` or `localhost`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').filter(|(_, after)| is_port(after)).map(|(ip, _)| ip),
        None => {
            Some(host.split_once(':').map_or(host, |(name, port)| if is_number(port) { name } else { "" }))
        }
    };
    bare.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

fn is_port(after: &str) -> bool {
    after.is_empty() || after.strip_prefix(':').is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        refusal(&Uri::from_static("/"), &map).is_none()
    }

    #[test]
    fn this_machine_under_any_of_its_names_passes() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]", "[::1]:8080"] {
            assert!(passes(&[("host", host)]), "{host}");
        }
        assert!(passes(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]));
    }

    #[test]
    fn any_other_name_is_refused() {
        let others = [
            "acme.example",
            "localhost.acme.example",
            "127.0.0.1.acme.example",
            "10.0.0.5:8080",
            "0.0.0.0",
            "",
            "[::1].acme.example",
            "[::2]",
            "127.0.0.1:8080:1",
            "user@localhost",
        ];
        for host in others {
            assert!(!passes(&[("host", host)]), "{host}");
        }
        assert!(!passes(&[]));
        assert!(!passes(&[("host", "localhost"), ("host", "acme.example")]));
    }

    #[test]
    fn what_was_forwarded_is_refused_whatever_its_host() {
        for name in
            ["x-forwarded-for", "x-forwarded-host", "forwarded", "via", "cf-connecting-ip", "x-real-ip"]
        {
            assert!(!passes(&[("host", "localhost"), (name, "127.0.0.1")]), "{name}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_is_refused() {
        for origin in
            ["https://acme.example", "null", "http://acme.example:8080", "https://localhost.acme.example"]
        {
            assert!(!passes(&[("host", "localhost"), ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn an_absolute_address_must_name_this_machine_too() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "localhost".parse().unwrap());
        assert!(refusal(&Uri::from_static("http://acme.example/"), &headers).is_some());
        assert!(refusal(&Uri::from_static("http://localhost/"), &headers).is_none());
    }
}
