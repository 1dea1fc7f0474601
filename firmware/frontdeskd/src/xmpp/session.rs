//! What is done on a connection that stands: the roster is fetched, presence is sent and asked for, and what
//! comes is written into the roll, until the connection ends.
//!
//! Nothing a server sends makes the desk keep more than `roll` has room for; questions are answered one by
//! one, and while an answer does not leave nothing more is read.

use std::time::Duration;

use tokio::{
    select,
    time::{Instant, sleep_until},
};
use tokio_xmpp::{
    jid::{BareJid, Jid},
    parsers::{
        iq::Iq,
        minidom::Element,
        ns,
        ping::Ping,
        presence::Presence,
        roster::Roster,
        stanza_error::{DefinedCondition, ErrorType, StanzaError},
    },
};
use tracing::{debug, info};

use super::{
    connection::{Connection, Trouble, ended},
    stanza::{self, Incoming},
    task::Desk,
};

/// People asked in one go, and the pause before the next few: a server that is asked two thousand at once
/// takes us for a spammer.
const QUESTIONS: usize = 10;
const QUESTION_PAUSE: Duration = Duration::from_millis(200);
/// Messages to the desk's account go to a client that can show them (RFC 6121 section 8.5.2.1.1).
const PRIORITY: i8 = -1;
const ROSTER: &str = "roster";

/// Follows a connection to its end; `None`: the desk stops.
pub(super) async fn follow(connection: &mut Connection, us: &BareJid, desk: &mut Desk) -> Option<Trouble> {
    let mut session = Session { connection, us, questions_due: Instant::now(), present: false };
    if let Err(trouble) = session.fetch_roster().await {
        return Some(trouble);
    }
    loop {
        let due = session.questions_due;
        let done = select! {
            said = session.connection.next() => match said {
                Ok(Some(incoming)) => session.take(incoming, desk).await,
                Ok(None) => session.are_you_there().await,
                Err(trouble) => Err(trouble),
            },
            alive = desk.step() => {
                if !alive {
                    return None;
                }
                Ok(())
            }
            () = sleep_until(due), if desk.roll.has_questions() => session.ask(desk).await,
        };
        if let Err(trouble) = done {
            return Some(trouble);
        }
    }
}

struct Session<'a> {
    connection: &'a mut Connection,
    /// Our own address.
    us: &'a BareJid,
    questions_due: Instant,
    /// The server knows that we are there, and tells us who else is.
    present: bool,
}

impl Session<'_> {
    async fn fetch_roster(&mut self) -> Result<(), Trouble> {
        let payload = Roster { ver: None, items: Vec::new() }.into();
        self.connection.send(&Iq::Get { from: None, to: None, id: ROSTER.into(), payload }).await
    }

    /// The roster has come. Only now presence is asked for: what it means depends on who lets us see it.
    async fn begin(&mut self, iq: &stanza::Iq, desk: &mut Desk) -> Result<(), Trouble> {
        if std::mem::replace(&mut self.present, true) {
            return Ok(());
        }
        info!(members = iq.members.len(), answer = iq.kind, "XMPP: roster");
        self.connection.roster_came();
        desk.roll.roster(&iq.members, true);
        self.connection.send(&Presence::available().with_priority(PRIORITY)).await
    }

    async fn take(&mut self, incoming: Incoming, desk: &mut Desk) -> Result<(), Trouble> {
        match incoming {
            Incoming::Presence(presence) => {
                if presence.kind == "unsubscribed" {
                    debug!(from = presence.from, "XMPP: a person does not show their presence");
                }
                desk.roll.presence(&presence);
                Ok(())
            }
            Incoming::Iq(iq) => self.take_iq(&iq, desk).await,
            Incoming::StreamError(condition) => Err(ended(&condition)),
            Incoming::Other => Ok(()),
        }
    }

    async fn take_iq(&mut self, iq: &stanza::Iq, desk: &mut Desk) -> Result<(), Trouble> {
        let ours = self.is_ours(iq.from.as_deref());
        match iq.kind.as_str() {
            "result" | "error" if ours && iq.id == ROSTER => self.begin(iq, desk).await,
            "set" if ours && iq.about == ns::ROSTER => {
                desk.roll.roster(&iq.members, false);
                self.answer(iq, None).await
            }
            "get" if iq.about == ns::PING => self.answer(iq, None).await,
            "get" | "set" => self.answer(iq, Some(DefinedCondition::ServiceUnavailable)).await,
            _ => Ok(()),
        }
    }

    /// The roster is the server's word for our own account, not anybody's (RFC 6121 section 2.1.6).
    fn is_ours(&self, from: Option<&str>) -> bool {
        from.is_none_or(|from| {
            from.is_empty() || Jid::new(from).is_ok_and(|from| from.into_bare() == *self.us)
        })
    }

    async fn answer(&mut self, iq: &stanza::Iq, refusal: Option<DefinedCondition>) -> Result<(), Trouble> {
        let to = match iq.from.as_deref().map(Jid::new).transpose() {
            Ok(to) => to,
            // Nobody to answer to.
            Err(_) => return Ok(()),
        };
        let (from, id) = (None, iq.id.clone());
        let answer = match refusal {
            None => Iq::Result { from, to, id, payload: None },
            Some(condition) => {
                let error = StanzaError::new(ErrorType::Cancel, condition, "en", "");
                Iq::Error { from, to, id, error, payload: None }
            }
        };
        self.connection.send(&answer).await
    }

    async fn are_you_there(&mut self) -> Result<(), Trouble> {
        let payload: Element = Ping.into();
        self.connection.send(&Iq::Get { from: None, to: None, id: "ping".into(), payload }).await
    }

    /// Asks the next few people to let us see their presence.
    async fn ask(&mut self, desk: &mut Desk) -> Result<(), Trouble> {
        for _ in 0..QUESTIONS {
            let Some(who) = desk.roll.next_question() else { break };
            self.connection.send(&Presence::subscribe().with_to(who)).await?;
        }
        self.questions_due = Instant::now() + QUESTION_PAUSE;
        Ok(())
    }
}
