//! Licence expressions (SPDX 2.3, annex D), as far as crates write them: ids, `OR`, `AND`, `WITH` and parentheses.

/// The same expression in today's form: crates of some years ago write `MIT/Apache-2.0`.
#[must_use]
pub fn modern(expression: &str) -> String {
    expression.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

/// Whether a licence holds that may be chosen, when only those count that `allows` says yes to; an id with an exception is asked
/// about as a whole, `A WITH B`.
///
/// # Errors
/// What of the expression cannot be read.
pub fn holds(expression: &str, allows: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, at: 0, allows };
    let result = reader.either().and_then(|held| match reader.peek() {
        None => Ok(held),
        Some(word) => Err(format!("{word:?} is one word too many")),
    });
    result.map_err(|problem| format!("{expression:?}: {problem}"))
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    allows: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).copied()
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_there = self.peek() == Some(word);
        self.at += usize::from(is_there);
        is_there
    }

    fn either(&mut self) -> Result<bool, String> {
        let mut held = self.both()?;
        while self.takes("OR") {
            held |= self.both()?;
        }
        Ok(held)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut held = self.one()?;
        while self.takes("AND") {
            held &= self.one()?;
        }
        Ok(held)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.takes("(") {
            let held = self.either()?;
            return if self.takes(")") { Ok(held) } else { Err("a parenthesis stays open".to_owned()) };
        }
        let id = self.id()?;
        if self.takes("WITH") {
            let exception = self.id()?;
            return Ok((self.allows)(&format!("{id} WITH {exception}")));
        }
        Ok((self.allows)(&id))
    }

    fn id(&mut self) -> Result<String, String> {
        let word = self.peek().ok_or("it ends too early")?;
        let is_id = !["OR", "AND", "WITH"].contains(&word)
            && word.chars().all(|sign| sign.is_ascii_alphanumeric() || "-.+:".contains(sign));
        if !is_id {
            return Err(format!("{word:?} is no licence"));
        }
        let id = word.to_owned();
        self.at += 1;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_holds_when_a_choice_of_it_is_allowed() {
        let allows = |id: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&id);
        for good in [
            "MIT",
            "GPL-2.0-only OR MIT",
            "MIT AND ISC",
            "(MIT AND ISC) OR GPL-2.0-only",
            "(GPL-2.0-only OR MIT) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-2.0-only OR LicenseRef-Slint-Software-3.0 OR MIT",
        ] {
            assert_eq!(holds(good, &allows), Ok(true), "{good}");
        }
        for bad in ["Apache-2.0", "MIT AND GPL-2.0-only", "MIT AND (GPL-2.0-only OR Apache-2.0)", "MITX"] {
            assert_eq!(holds(bad, &allows), Ok(false), "{bad}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC", "OR", "MIT WITH", "MIT/Apache-2.0"] {
            assert!(holds(broken, &allows).is_err(), "{broken}");
        }
        assert_eq!(holds(&modern("Apache-2.0 / MIT"), &allows), Ok(true));
    }
}
