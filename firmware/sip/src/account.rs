//! One account inside the agent: its addresses, its token, and the challenges it has answered.
//!
//! Not done here: REGISTER itself (see `registration`) and name resolution (see `resolver`).

use std::net::SocketAddr;

use crate::agent::{Account, HostPort, Nat};
use crate::digest::{self, Challenge, Credentials};
use crate::flow::{Target, Transport};
use crate::header::NameAddr;
use crate::message::Message;
use crate::method::Method;
use crate::random::Random;
use crate::resolver::Place;
use crate::uri::Uri;

/// Challenges remembered per account, one per realm and kind.
const MAX_GRANTS: usize = 4;

/// Entries of Service-Route kept.
const MAX_ROUTES: usize = 8;

/// Answers to challenges for one and the same request before giving up.
const MAX_ATTEMPTS: u8 = 4;

/// An account and what the agent has learned about it.
#[derive(Debug)]
pub(crate) struct Line {
    account: Account,
    token: String,
    grants: Vec<Grant>,
    /// Routes of RFC 3608, from the answer to our REGISTER.
    service_route: Vec<String>,
    /// Where our exchange sees us, where that is not where we are (RFC 3581).
    seen_at: Option<(Transport, SocketAddr)>,
}

/// A challenge whose nonce can be used again.
#[derive(Debug)]
struct Grant {
    kind: Kind,
    challenge: Challenge,
    /// One for the life of the nonce: with `-sess` the key is made of it, and a server may remember the first
    /// (RFC 7616 section 3.4.2).
    cnonce: String,
    count: u32,
}

/// Who asks: the far end or a proxy on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Server,
    Proxy,
}

impl Kind {
    const BOTH: [Kind; 2] = [Kind::Server, Kind::Proxy];

    fn question(self) -> &'static str {
        match self {
            Kind::Server => "WWW-Authenticate",
            Kind::Proxy => "Proxy-Authenticate",
        }
    }

    fn answer(self) -> &'static str {
        match self {
            Kind::Server => "Authorization",
            Kind::Proxy => "Proxy-Authorization",
        }
    }
}

impl Line {
    /// `token` marks our Contact, so that calls for this account are known by it.
    pub(crate) fn new(account: Account, token: String) -> Line {
        Line { account, token, grants: Vec::new(), service_route: Vec::new(), seen_at: None }
    }

    /// Answers the challenges of `response` for the request it refused, ready to be sent with a new
    /// Via and CSeq. `None` when there is nothing more to try: no readable challenge, or the answer
    /// just given was wrong.
    pub(crate) fn answer(
        &mut self,
        random: &mut Random,
        refused: &Message,
        response: &Message,
        attempt: u8,
    ) -> Option<Message> {
        if attempt >= MAX_ATTEMPTS || !self.learn(random, refused, response) {
            return None;
        }
        let mut again = refused.clone();
        for name in ["Via", "Max-Forwards", "User-Agent", "Authorization", "Proxy-Authorization"] {
            again.remove(name);
        }
        self.authorise(&mut again);
        Some(again)
    }

