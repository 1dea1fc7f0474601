//! A client of a token server, as the manifest and the settings make it: where it asks, and the forms it sends. No
//! network here.

use std::collections::BTreeSet;

use url::Url;
use url::form_urlencoded::Serializer;

use crate::grants::Target;
use crate::manifest::{Auth, AuthKind, Filled, Manifest};
use crate::settings::Kind;

/// Who asks a token server, and where.
pub(crate) struct Client {
    kind: AuthKind,
    token_url: Url,
    device_url: Option<Url>,
    net: String,
    /// The servers that its tokens are sent to.
    places: BTreeSet<String>,
    id: String,
    secret: Option<String>,
    needs_secret: bool,
    scope: Option<String>,
    parameters: Vec<(String, String)>,
}

/// The body of a request, and what must be known of it.
pub(crate) struct Form(pub(crate) String);

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Form")
    }
}

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Client {
    /// From an entry of the manifest and what was filled in; or why it makes none.
    pub(crate) fn of(manifest: &Manifest, auth: &Auth, filled: &Filled) -> Result<Self, String> {
        let text = |key: &Option<String>| Some(filled.open.get(key.as_ref()?)?.as_str()?.trim().to_owned());
        let base = match &auth.token_url_setting {
            Some(key) => {
                let missing = || format!("the address of the token server ({key}) is not filled in");
                Some(filled.open.get(key).and_then(serde_json::Value::as_str).ok_or_else(missing)?)
            }
            None => None,
        };
        let at = |whole: &Option<String>, path: &Option<String>| {
            let template = whole.as_ref().or(path.as_ref());
            template.map(|template| address(base, template, filled)).transpose()
        };
        let token_url = at(&auth.token_url, &auth.token_path)?.ok_or("it has no token server")?;
        let device_url = at(&auth.device_url, &auth.device_path)?;
        let id = text(&auth.user_setting).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| format!("the client id of {} is not filled in", auth.id))?;
        let secret = auth.secret_setting.as_ref().and_then(|key| filled.secrets.get(key)).cloned();
        let scope = auth.scope.as_ref().map(|scope| placed(scope, filled, str::to_owned)).transpose()?;
        let parameter = |(key, value): (&String, &String)| {
            Ok::<_, String>((key.clone(), placed(value, filled, str::to_owned)?))
        };
        let parameters = auth.parameters.iter().map(parameter).collect::<Result<_, _>>()?;
        Ok(Self {
            kind: auth.kind,
            token_url,
            device_url,
            net: auth.token_net.clone().unwrap_or_default(),
            places: places(manifest, auth, filled),
            id,
            secret: secret.filter(|secret| !secret.is_empty()),
            needs_secret: auth.kind == AuthKind::OauthClientCredentials,
            scope,
            parameters,
        })
    }

    pub(crate) fn kind(&self) -> AuthKind {
        self.kind
    }

    /// Where tokens come from.
    pub(crate) fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Where a sign-in begins.
    pub(crate) fn device_url(&self) -> Option<&Url> {
        self.device_url.as_ref()
    }

    /// The `[[net]]` entry of both.
    pub(crate) fn net(&self) -> &str {
        &self.net
    }

    /// What somebody has signed in for: this client at this token server, and tokens for these servers. Neither whoever
    /// changes a setting nor a new version gets a token for another one.
    pub(crate) fn bound_to(&self) -> String {
        let places: Vec<&str> = self.places.iter().map(String::as_str).collect();
        format!("{} {} {}", self.id, self.token_url, places.join(" "))
    }

    /// RFC 6749 section 4.4.2.
    pub(crate) fn credentials(&self) -> Result<Form, String> {
        self.form(&[("grant_type", "client_credentials")], true)
    }

    /// RFC 6749 section 6.
    pub(crate) fn refresh(&self, refresh: &str) -> Result<Form, String> {
        self.form(&[("grant_type", "refresh_token"), ("refresh_token", refresh)], true)
    }

    /// RFC 8628 section 3.1.
    pub(crate) fn device(&self) -> Result<Form, String> {
        self.form(&[], true)
    }

    /// RFC 8628 section 3.4.
    pub(crate) fn poll(&self, device_code: &str) -> Result<Form, String> {
        self.form(&[("grant_type", DEVICE_GRANT), ("device_code", device_code)], false)
    }

    fn form(&self, fields: &[(&str, &str)], scoped: bool) -> Result<Form, String> {
        if self.needs_secret && self.secret.is_none() {
            return Err("the client secret is not filled in".to_owned());
        }
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        form.append_pair("client_id", &self.id);
        if let Some(secret) = &self.secret {
            form.append_pair("client_secret", secret);
        }
        if let Some(scope) = self.scope.as_ref().filter(|_| scoped) {
            form.append_pair("scope", scope);
        }
        form.extend_pairs(&self.parameters);
        Ok(Form(form.finish()))
    }
}

