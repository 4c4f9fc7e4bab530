//! Who the client is, where requests come through proxies.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::common::net::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// The proxies whose word is taken. Anybody can send the headers, so only what a trusted proxy has added to them counts.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// These; what is no address and no network is left out (the configuration refuses it).
    #[must_use]
    pub fn new(networks: &[String]) -> Self {
        Self(networks.iter().filter_map(|network| network.parse().ok()).collect())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client of a request that `peer` brought: `peer` itself, or what the trusted proxies say, from the nearest to the
    /// farthest, until one of them names somebody who is not trusted. What cannot be read ends the search.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        // A proxy writes one of them; with both, the client may have written the other.
        let hops = if headers.contains_key(X_FORWARDED_FOR) { forwarded_for(headers) } else { forwarded(headers) };
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The hops of `X-Forwarded-For`, the nearest last; none for what is no address.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    headers.get_all(X_FORWARDED_FOR).flat_map(|value| value.to_str().unwrap_or("?").split(',')).map(address).collect()
}

/// The same of `Forwarded`. Source: RFC 7239, section 4.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let elements = headers.get_all(FORWARDED).flat_map(|value| value.to_str().unwrap_or("?").split(','));
    elements.map(|element| element.split(';').find_map(|pair| named(pair, "for")).and_then(address)).collect()
}

fn named<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = pair.split_once('=')?;
    key.trim().eq_ignore_ascii_case(name).then_some(value)
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`, also in quotes.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip())).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::TrustedProxies;

    /// Who connects, what headers came, and who the client is.
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

    #[test]
    fn the_client_is_the_nearest_address_that_is_not_trusted() {
        let trusted = TrustedProxies::new(&["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()]);
        let (proxy, stranger) = ("10.0.0.1", "203.0.113.7");
        let table: &[Case] = &[
            (stranger, &[], stranger),
            (proxy, &[], proxy),
            // A stranger may say what it likes.
            (stranger, &[("x-forwarded-for", "198.51.100.1")], stranger),
            (stranger, &[("forwarded", "for=198.51.100.1")], stranger),
            (proxy, &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("fd00::1", &[("x-forwarded-for", "2001:db8::9")], "2001:db8::9"),
            // What stands before the nearest stranger is that stranger's own word.
            (proxy, &[("x-forwarded-for", "1.2.3.4, 198.51.100.1")], "198.51.100.1"),
            (proxy, &[("x-forwarded-for", "1.2.3.4, 198.51.100.1, 10.2.2.2 ,10.3.3.3")], "198.51.100.1"),
            (proxy, &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.1,10.2.2.2")], "198.51.100.1"),
            (proxy, &[("x-forwarded-for", "nonsense, 198.51.100.1")], "198.51.100.1"),
            // Trusted all the way: the farthest.
            (proxy, &[("x-forwarded-for", "10.9.9.9, 10.2.2.2")], "10.9.9.9"),
            // What cannot be read is ignored, with all that stands before it.
            (proxy, &[("x-forwarded-for", "nonsense")], proxy),
            (proxy, &[("x-forwarded-for", "")], proxy),
            (proxy, &[("x-forwarded-for", "198.51.100.1, nonsense")], proxy),
            (proxy, &[("x-forwarded-for", "198.51.100.1, nonsense, 10.2.2.2")], "10.2.2.2"),
            (proxy, &[("x-forwarded-for", "198.51.100.1,")], proxy),
            // Ports and brackets.
            (proxy, &[("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1"),
            (proxy, &[("x-forwarded-for", "[2001:db8::9]:4711")], "2001:db8::9"),
            (proxy, &[("x-forwarded-for", "::ffff:198.51.100.1")], "198.51.100.1"),
            // RFC 7239.
            (proxy, &[("forwarded", "for=198.51.100.1;proto=https;by=10.0.0.1")], "198.51.100.1"),
            (proxy, &[("forwarded", "For=\"[2001:db8::9]:4711\"")], "2001:db8::9"),
            (proxy, &[("forwarded", "for=1.2.3.4, for=198.51.100.1;proto=http, proto=http;for=10.2.2.2")], "198.51.100.1"),
            (proxy, &[("forwarded", "for=unknown")], proxy),
            (proxy, &[("forwarded", "for=_hidden, for=10.2.2.2")], "10.2.2.2"),
            (proxy, &[("forwarded", "proto=https")], proxy),
            // One of the two only.
            (proxy, &[("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=1.2.3.4")], "198.51.100.1"),
        ];
        for (peer, sent, client) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *sent {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(trusted.client(peer.parse().unwrap(), &headers).to_string(), *client, "{peer} {sent:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static("198.51.100.1"));
        assert_eq!(TrustedProxies::default().client(proxy.parse().unwrap(), &headers).to_string(), proxy, "nobody is trusted by default");
    }
}
