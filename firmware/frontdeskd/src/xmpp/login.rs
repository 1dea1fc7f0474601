//! The login (SASL, RFC 6120 section 6): ours, because the one of tokio-xmpp takes the server at its word.
//!
//! With SCRAM (RFC 5802) the server has to prove that it knows the password too, and may ask for so many
//! rounds of key stretching only: their number is a server's choice, and each costs us time.

use std::{
    collections::BTreeSet,
    str::{self, FromStr},
};

use futures_util::{SinkExt, StreamExt};
use sasl::{
    client::{
        Mechanism,
        mechanisms::{Plain, Scram},
    },
    common::{
        Credentials,
        scram::{Sha1, Sha256},
    },
};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_xmpp::{
    parsers::sasl::{Auth, Mechanism as Name, Nonza, Response},
    xmlstream::{InitiatingStream, ReadError, XmppStream, XmppStreamElement},
};

use super::connection::{Trouble, gone, read_trouble};

/// Rounds of key stretching; servers ask for 4096 to some ten thousand.
const MAX_ROUNDS: u32 = 200_000;

type Login = Box<dyn Mechanism + Send + Sync>;

/// Logs in by the best way the server offers; what comes back begins the stream anew.
///
/// # Errors
/// Why the server does not let us in, or is not let by us.
pub(super) async fn log_in<S: AsyncBufRead + AsyncWrite + Unpin>(
    mut stream: XmppStream<S>,
    offered: &BTreeSet<String>,
    credentials: Credentials,
) -> Result<InitiatingStream<S>, Trouble> {
    let mut login = best(offered, &credentials)?;
    let first = login.initial();
    let mechanism = Name::from_str(login.name()).map_err(|error| refused(&error))?;
    say(&mut stream, Nonza::Auth(Auth { mechanism, data: first.clone() })).await?;
    loop {
        match heard(&mut stream).await? {
            Nonza::Challenge(challenge) => {
                check(&challenge.data, &first)?;
                let data = login.response(&challenge.data).map_err(|error| refused(&error))?;
                say(&mut stream, Nonza::Response(Response { data })).await?;
            }
            Nonza::Success(success) => {
                login.success(&success.data).map_err(|error| refused(&error))?;
                return Ok(stream.initiate_reset());
            }
            Nonza::Failure(failure) => {
                return Err(Trouble::Refused(format!("{:?}", failure.defined_condition)));
            }
            _ => return Err(Trouble::Protocol("an answer to a login that is none".into())),
        }
    }
}

/// Never ANONYMOUS: the server would take us for nobody.
fn best(offered: &BTreeSet<String>, credentials: &Credentials) -> Result<Login, Trouble> {
    let credentials = credentials.clone();
    let login: Login = if offered.contains("SCRAM-SHA-256") {
        Box::new(Scram::<Sha256>::from_credentials(credentials).map_err(|error| refused(&error))?)
    } else if offered.contains("SCRAM-SHA-1") {
        Box::new(Scram::<Sha1>::from_credentials(credentials).map_err(|error| refused(&error))?)
    } else if offered.contains("PLAIN") {
        Box::new(Plain::from_credentials(credentials).map_err(|error| refused(&error))?)
    } else {
        return Err(Trouble::Refused("the server offers no login that we know".into()));
    };
    Ok(login)
}

async fn say<S: AsyncBufRead + AsyncWrite + Unpin>(
    stream: &mut XmppStream<S>,
    nonza: Nonza,
) -> Result<(), Trouble> {
    Ok(stream.send(&XmppStreamElement::Sasl(nonza)).await?)
}

async fn heard<S: AsyncBufRead + AsyncWrite + Unpin>(stream: &mut XmppStream<S>) -> Result<Nonza, Trouble> {
    loop {
        match stream.next().await.map(|read| read.and_then(|element| element.into_read_error())) {
            Some(Ok(XmppStreamElement::Sasl(nonza))) => return Ok(nonza),
            Some(Ok(_)) => return Err(Trouble::Protocol("something else than an answer to a login".into())),
            Some(Err(ReadError::SoftTimeout)) => {}
            Some(Err(error)) => return Err(read_trouble(error)),
            None => return Err(gone()),
        }
    }
}