/// What is wrong with such an entry of a manifest.
pub(crate) fn check(auth: &Auth, manifest: &Manifest) -> Result<(), &'static str> {
    let kind_of = |key: &String| manifest.setting(key).map(|setting| setting.kind);
    let is_net = |id: &String| manifest.net.iter().any(|net| net.id == *id);
    if auth.user_setting.as_ref().and_then(kind_of) != Some(Kind::Text) {
        return Err("user-setting must name a setting of type text, for the client id");
    }
    if !auth.token_net.as_ref().is_some_and(is_net) {
        return Err("token-net must name the entry of [[net]] of the token server");
    }
    if let Some(key) = &auth.token_url_setting
        && kind_of(key) != Some(Kind::Url)
    {
        return Err("token-url-setting must name a setting of type url");
    }
    let with_setting = auth.token_url_setting.is_some();
    let device = auth.kind == AuthKind::OauthDeviceCode;
    if auth.token_path.is_some() != with_setting || auth.token_url.is_some() == with_setting {
        return Err("either token-url, or token-url-setting with token-path");
    }
    if auth.device_path.is_some() != (with_setting && device)
        || auth.device_url.is_some() != (!with_setting && device)
    {
        return Err("device-path or device-url, as for the token, belongs to oauth-device-code");
    }
    let places = [&auth.token_url, &auth.device_url].into_iter().flatten();
    if !places.clone().all(|place| is_address(place)) {
        return Err("token-url and device-url are https addresses without placeholders in the server's name");
    }
    let paths = [&auth.token_path, &auth.device_path].into_iter().flatten();
    if !paths.clone().all(|path| path.starts_with('/') && !path.starts_with("//")) {
        return Err("token-path and device-path begin with one /");
    }
    let in_address = |key: &str| kind_of(&key.to_owned()) == Some(Kind::Text);
    let in_form = |key: &str| matches!(kind_of(&key.to_owned()), Some(Kind::Text | Kind::Url | Kind::Choice));
    let forms = auth.scope.iter().chain(auth.parameters.values());
    if !places.chain(paths).all(|text| names(text).all(in_address))
        || !forms.flat_map(|text| names(text)).all(in_form)
    {
        return Err(
            "{placeholders} name settings of type text; in scope and parameters url and choice as well",
        );
    }
    if auth.parameters.len() > 16 {
        return Err("at most 16 parameters");
    }
    Ok(())
}

/// The servers of the `[[net]]` entries that get its tokens.
fn places(manifest: &Manifest, auth: &Auth, filled: &Filled) -> BTreeSet<String> {
    let typed = |key: &String| {
        let text = filled.open.get(key)?.as_str()?;
        let target = Url::parse(text).ok().and_then(|url| Target::of(&url).ok());
        Some(target.map_or_else(|| text.to_owned(), |target| target.place()))
    };
    let nets = manifest.net.iter().filter(|net| auth.net.contains(&net.id));
    nets.flat_map(|net| net.hosts.iter().cloned().chain(net.from_setting.as_ref().and_then(typed))).collect()
}

fn is_address(place: &str) -> bool {
    let rest = place.strip_prefix("https://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    !host.contains(['{', '}'])
        && Url::parse(place).is_ok_and(|url| Target::of_web(&url).is_ok() && url.scheme() == "https")
}

/// The settings between braces.
fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default())
}

/// The template behind the place that was typed, or a whole address.
fn address(base: Option<&str>, template: &str, filled: &Filled) -> Result<Url, String> {
    let segment = |value: &str| -> String {
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
    };
    let text = placed(template, filled, segment)?;
    let wrong = |_| "the address of the token server is none".to_owned();
    match base {
        // What was typed says which server, not which path.
        Some(base) => Url::parse(base).and_then(|base| base.join(&text)).map_err(wrong),
        None => Url::parse(&text).map_err(wrong),
    }
}

/// A template with the values of its settings.
fn placed(template: &str, filled: &Filled, write: impl Fn(&str) -> String) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, behind) = after.split_once('}').ok_or("a brace is not closed")?;
        let value = filled.open.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let value = value.trim().trim_end_matches('/');
        // A part of a path that is only dots would be another path.
        if value.bytes().all(|byte| byte == b'.') {
            return Err(format!("the setting {key} is not filled in"));
        }
        text.push_str(before);
        text.push_str(&write(value));
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
#[path = "test_client.rs"]
mod tests;
