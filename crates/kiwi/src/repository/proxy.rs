//! Proxies between the build host and its repositories: from the environment, else from `kiwi.yml`, else from the host's apt.
//!
//! They decide nothing about an image and get into none: they are part of the package manager's own files.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::host::Host;
use crate::runtime_configuration::{ProxySettings, RuntimeConfiguration};

/// The origin of a proxy that is in the configuration of the host's package manager.
const OF_APT: &str = "apt";

/// The proxies of one build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://`.
    pub http: Option<Proxy>,
    /// For `https://`.
    pub https: Option<Proxy>,
    /// Hosts that are reached directly.
    pub exceptions: Vec<String>,
    /// Other lines of the host's configuration of apt: proxies of single hosts, and programs that find one.
    pub of_apt: Vec<String>,
}

/// One proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its URL, with its password; an empty text means none.
    pub url: String,
    /// What specifies it, for messages.
    pub from: &'static str,
}

impl Proxies {
    /// Reads the environment, `kiwi.yml` and the configuration of the host's apt; the first that names a proxy decides.
    pub fn read(host: &Host) -> Result<Self> {
        let settings = RuntimeConfiguration::read(host)?.proxy;
        // Without apt there is nothing to fetch.
        let of_apt = host.command("apt-config").args(["dump", "Acquire"]).output().unwrap_or_default();
        Ok(Self::chosen(&settings, |name| host.variable(name), &of_apt))
    }

    /// `variable` reads the environment; `of_apt` is the output of `apt-config dump`.
    fn chosen(settings: &ProxySettings, variable: impl Fn(&str) -> Option<String>, of_apt: &str) -> Self {
        let variable = |name: &str| variable(name).or_else(|| variable(&name.to_uppercase()));
        let known = of_apt.lines().filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            Some((name.strip_prefix("Acquire::")?, value.trim_end_matches(';').trim_matches('"')))
        });
        let known: Vec<(&str, &str)> = known.filter(|(_, value)| !value.is_empty()).collect();
        let apt = |name: &str| {
            let found = known.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxy = |name: &'static str, setting: &Option<String>, of_apt: Option<String>| {
            let of = |from| move |url: String| Proxy { url: with_scheme(&url), from };
            let environment = variable(name).map(of(name));
            let all = || variable("all_proxy").map(of("all_proxy"));
            let yaml = || setting.clone().map(of("kiwi.yml"));
            environment.or_else(all).or_else(yaml).or_else(|| of_apt.map(of(OF_APT)))
        };
        let http = proxy("http_proxy", &settings.http, apt("http::Proxy"));
        let https = proxy("https_proxy", &settings.https, apt("https::Proxy"));
        let from_apt =
            [&http, &https].iter().all(|found| found.as_ref().is_none_or(|proxy| proxy.from == OF_APT));
        let special = |name: &str| {
            let name = name.to_ascii_lowercase();
            let Some(rest) = name.strip_prefix("http").map(|rest| rest.trim_start_matches('s')) else {
                return false;
            };
            rest.starts_with("::proxy::") || rest == "::proxy-auto-detect" || rest == "::proxyautodetect"
        };
        let lines = known.iter().filter(|(name, _)| from_apt && special(name));
        let exceptions = variable("no_proxy").or_else(|| settings.no_proxy.clone()).unwrap_or_default();
        let words = exceptions.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        Self {
            http,
            https,
            exceptions: words.map(str::to_owned).collect(),
            of_apt: lines.map(|(name, value)| format!("Acquire::{name} \"{value}\";\n")).collect(),
        }
    }

    /// Returns the proxy for a URL, without its password.
    pub fn of(&self, location: &str) -> Option<(String, &'static str)> {
        let (scheme, host) = host_of(location)?;
        let proxy = if scheme == "https" { self.https.as_ref() } else { self.http.as_ref() };
        let proxy = proxy.filter(|proxy| !proxy.url.is_empty() && !self.is_direct(host))?;
        let url = match proxy.url.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or(rest)),
            None => proxy.url.clone(),
        };
        Some((url, proxy.from))
    }

    /// Returns whether a host with an optional port is reached directly. An exception is a host, the end of its name
    /// with or without a dot before it, an address, or `*`; with a port it is for that port only.
    pub fn is_direct(&self, host_and_port: &str) -> bool {
        let host = without_port(host_and_port).trim_matches(['[', ']']).to_ascii_lowercase();
        self.exceptions.iter().any(|exception| {
            let exception = exception.to_ascii_lowercase();
            let exception = match exception.rsplit_once(':') {
                Some((name, port)) if is_port(port) && !name.contains(':') => {
                    if !host_and_port.ends_with(&format!(":{port}")) {
                        return false;
                    }
                    name.to_owned()
                }
                _ => exception,
            };
            let name = exception.trim_start_matches('*').trim_start_matches('.').trim_matches(['[', ']']);
            let is_end =
                || host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            exception == "*" || (!name.is_empty() && is_end()) || in_network(&host, &exception)
        })
    }

    /// Returns apt's configuration for these locations of repositories and keys; other hosts, to which a server
    /// redirects, use the proxies, too.
    pub fn apt_conf<'a>(&self, locations: impl Iterator<Item = &'a str>) -> String {
        let mut lines = BTreeMap::new();
        let every = self.exceptions.iter().any(|exception| exception == "*");
        for (scheme, proxy) in [("http", &self.http), ("https", &self.https)] {
            let url = proxy.as_ref().map(|proxy| proxy.url.as_str());
            match url.map(|url| if every { "" } else { url }) {
                Some("") => lines.insert(format!("Acquire::{scheme}::Proxy"), "DIRECT".to_owned()),
                Some(url) => lines.insert(format!("Acquire::{scheme}::Proxy"), url.to_owned()),
                None => None,
            };
        }
        for location in locations {
            let Some((_, host)) = host_of(location).filter(|(_, host)| self.is_direct(host)) else {
                continue;
            };
            // apt uses the settings of http for https, too, unless it has others.
            for scheme in ["http", "https"] {
                lines
                    .insert(format!("Acquire::{scheme}::Proxy::{}", without_port(host)), "DIRECT".to_owned());
            }
        }
        let own = lines.iter().map(|(name, value)| format!("{name} \"{}\";\n", value.replace('"', "%22")));
        self.of_apt.iter().cloned().chain(own).collect()
    }

    /// Returns the value of `no_proxy` for apt, which compares the ends of names.
    pub fn no_proxy(&self) -> String {
        let ends: Vec<&str> =
            self.exceptions.iter().map(|exception| exception.trim_start_matches('*')).collect();
        ends.join(",")
    }
}