    /// Adds answers to the challenges already met, which spares a round trip.
    pub(crate) fn authorise(&mut self, request: &mut Message) {
        let method = request.method().cloned().unwrap_or(Method::Options);
        let uri = request.request_uri().unwrap_or_default().to_owned();
        let user = self.account.auth_user.as_deref().unwrap_or(&self.account.user);
        let credentials = Credentials { user, password: &self.account.password };
        for grant in &mut self.grants {
            grant.count += 1;
            let what = digest::Request { method: method.as_str(), uri: &uri, body: request.body() };
            let answer = digest::answer(&grant.challenge, credentials, what, &grant.cnonce, grant.count);
            request.push(grant.kind.answer(), answer);
        }
        self.grants.retain(|grant| grant.challenge.counts() && grant.count < u32::MAX);
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Where everything of this account goes first.
    pub(crate) fn first_hop(&self) -> Place {
        let at = self.account.outbound_proxy.as_ref().unwrap_or(&self.account.registrar).clone();
        Place { at, transport: self.account.transport }
    }

    /// The registrar itself.
    pub(crate) fn registrar(&self) -> Place {
        Place { at: self.account.registrar.clone(), transport: self.account.transport }
    }

    /// The route of a request outside any dialog: the proxy that was set, then what the registrar asked for
    /// (RFC 3608 section 6.1).
    pub(crate) fn route(&self) -> Vec<String> {
        let proxy = self.account.outbound_proxy.as_ref().map(|proxy| match self.transport_name() {
            Some(name) => format!("<sip:{proxy};transport={name};lr>"),
            None => format!("<sip:{proxy};lr>"),
        });
        let known = |route: &&String| proxy.as_ref() != Some(*route);
        proxy.iter().cloned().chain(self.service_route.iter().filter(known).cloned()).collect()
    }

    /// Takes over the Service-Route of an answer to REGISTER; none takes an older one away.
    pub(crate) fn take_service_route(&mut self, response: &Message) {
        self.service_route = response.headers("Service-Route").take(MAX_ROUTES).map(str::to_owned).collect();
    }

    /// Notes where the exchange saw the REGISTER come from (`received` and `rport` of our Via); true if our Contact
    /// has changed by it.
    pub(crate) fn note_seen_at(&mut self, response: &Message, sent_to: Target) -> bool {
        if self.account.nat == Nat::None {
            return false;
        }
        let Some(via) = response.via() else { return false };
        let host = via.received.as_deref().unwrap_or(&via.host);
        let port = via.rport.flatten().or(via.port).unwrap_or(sent_to.transport.default_port());
        let Ok(ip) = host.parse() else { return false };
        let seen_at = Some((sent_to.transport, SocketAddr::new(ip, port)));
        std::mem::replace(&mut self.seen_at, seen_at) != seen_at
    }

    /// Our public address for Contact, where one is known for this transport.
    pub(crate) fn seen_at(&self, transport: Transport) -> Option<SocketAddr> {
        self.seen_at.filter(|(by, _)| *by == transport).map(|(_, at)| at)
    }

    /// Our address has changed, and with it what the exchange sees.
    pub(crate) fn forget_seen_at(&mut self) {
        self.seen_at = None;
    }

    fn transport_name(&self) -> Option<&'static str> {
        self.account.transport.and_then(Transport::uri_name)
    }

    /// Whether `place` is this account's domain, registrar or proxy.
    pub(crate) fn is_named(&self, place: &HostPort) -> bool {
        let same = |known: &HostPort| {
            known.host.eq_ignore_ascii_case(&place.host) && (place.port.is_none() || place.port == known.port)
        };
        let domain = place.port.is_none() && self.account.domain.eq_ignore_ascii_case(&place.host);
        domain || same(&self.account.registrar) || self.account.outbound_proxy.as_ref().is_some_and(same)
    }

    /// Our address of record, with the name shown to others.
    pub(crate) fn identity(&self) -> NameAddr {
        let mut address = NameAddr::new(self.address(&self.account.user));
        address.display = Some(self.account.display_name.clone()).filter(|name| !name.is_empty());
        address
    }

    /// `user` at this account's domain.
    pub(crate) fn address(&self, user: &str) -> Uri {
        let (host, port) = match self.account.domain.parse::<HostPort>() {
            Ok(place) => (place.host, place.port),
            Err(_) => (self.account.domain.clone(), None),
        };
        Uri::sip(Some(user), &host, port)
    }

    /// Notes the challenges; true if any of them can be answered better than it was.
    fn learn(&mut self, random: &mut Random, refused: &Message, response: &Message) -> bool {
        let mut hope = false;
        for kind in Kind::BOTH {
            for challenge in strongest(response, kind) {
                let answered =
                    refused.headers(kind.answer()).any(|answer| speaks_for(answer, &challenge.realm));
                self.grants.retain(|grant| grant.kind != kind || grant.challenge.realm != challenge.realm);
                if answered && !challenge.stale && !was_reused(refused, kind, &challenge) {
                    continue;
                }
                if self.grants.len() >= MAX_GRANTS {
                    self.grants.remove(0);
                }
                self.grants.push(Grant { kind, challenge, cnonce: random.word(), count: 0 });
                hope = true;
            }
        }
        hope
    }
}

fn strongest(response: &Message, kind: Kind) -> Vec<Challenge> {
    let values: Vec<&str> = response
        .all_headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case(kind.question()))
        .map(|(_, v)| v)
        .collect();
    Challenge::strongest(values)
}

/// Whether an Authorization value is for `realm`.
fn speaks_for(answer: &str, realm: &str) -> bool {
    answer.contains(&format!("realm=\"{realm}\""))
}

/// Whether the refused answer used an older nonce again (its count was above one): then the new
/// challenge is no verdict on the password, even where the server forgot to say `stale`.
fn was_reused(refused: &Message, kind: Kind, challenge: &Challenge) -> bool {
    let old = |answer: &str| {
        speaks_for(answer, &challenge.realm)
            && !answer.contains(&format!("nonce=\"{}\"", challenge.nonce))
            && !answer.contains("nc=00000001")
    };
    refused.headers(kind.answer()).any(old)
}
