//! What a bad author could try with directories.

use frontdesk_connector::Error;
use frontdesk_connector::ldap::{Error as Refused, Request, Scope, search};

fn request(server: &str) -> Request {
    Request {
        server: server.to_owned(),
        plain: true,
        auth: None,
        base: "dc=x".to_owned(),
        scope: Scope::Subtree,
        filter: "(cn=*)".to_owned(),
        attributes: vec!["cn".to_owned()],
        limit: 10,
        cookie: None,
    }
}

/// One search.
pub(crate) fn ask(server: &str) -> Result<(), Error> {
    search(&request(server))?;
    Ok(())
}

/// With a credential that the manifest does not have.
pub(crate) fn sign_in(server: &str) -> Result<(), Error> {
    search(&Request { auth: Some("somebody".to_owned()), ..request(server) })?;
    Ok(())
}

/// Searches that must never reach a server.
pub(crate) fn rubbish(server: &str) -> Result<(), Error> {
    let searches = [
        Request { filter: "(!".repeat(4000), ..request(server) },
        Request { filter: "(&".repeat(4_000_000), ..request(server) },
        Request { filter: "(cn=*)(cn=*)".to_owned(), ..request(server) },
        Request { filter: String::new(), ..request(server) },
        Request { base: "b".repeat(2000), ..request(server) },
        Request { base: "dc=x\0".to_owned(), ..request(server) },
        Request { attributes: vec!["cn)(x=".to_owned()], ..request(server) },
        Request { attributes: vec!["cn".to_owned(); 65], ..request(server) },
        Request { limit: 0, ..request(server) },
        Request { limit: u32::MAX, ..request(server) },
        Request { server: "ldap://".to_owned(), ..request(server) },
    ];
    for (number, one) in searches.iter().enumerate() {
        match search(one) {
            Err(Refused::BadRequest(_) | Refused::Denied(_)) => {}
            other => return Err(Error::Internal(format!("search {number}: {other:?}"))),
        }
    }
    Err(Error::Unsupported("all were refused".to_owned()))
}

/// Cookies that are none, or of another search.
pub(crate) fn cookies(server: &str) -> Result<(), Error> {
    let guessed = Request { cookie: Some(vec![0; 16]), ..request(server) };
    let first = search(&request(server))?;
    let Some(cookie) = first.cookie else { return Err(Error::Internal("no cookie".to_owned())) };
    let other = Request { cookie: Some(cookie.clone()), base: "dc=other".to_owned(), ..request(server) };
    let right = Request { cookie: Some(cookie), ..request(server) };
    let lost = |request: &Request| matches!(search(request), Err(Refused::CookieLost));
    let seen = (lost(&guessed), lost(&other), search(&right).is_ok(), lost(&right));
    Err(Error::Unsupported(format!("cookies: {seen:?}")))
}