/// Returns scheme, and host with port, of a URL.
fn host_of(location: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = location.split_once("://")?;
    Some((scheme, rest.split('/').next().unwrap_or(rest)))
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

/// Returns whether a host is an address in a network such as `10.0.0.0/8`.
fn in_network(host: &str, network: &str) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(host), Ok(base), Ok(bits)) =
        (host.parse::<std::net::Ipv4Addr>(), base.parse::<std::net::Ipv4Addr>(), bits.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
    bits <= 32 && u32::from(host) & mask == u32::from(base) & mask
}

/// Returns the URL of a proxy that may be written without its scheme.
fn with_scheme(proxy: &str) -> String {
    let proxy = proxy.trim().trim_end_matches('/');
    if proxy.is_empty() || proxy.eq_ignore_ascii_case("direct") {
        String::new()
    } else if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_hosts_ends_of_names_addresses_and_networks() {
        let exceptions = ["localhost", ".corp.example", "mirror.example:8080", "10.0.0.0/8", "::1", "*.lan"];
        let proxies = Proxies { exceptions: exceptions.map(str::to_owned).to_vec(), ..Proxies::default() };
        for host in [
            "localhost",
            "localhost:3142",
            "a.corp.example",
            "corp.example",
            "Mirror.example:8080",
            "10.1.2.3:80",
            "[::1]:80",
            "b.lan",
        ] {
            assert!(proxies.is_direct(host), "{host}");
        }
        for host in
            ["mylocalhost", "acorp.example", "mirror.example", "mirror.example:80", "11.1.2.3", "[::2]:80"]
        {
            assert!(!proxies.is_direct(host), "{host}");
        }
        let every = Proxies { exceptions: vec!["*".to_owned()], ..Proxies::default() };
        assert!(every.is_direct("a.example"));
    }

    /// The proxies with these variables and this configuration of apt, and `http://yml.example` in `kiwi.yml`.
    fn chosen(variables: &[(&str, &str)], of_apt: &str) -> Proxies {
        let settings =
            ProxySettings { http: Some("http://yml.example".to_owned()), ..ProxySettings::default() };
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Proxies::chosen(&settings, variable, of_apt)
    }

    #[test]
    fn the_environment_comes_before_kiwi_yml_and_that_before_apt() {
        let of_apt =
            "Acquire::http::Proxy \"http://apt.example\";\nAcquire::https::Proxy \"http://tls.example\";\n";
        let from = |proxies: &Proxies, url: &str| proxies.of(url);
        let proxies =
            chosen(&[("HTTP_PROXY", "http://u:secret@env.example:1"), ("no_proxy", "a.example")], of_apt);
        assert_eq!(
            from(&proxies, "http://m.example/x"),
            Some(("http://env.example:1".to_owned(), "http_proxy"))
        );
        assert_eq!(from(&proxies, "http://a.example/x"), None);
        let proxies = chosen(&[], of_apt);
        assert_eq!(from(&proxies, "http://m.example"), Some(("http://yml.example".to_owned(), "kiwi.yml")));
        let tls = Some(("http://tls.example".to_owned(), OF_APT));
        assert_eq!(from(&proxies, "https://m.example"), tls);
    }

    #[test]
    fn proxies_of_single_hosts_of_apt_apply_unless_the_user_chose_a_proxy() {
        let of_apt = "Acquire::http::Proxy::m.example \"DIRECT\";\nAcquire::http::Proxy-Auto-Detect \"/usr/bin/find\";\n\
                      Acquire::http::Timeout \"1\";\n";
        let settings = ProxySettings::default();
        let proxies = Proxies::chosen(&settings, |_| None, of_apt);
        assert_eq!(
            proxies.apt_conf(std::iter::empty()),
            "Acquire::http::Proxy::m.example \"DIRECT\";\nAcquire::http::Proxy-Auto-Detect \"/usr/bin/find\";\n"
        );
        assert_eq!(
            chosen(&[], of_apt).apt_conf(std::iter::empty()),
            "Acquire::http::Proxy \"http://yml.example\";\n"
        );
    }

    #[test]
    fn apt_gets_proxies_and_the_hosts_without_one() {
        let variables = [
            ("http_proxy", "proxy.example:3128/"),
            ("https_proxy", "DIRECT"),
            ("no_proxy", "direct.example"),
        ];
        let proxies = chosen(&variables, "");
        let locations = ["http://direct.example:81/x", "https://other.example/y", "/srv/z"];
        let expected = "Acquire::http::Proxy \"http://proxy.example:3128\";\n\
                        Acquire::http::Proxy::direct.example \"DIRECT\";\n\
                        Acquire::https::Proxy \"DIRECT\";\n\
                        Acquire::https::Proxy::direct.example \"DIRECT\";\n";
        assert_eq!(proxies.apt_conf(locations.into_iter()), expected);
    }
}
