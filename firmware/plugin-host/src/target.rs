//! Where a URL leads: scheme, host and port, read the same way for web servers and for directories. Whether a
//! plugin may go there is `grants`.

use url::{Host, Url};

use crate::grants::Refusal;

/// What is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// HTTP in TLS.
    Https,
    /// With StartTLS, or plain where that was granted (RFC 4511 section 4.14).
    Ldap,
    /// LDAP in TLS.
    Ldaps,
}

impl Scheme {
    /// By its name in a URL.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            "ldap" => Some(Self::Ldap),
            "ldaps" => Some(Self::Ldaps),
            _ => None,
        }
    }

    /// Its name in a URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ldap => "ldap",
            Self::Ldaps => "ldaps",
        }
    }

    /// TLS from the first byte.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Ldaps)
    }

    /// A directory's, not a web server's.
    #[must_use]
    pub fn is_ldap(self) -> bool {
        matches!(self, Self::Ldap | Self::Ldaps)
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Ldap => 389,
            Self::Ldaps => 636,
        }
    }
}

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is spoken there.
    pub scheme: Scheme,
    /// Name in lower case without a dot at its end, or an address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Target {
    /// Reads a URL of any known scheme, its host the way a browser does.
    ///
    /// # Errors
    /// [`Refusal::BadUrl`].
    pub fn of(url: &Url) -> Result<Self, Refusal> {
        let scheme = Scheme::of(url.scheme()).ok_or(Refusal::BadUrl("a scheme that is not offered"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::BadUrl("a user or password in it"));
        }
        // A browser knows nothing of ldap, and would leave 2130706433 a name: all are read as http.
        let plain = url.host_str().and_then(|host| Url::parse(&format!("http://{host}/")).ok());
        let host = match plain.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Refusal::BadUrl("no host")),
        };
        if host.is_empty() {
            return Err(Refusal::BadUrl("no host"));
        }
        Ok(Self { scheme, host, port: url.port().unwrap_or(scheme.port()) })
    }

    /// Of a web server only.
    ///
    /// # Errors
    /// [`Refusal::BadUrl`].
    pub fn of_web(url: &Url) -> Result<Self, Refusal> {
        match Self::of(url) {
            Ok(target) if !target.scheme.is_ldap() => Ok(target),
            Ok(_) | Err(Refusal::BadUrl("a scheme that is not offered")) => {
                Err(Refusal::BadUrl("neither http nor https"))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Of a directory only.
    ///
    /// # Errors
    /// [`Refusal::BadUrl`].
    pub fn of_directory(url: &Url) -> Result<Self, Refusal> {
        Self::of(url)
            .ok()
            .filter(|target| target.scheme.is_ldap())
            .ok_or(Refusal::BadUrl("neither ldap nor ldaps"))
    }

    /// `scheme://host:port`.
    #[must_use]
    pub fn place(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}://{host}:{}", self.scheme.name(), self.port)
    }
}
