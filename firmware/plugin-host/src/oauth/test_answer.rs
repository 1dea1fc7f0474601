//! Tests of reading what token servers say.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use proptest::prelude::*;

fn granted(body: &str) -> Option<Token> {
    match token(200, None, body.as_bytes()) {
        Said::Token(token) => Some(token),
        _ => None,
    }
}

fn refused(status: u16, body: &str) -> (String, String) {
    match token(status, None, body.as_bytes()) {
        Said::Refused { code, words } => (code, words),
        _ => panic!("not refused: {body}"),
    }
}

#[test]
fn a_token_with_and_without_what_may_be_missing() {
    let whole =
        granted(r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0","refresh_token":"r"}"#);
    let whole = whole.unwrap();
    assert_eq!((whole.access.as_str(), whole.lifetime.as_secs()), ("eyJ0", 3599));
    assert_eq!(whole.refresh.as_deref(), Some("r"));
    let text = granted(r#"{"token_type":"bearer","expires_in":"60","access_token":"a"}"#).unwrap();
    assert_eq!((text.lifetime.as_secs(), text.refresh), (60, None));
    let bare =
        granted(r#"{"token_type":"Bearer","access_token":"a","instance_url":"https://x.example"}"#).unwrap();
    assert_eq!(bare.lifetime, UNSAID);
    let eternal = granted(r#"{"token_type":"Bearer","access_token":"a","expires_in":18446744073709551615}"#);
    assert_eq!(eternal.unwrap().lifetime, LONGEST);
    for bad in [
        "",
        "{}",
        "[]",
        "<html>",
        r#"{"token_type":"mac","access_token":"a"}"#,
        r#"{"token_type":"Bearer","access_token":""}"#,
        r#"{"token_type":"Bearer","access_token":"a\r\nx: y"}"#,
        r#"{"token_type":"Bearer","access_token":7}"#,
    ] {
        assert!(matches!(token(200, None, bad.as_bytes()), Said::Unclear(_)), "{bad}");
    }
}

#[test]
fn a_no_has_a_code_and_words_for_people() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret.\r\nTrace ID: 1","error_codes":[7000215]}"#;
    let (code, words) = refused(401, body);
    assert_eq!(code, "invalid_client");
    assert_eq!(words, "invalid_client: AADSTS7000215: Invalid client secret.  Trace ID: 1");
    assert_eq!(refused(400, r#"{"error":"authorization_pending"}"#).1, "authorization_pending");
    assert!(
        refused(400, &format!(r#"{{"error":"x","error_description":"{}"}}"#, "y".repeat(9999))).1.len()
            <= WORDS
    );
    assert!(matches!(token(429, Some(7), b"no"), Said::Busy(7)));
    assert!(matches!(token(503, None, b""), Said::Busy(WAIT)));
    assert!(matches!(token(400, None, br#"{"error":"temporarily_unavailable"}"#), Said::Busy(WAIT)));
    for (status, body) in
        [(400, "no"), (500, r#"{"error":"x"}"#), (302, ""), (403, r#"{"error":"two\nlines"}"#)]
    {
        assert!(matches!(token(status, None, body.as_bytes()), Said::Unclear(_)), "{status} {body}");
    }
}

#[test]
fn a_code_to_type_in() {
    let body = r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://example.com/device",
        "verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT","expires_in":1800,"interval":5}"#;
    let Ok(code) = device(200, None, body.as_bytes()) else { panic!("no code") };
    assert_eq!((code.user_code.as_str(), code.address.as_str()), ("WDJB-MJHT", "https://example.com/device"));
    assert_eq!((code.expires.as_secs(), code.interval.as_secs(), code.device_code.as_str()), (1800, 5, "d"));
    assert!(code.address_with_code.is_some());
    let hurried =
        r#"{"device_code":"d","user_code":"1","verification_url":"https://example.com/","interval":0}"#;
    let Ok(code) = device(200, None, hurried.as_bytes()) else { panic!("no code") };
    assert_eq!((code.expires.as_secs(), code.interval.as_secs()), (900, 1));
    for bad in [
        r#"{"device_code":"d","user_code":"1","verification_uri":"javascript:alert(1)"}"#,
        r#"{"device_code":"d","user_code":"","verification_uri":"https://example.com/"}"#,
        "{}",
    ] {
        assert!(matches!(device(200, None, bad.as_bytes()), Err(Said::Unclear(_))), "{bad}");
    }
    assert!(matches!(device(400, None, br#"{"error":"invalid_client"}"#), Err(Said::Refused { .. })));
}

proptest! {
    #[test]
    fn any_answer_is_read_without_a_panic(status in any::<u16>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = token(status, None, &body);
        let _ = device(status, Some(1), &body);
    }

    #[test]
    fn no_words_of_a_server_move_a_cursor(description in "\\PC{0,40}[\\x00-\\x1f]{0,4}\\PC{0,40}") {
        let body = serde_json::json!({"error": "invalid_grant", "error_description": description});
        if let Said::Refused { words, .. } = token(400, None, body.to_string().as_bytes()) {
            prop_assert!(!words.chars().any(char::is_control));
        }
    }
}
