//! A browser: TLS, cookies, forms. It follows no redirect by itself, and believes any certificate.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes, client::conn::http1, header::HeaderMap};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) language: &'static str,
    /// `Sec-Fetch-Site` of what is sent.
    pub(crate) site: Option<&'static str>,
    pub(crate) origin: Option<String>,
    pub(crate) bearer: Option<String>,
    pub(crate) looks: bool,
    /// `Range` of what is asked for.
    pub(crate) range: Option<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) to: Option<String>,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
            language: "en",
            site: Some("same-origin"),
            origin: None,
            bearer: None,
            looks: false,
            range: None,
        }
    }

    /// Looks at a page as its script does: nothing that is said once is heard.
    pub(crate) async fn look(&self, path: &str) -> Answer {
        Self { looks: true, ..self.thief() }.get(path).await
    }

    /// Another browser that has stolen the cookies of this one.
    pub(crate) fn thief(&self) -> Self {
        Self { cookies: self.cookies.clone(), ..Self::new(self.address) }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Vec::new()).await
    }

    /// Sends a form with the token that is on the page `from`.
    pub(crate) async fn submit(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(from).await;
        let mut all = vec![("form", token.as_str())];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    /// The token of the forms on a page.
    pub(crate) async fn token(&mut self, from: &str) -> String {
        let page = self.get(from).await;
        page.between("name=\"form\" value=\"", "\"")
            .unwrap_or_else(|| panic!("no form on {from}: {}", page.body))
    }

    /// Sends a form as it is.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, Some("application/x-www-form-urlencoded"), body.into_bytes()).await
    }

    /// Sends files; the token comes first.
    pub(crate) async fn upload(&mut self, from: &str, path: &str, files: &[(&str, &[u8])]) -> Answer {
        let token = self.token(from).await;
        self.upload_as(&token, path, files).await
    }

    /// Sends files with this token, whosever it is.
    pub(crate) async fn upload_as(&mut self, token: &str, path: &str, files: &[(&str, &[u8])]) -> Answer {
        let (kind, body) = multipart(token, files);
        self.send(Method::POST, path, Some(&kind), body).await
    }

    /// The head of an upload as it goes over the wire, with `length` as the header that says how much comes.
    pub(crate) fn upload_head(&self, path: &str, length: &str) -> String {
        let session = &self.cookies["__Host-session"];
        format!(
            "POST {path} HTTP/1.1\r\nHost: desk\r\nCookie: __Host-session={session}\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=cut\r\n\
             {length}\r\n\r\n"
        )
    }

    /// Announces an upload of so many bytes and sends none of them; how the answer begins.
    pub(crate) async fn announce(&self, path: &str, bytes: u64) -> String {
        let mut stream = self.connect().await;
        let head = self.upload_head(path, &format!("Content-Length: {bytes}"));
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).await.unwrap();
        String::from_utf8_lossy(&begin).into_owned()
    }

    /// Sends fields and then a file, in this order; the token comes first.
    pub(crate) async fn upload_with(
        &mut self,
        from: &str,
        path: &str,
        fields: &[(&str, &str)],
        file: &[u8],
    ) -> Answer {
        let parts: Vec<(&str, &[u8])> = fields.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        self.upload(from, path, &[&parts[..], &[("file", file)]].concat()).await
    }

    pub(crate) async fn set_up(&mut self, code: &str, name: &str, password: &str) -> Answer {
        let fields = [("code", code), ("name", name), ("password", password), ("password-again", password)];
        self.submit("/setup", "/setup", &fields).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.submit("/sign-in", "/sign-in", &[("name", name), ("password", password), ("to", "/")]).await
    }

    /// Asks the API.
    pub(crate) async fn api(
        &mut self,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Answer {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send(method, path, Some("application/json"), bytes).await
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let mut request =
            Request::builder().method(&method).uri(path).header("host", self.address.to_string());
        request = request.header("accept-language", self.language).header("user-agent", "test <browser>");
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(site) = self.site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        if self.looks {
            request = request.header("x-frontdesk-look", "1");
        }
        if let Some(range) = self.range {
            request = request.header("range", range);
        }
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let stream = self.connect().await;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driver = tokio::spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        driver.abort();
        self.keep_cookies(&parts.headers);
        let to = parts.headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, bytes: bytes.to_vec(), to }
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        self.try_connect().await.unwrap()
    }

    pub(crate) async fn try_connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("desk").unwrap();
        TlsConnector::from(Arc::new(client())).connect(name, stream).await
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(cookie.contains(word), "{cookie}");
            }
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{cookie}");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
    }
}

impl Answer {
    /// The text between two others.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<String> {
        Some(self.body.split_once(before)?.1.split_once(after)?.0.to_owned())
    }

    pub(crate) fn has(&self, words: &str) -> bool {
        self.body.contains(words)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub(crate) fn multipart(token: &str, files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body =
        format!("--cut\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{token}\r\n").into_bytes();
    for (name, bytes) in files {
        let head = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../../{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--cut--\r\n");
    ("multipart/form-data; boundary=cut".into(), body)
}

fn client() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().dangerous();
    builder.with_custom_certificate_verifier(Arc::new(Credulous)).with_no_client_auth()
}

#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
