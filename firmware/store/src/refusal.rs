//! What of the settings is refused, and why: for whoever says it in other words than the settings file's.

/// A value that is not allowed, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The table of the settings file, for example `accounts`.
    pub table: &'static str,
    /// Which of its entries, from 0, where it has several.
    pub index: Option<usize>,
    /// The field; empty where it is the entry as a whole.
    pub field: &'static str,
    /// Why.
    pub why: Why,
}

/// Why a value is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Not so many bytes, or a control character.
    Length {
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
    },
    /// White space, or one of `@ < > " ; ,`.
    Characters,
    /// No host or host:port.
    Host,
    /// No `user@domain`.
    Address,
    /// No whole path.
    Path,
    /// Not in this range.
    Range {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// Not so many digits, or something else than digits.
    Digits {
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
    },
    /// Neither 0 nor in this range.
    ZeroOrRange {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// No certificate in PEM.
    NoCertificate,
    /// A private key stands where certificates do.
    KeyInCertificate,
    /// No private key in PEM, or none at all where one is needed.
    NoKey,
    /// The key of another certificate.
    OtherKey,
    /// No sound device by the id of its card.
    Device,
    /// No address of a page.
    Web,
    /// No feature code with one `$`.
    FeatureCode,
    /// Another one has it already.
    Taken,
    /// A password has to be given again: the one that is known was for another account or another machine.
    PasswordAgain,
    /// There is no such account.
    NoAccount,
    /// There is no such line.
    NoLine,
    /// The call would come back to its own line.
    OwnLine,
    /// Who is recalled has been answered: they can only be sent on.
    Recall,
    /// Not two times of a day in their order.
    Hours,
    /// No day of a year.
    Holiday,
    /// No time zone that this machine knows.
    TimeZone,
    /// More entries than that.
    TooMany {
        /// Most.
        most: usize,
    },
}
