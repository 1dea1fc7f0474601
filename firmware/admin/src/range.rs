//! A part of a file that a browser asks for (RFC 9110, section 14): players read sound so, and some play nothing without.
//!
//! One part at a time: who asks for several gets the whole file, as the RFC allows.

use axum::http::{HeaderMap, header};

/// What of a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// From the first to the last of these bytes, both with it.
    Bytes {
        /// Counted from 0.
        first: u64,
        /// Not beyond the file.
        last: u64,
    },
    /// The file has nothing where it would begin.
    Beyond,
}

impl Part {
    /// What a request asks for of a file of so many bytes.
    pub(crate) fn asked(headers: &HeaderMap, length: u64) -> Self {
        // Our files have no validator: none that the browser may have kept can be theirs.
        if headers.contains_key(header::IF_RANGE) {
            return Self::Whole;
        }
        let said = headers.get(header::RANGE).and_then(|said| said.to_str().ok());
        said.and_then(|said| Self::of(said, length)).unwrap_or(Self::Whole)
    }

    /// `None` of what is not understood, which counts for nothing.
    fn of(said: &str, length: u64) -> Option<Self> {
        let (unit, rest) = said.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = rest.trim().split_once('-')?;
        let (first, last) = match (first, last) {
            ("", count) => match number(count)? {
                0 => return Some(Self::Beyond),
                count => (length.saturating_sub(count), u64::MAX),
            },
            (first, "") => (number(first)?, u64::MAX),
            (first, last) => (number(first)?, number(last)?),
        };
        if last < first {
            return None;
        }
        if first >= length {
            return Some(Self::Beyond);
        }
        Some(Self::Bytes { first, last: last.min(length - 1) })
    }

    /// `Content-Range`, where the answer has one.
    pub(crate) fn content_range(self, length: u64) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Bytes { first, last } => Some(format!("bytes {first}-{last}/{length}")),
            Self::Beyond => Some(format!("bytes */{length}")),
        }
    }
}

/// Digits only; a sign is none.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(said: &'static str, length: u64) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(said));
        Part::asked(&headers, length)
    }

    #[test]
    fn app_2_one_part_of_a_file_is_found_and_what_is_not_understood_is_all_of_it() {
        for (said, first, last) in [
            ("bytes=0-1", 0, 1),
            ("bytes=2-", 2, 9),
            ("Bytes = 3-99", 3, 9),
            ("bytes=-4", 6, 9),
            ("bytes=-99", 0, 9),
            ("bytes=9-9", 9, 9),
        ] {
            assert_eq!(asked(said, 10), Part::Bytes { first, last }, "{said}");
        }
        for said in ["bytes=10-", "bytes=-0", "bytes=99-100"] {
            assert_eq!(asked(said, 10), Part::Beyond, "{said}");
        }
        assert_eq!((asked("bytes=0-", 0), asked("bytes=-1", 0)), (Part::Beyond, Part::Beyond));
        for said in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=+1-2",
            "bytes=0-1,4-5",
            "lines=0-1",
            "bytes=a-",
        ] {
            assert_eq!(asked(said, 10), Part::Whole, "{said}");
        }
        assert_eq!(asked("bytes=99999999999999999999-", 10), Part::Whole);
        assert_eq!(Part::asked(&HeaderMap::new(), 10), Part::Whole);
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"kept\""));
        assert_eq!(Part::asked(&headers, 10), Part::Whole);
    }

    #[test]
    fn app_2_the_answer_says_which_part_of_how_much_it_is() {
        assert_eq!(Part::Whole.content_range(10), None);
        assert_eq!(Part::Bytes { first: 2, last: 9 }.content_range(10).as_deref(), Some("bytes 2-9/10"));
        assert_eq!(Part::Beyond.content_range(10).as_deref(), Some("bytes */10"));
    }
}
