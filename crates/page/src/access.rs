//! Which requests come from the page itself, and from somebody who may.
//!
//! A browser sends anybody's page to any address. Three things keep such pages out: the host must be one
//! that no name server can point elsewhere (*DNS rebinding*), what changes something must come from the
//! page's own origin (*cross-site requests*), and where others than this machine's users can connect, a
//! session is needed that only a token opens.

use std::net::{IpAddr, SocketAddr};

/// Most sessions that are open at a time; the oldest is closed for a newer one.
const MOST_SESSIONS: usize = 16;

/// Whether a `Host` header is an address or `localhost`, on whatever port: a tunnel may have another.
///
/// ```
/// use tiller_page::access::is_host;
/// assert!(is_host("127.0.0.1:8180") && is_host("[::1]:8180") && is_host("localhost"));
/// assert!(!is_host("evil.example:8180") && !is_host("localhost.evil.example"));
/// ```
#[must_use]
pub fn is_host(host: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let is_local = match host.strip_prefix("localhost") {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(is_port),
        None => false,
    };
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    is_local
        || host.parse::<SocketAddr>().is_ok()
        || host.parse::<std::net::Ipv4Addr>().is_ok()
        || in_brackets.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Whether an `Origin` header is that of the page which was served under this `Host`. A request
/// without one is not.
#[must_use]
pub fn is_same_origin(origin: Option<&str>, host: &str) -> bool {
    let rest = origin.and_then(|origin| origin.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
}

/// Whether everybody who can connect to this address is on this machine.
#[must_use]
pub fn is_of_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Who may come in.
#[derive(Debug, Default)]
pub struct Access {
    /// None where everybody who can connect may.
    token: Option<String>,
    sessions: Vec<String>,
}

impl Access {
    /// Everybody may who has opened a session with this token.
    #[must_use]
    pub fn with_token(token: String) -> Self {
        Self {
            token: Some(token),
            sessions: Vec::new(),
        }
    }

    /// Whether a session is needed.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.token.is_some()
    }

    /// Opens the session `fresh` if the token is right.
    pub fn open(&mut self, token: &str, fresh: String) -> bool {
        let is_right = match &self.token {
            None => true,
            Some(expected) => is_same(expected, token),
        };
        if is_right {
            if self.sessions.len() >= MOST_SESSIONS {
                self.sessions.remove(0);
            }
            self.sessions.push(fresh);
        }
        is_right
    }

    /// Whether a request with these cookies may: `Cookie` headers, as they came.
    #[must_use]
    pub fn admits<'a>(&self, cookies: impl Iterator<Item = &'a str>) -> bool {
        if self.token.is_none() {
            return true;
        }
        let mut pairs = cookies.flat_map(|header| header.split(';'));
        pairs.any(|pair| match pair.trim().split_once('=') {
            Some((COOKIE, value)) => self.sessions.iter().any(|known| is_same(known, value)),
            _ => false,
        })
    }
}

/// The cookie that holds a session.
pub const COOKIE: &str = "tiller_session";

/// Compared without telling by the time it takes how much of it is right.
fn is_same(expected: &str, found: &str) -> bool {
    let (expected, found) = (expected.as_bytes(), found.as_bytes());
    let differences = expected
        .iter()
        .zip(found)
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    expected.len() == found.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_name_server_could_point_elsewhere_are_no_hosts() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:80",
            "192.168.1.7:8180",
            "[::1]",
            "[fe80::1]:8180",
            "localhost:9000",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "",
            "robot",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost:",
            "localhost:99999",
            "localhost@evil.example",
            "localhostx",
            "127.0.0.1:80@evil.example",
            "2130706433",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn only_the_page_itself_is_of_the_same_origin() {
        let host = "127.0.0.1:8180";
        assert!(is_same_origin(Some("http://127.0.0.1:8180"), host));
        for origin in [
            None,
            Some("null"),
            Some("http://127.0.0.1:8181"),
            Some("https://127.0.0.1:8180"),
            Some("http://127.0.0.1:8180.evil.example"),
            Some("http://evil.example"),
            Some("http://127.0.0.1:8180/"),
        ] {
            assert!(!is_same_origin(origin, host), "{origin:?}");
        }
    }

    #[test]
    fn a_session_is_opened_by_the_token_alone() {
        let mut access = Access::with_token("secret".into());
        assert!(!access.admits(std::iter::empty()));
        assert!(!access.open("secre", "a".into()));
        assert!(!access.open("secrets", "a".into()));
        assert!(!access.admits(["tiller_session=a"].into_iter()));
        assert!(access.open("secret", "b".into()));
        assert!(access.admits(["x=1; tiller_session=b"].into_iter()));
        assert!(!access.admits(["tiller_session=secret", "tiller_session="].into_iter()));
        for n in 0..MOST_SESSIONS {
            assert!(access.open("secret", format!("later {n}")));
        }
        assert!(!access.admits(["tiller_session=b"].into_iter()), "closed");
    }

    #[test]
    fn without_a_token_nobody_needs_a_session() {
        assert!(Access::default().admits(std::iter::empty()));
        assert!(is_of_this_machine([127, 0, 0, 9].into()));
        assert!(is_of_this_machine("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!is_of_this_machine([0, 0, 0, 0].into()));
    }
}
