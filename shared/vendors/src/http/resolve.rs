//! Turns a host name into addresses, and refuses the name when any of them is not public.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::Guard;

/// The resolver of the one HTTP client.
pub(super) struct GuardedNames {
    guard: Guard,
}

/// The name leads somewhere we do not go.
#[derive(Debug, thiserror::Error)]
#[error("the host name leads to a private or reserved address: only public hosts are called")]
struct PrivateAddress;

impl GuardedNames {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard;
        Box::pin(async move {
            // Port 0 is replaced by the URL's.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let passed = all_or_none(guard, found)?;
            Ok(Box::new(passed.into_iter()) as Addrs)
        })
    }
}

/// All must pass: an attacker's name server could mix one public address with a private one.
fn all_or_none(guard: Guard, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, PrivateAddress> {
    let passes = found.iter().all(|address| guard.may_connect(address.ip()));
    if passes { Ok(found) } else { Err(PrivateAddress) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_spoils_the_name() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let strict = Guard::new(false);
        assert!(all_or_none(strict, addresses(&["8.8.8.8:0", "[2606:4700::1111]:0"])).is_ok());
        assert!(all_or_none(strict, addresses(&["8.8.8.8:0", "10.0.0.8:0"])).is_err());
        assert!(all_or_none(strict, addresses(&["127.0.0.1:0", "8.8.8.8:0"])).is_err());
        assert!(all_or_none(Guard::new(true), addresses(&["127.0.0.1:0", "[::1]:0"])).is_ok());
    }
}