/// A challenge of SCRAM carries our nonce on (RFC 5802 section 5.1), and asks for what can be done.
fn check(challenge: &[u8], first: &[u8]) -> Result<(), Trouble> {
    let unreadable = |_| Trouble::Protocol("a login that is no text".into());
    let (challenge, first) =
        (str::from_utf8(challenge).map_err(unreadable)?, str::from_utf8(first).map_err(unreadable)?);
    let of =
        |text: &str, name: &str| text.split(',').find_map(|part| part.strip_prefix(name)).map(str::to_owned);
    let nonce = of(first, "r=").unwrap_or_default();
    if of(challenge, "r=").is_none_or(|whole| whole.len() <= nonce.len() || !whole.starts_with(&nonce)) {
        return Err(Trouble::Refused("the server does not answer to this login".into()));
    }
    if of(challenge, "i=")
        .and_then(|rounds| rounds.parse().ok())
        .is_none_or(|rounds: u32| rounds > MAX_ROUNDS)
    {
        return Err(Trouble::Refused(format!("the server asks for more than {MAX_ROUNDS} rounds")));
    }
    Ok(())
}

fn refused(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Refused(error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"n,,n=desk,r=abc";

    #[test]
    fn a_challenge_carries_our_nonce_on_and_asks_for_so_many_rounds_only() {
        assert!(check(b"r=abcdef,s=c2FsdA==,i=4096", FIRST).is_ok());
        for (challenge, says) in [
            ("r=abc,s=c2FsdA==,i=4096", "does not answer"),
            ("r=xyzabc,s=c2FsdA==,i=4096", "does not answer"),
            ("s=c2FsdA==,i=4096", "does not answer"),
            ("r=abcdef,s=c2FsdA==,i=4000000000", "rounds"),
            ("r=abcdef,s=c2FsdA==,i=-1", "rounds"),
            ("r=abcdef,s=c2FsdA==", "rounds"),
            ("", "does not answer"),
        ] {
            let why = check(challenge.as_bytes(), FIRST).unwrap_err().to_string();
            assert!(why.contains(says), "{challenge}: {why}");
        }
        assert!(check(&[0xff], FIRST).is_err());
    }

    #[test]
    fn the_best_login_is_taken_and_never_that_of_nobody() {
        let credentials = Credentials::default().with_username("desk").with_password("secret");
        let best = |offered: &[&str]| {
            let offered = offered.iter().map(ToString::to_string).collect();
            best(&offered, &credentials)
                .map(|login| login.name().to_owned())
                .map_err(|error| error.to_string())
        };
        assert_eq!(best(&["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"]).unwrap(), "SCRAM-SHA-256");
        assert_eq!(best(&["ANONYMOUS", "PLAIN", "SCRAM-SHA-1"]).unwrap(), "SCRAM-SHA-1");
        assert_eq!(best(&["ANONYMOUS", "PLAIN"]).unwrap(), "PLAIN");
        assert!(best(&["ANONYMOUS", "EXTERNAL"]).unwrap_err().contains("no login that we know"));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_not_believed() {
        let credentials = Credentials::default()
            .with_username("desk")
            .with_password("secret")
            .with_channel_binding(sasl::common::ChannelBinding::None);
        let mut login = best(&BTreeSet::from(["SCRAM-SHA-256".to_owned()]), &credentials).unwrap();
        let first = String::from_utf8(login.initial()).unwrap();
        let nonce = first.split("r=").nth(1).unwrap();
        let challenge = format!("r={nonce}more,s=c2FsdA==,i=4096");
        check(challenge.as_bytes(), first.as_bytes()).unwrap();
        login.response(challenge.as_bytes()).unwrap();
        assert!(login.success(b"v=bm90aGluZw==").is_err());
        assert!(login.success(b"").is_err());
    }
}
