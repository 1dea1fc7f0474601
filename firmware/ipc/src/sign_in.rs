//! Signing in at the desk (ACC-1): who may, who has, and what became of a PIN.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// Identity of an operator; never used again. 0 is nobody: a desk at which nobody signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperatorId(pub i64);

/// A PIN on its way to the desk. It never comes back, and no log, trace or recording shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Pin(String);

impl Pin {
    /// Of what was typed.
    #[must_use]
    pub fn new(digits: &str) -> Self {
        Self(digits.to_owned())
    }

    /// What was typed, for who compares it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Commands are written to logs when they are refused; the PIN stays out of them.
impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

impl<'de> Deserialize<'de> for Pin {
    /// What is no text is refused without being repeated: the reason goes into the log.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer) {
            Ok(serde_json::Value::String(digits)) => Ok(Self(digits)),
            _ => Err(D::Error::custom("a PIN is a text of digits")),
        }
    }
}

/// Who sits at the desk. The default is a desk at which nobody signs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInView {
    /// Somebody must be signed in: there are operators.
    pub required: bool,
    /// Who is signed in.
    pub operator: Option<OperatorName>,
    /// The screen is covered until the PIN of who is signed in, or somebody else's, has been typed. Nobody is named in
    /// the calls of such a view.
    pub locked: bool,
    /// Who may sign in, by name.
    pub operators: Vec<OperatorName>,
    /// The PIN tried last, unless it was right.
    pub last_try: Option<PinTry>,
}

impl SignInView {
    /// Somebody must type a PIN before the desk can be used.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.required && (self.locked || self.operator.is_none())
    }
}

/// Somebody who may sit at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorName {
    /// Who.
    pub id: OperatorId,
    /// Their name.
    pub name: String,
    /// No PIN is right until an administrator has unlocked them.
    pub blocked: bool,
}

/// A PIN that was not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinTry {
    /// Whose it was not.
    pub operator: OperatorId,
    /// What was wrong.
    pub problem: PinProblem,
    /// When, on the desk's clock, in milliseconds.
    pub at_ms: u64,
}

/// Why a PIN opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PinProblem {
    /// It is not theirs.
    #[error("wrong PIN; {left} more are looked at, the next one in {wait_ms} ms")]
    Wrong {
        /// How many more are looked at before the operator is locked.
        left: u32,
        /// How long none is looked at, in milliseconds.
        wait_ms: u64,
    },
    /// It was not looked at: the last one was wrong a moment ago.
    #[error("not looked at: wait {ms} ms after a wrong PIN")]
    Wait {
        /// How much longer, in milliseconds.
        ms: u64,
    },
    /// It was not looked at: an administrator must unlock the operator.
    #[error("this operator is locked; an administrator can unlock them")]
    Locked,
}

impl PinProblem {
    /// How long no PIN is looked at, in milliseconds.
    #[must_use]
    pub fn wait_ms(self) -> u64 {
        match self {
            Self::Wrong { wait_ms, .. } => wait_ms,
            Self::Wait { ms } => ms,
            Self::Locked => 0,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Command;

    #[test]
    fn acc_1_a_pin_is_in_no_debug_text_and_in_no_complaint_about_what_cannot_be_read() {
        let command = Command::SignIn { operator: OperatorId(3), pin: Pin::new("47110815") };
        assert!(!format!("{command:?}").contains("4711"), "{command:?}");
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command);
        for broken in ["47110815", "[\"47110815\"]", "{\"47110815\":1}", "4711.0815", "null"] {
            let json = format!(r#"{{"Unlock":{{"pin":{broken}}}}}"#);
            let complaint = serde_json::from_str::<Command>(&json).unwrap_err().to_string();
            assert!(!complaint.contains("4711"), "{complaint}");
        }
    }
}
