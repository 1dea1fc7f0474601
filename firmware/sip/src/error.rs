//! What can be wrong with a single value on the wire.
//!
//! Whole messages have their own error, [`crate::message::ParseError`], which also knows how to answer the sender.

/// A header value or URI that does not follow its grammar. The text says what is wrong, never repeats the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// A URI (RFC 3261 section 19.1, RFC 3966).
    #[error("URI: {0}")]
    Uri(&'static str),
    /// A name-addr or addr-spec as in From, To, Contact, Route (RFC 3261 section 20.10).
    #[error("address: {0}")]
    NameAddr(&'static str),
    /// A Via hop (RFC 3261 section 20.42).
    #[error("Via: {0}")]
    Via(&'static str),
    /// A CSeq (RFC 3261 section 20.16).
    #[error("CSeq: {0}")]
    CSeq(&'static str),
    /// A Replaces (RFC 3891).
    #[error("Replaces: {0}")]
    Replaces(&'static str),
    /// A digest challenge or answer (RFC 7616).
    #[error("digest: {0}")]
    Digest(&'static str),
    /// A status line carried as message/sipfrag (RFC 3420).
    #[error("sipfrag: {0}")]
    SipFrag(&'static str),
}
