//! Getting in, and staying out: set-up, passwords, sessions, forms, roles (APP-2, ACC-1).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{House, PASSWORD};
use hyper::Method;
use store::{Role, Store};

#[tokio::test]
async fn app_2_a_new_box_leads_everywhere_to_its_set_up() {
    let house = House::new().await;
    let mut browser = house.browser();
    for path in ["/", "/plugins", "/accounts", "/sign-in", "/certificate"] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.to.as_deref()), (303, Some("/setup")), "{path}");
    }
    assert!(browser.get("/setup").await.has("Code on the touchscreen"));
    assert!(house.admin.setup.borrow().clone().unwrap().address.starts_with("https://127.0.0.1:"));
}

#[tokio::test]
async fn app_2_the_set_up_wants_the_code_and_a_good_password() {
    let house = House::new().await;
    let mut browser = house.browser();
    let code = house.code();
    let weak = browser.set_up(&code, "Ada", "1234567890").await;
    assert_eq!(weak.status, 422);
    assert!(weak.has("Everybody tries this password first") && weak.has("value=\"Ada\""));
    assert_eq!(browser.set_up(&code, "Ada", "short").await.status, 422);
    let different =
        [("code", code.as_str()), ("name", "Ada"), ("password", PASSWORD), ("password-again", "other")];
    assert!(browser.submit("/setup", "/setup", &different).await.has("not the same"));
    let wrong = if code == "00000000" { "11111111" } else { "00000000" };
    let mut slowed = false;
    house::until("five wrong tries change it", async || {
        let answer = house.browser().set_up(wrong, "Eve", PASSWORD).await;
        assert!([403, 429].contains(&answer.status));
        slowed |= answer.status == 429;
        house.code() != code
    })
    .await;
    assert!(slowed, "and they are slowed down");
    house::until("the old code is wrong", async || {
        house.browser().set_up(&code, "Eve", PASSWORD).await.status == 403
    })
    .await;
    house::until("the right code opens", async || {
        browser.set_up(&house.code(), "Ada", PASSWORD).await.to.as_deref() == Some("/")
    })
    .await;
    assert!(house.admin.setup.borrow().is_none(), "the touchscreen shows it no more");
    assert!(browser.get("/").await.has("Ada"));
    let mut late = house.browser();
    assert_eq!(late.get("/setup").await.to.as_deref(), Some("/sign-in"));
}

#[tokio::test]
async fn app_2_of_two_who_set_the_box_up_at_once_one_is_its_administrator() {
    let house = House::new().await;
    let code = house.code();
    let (mut ada, mut eve) = (house.browser(), house.browser());
    // Both have the form, and the same code, before either sends it.
    let (token, other) = (ada.token("/setup").await, eve.token("/setup").await);
    let fields = |token, name| {
        [
            ("form", token),
            ("code", code.as_str()),
            ("name", name),
            ("password", PASSWORD),
            ("password-again", PASSWORD),
        ]
    };
    let (of_ada, of_eve) = (fields(token.as_str(), "Ada"), fields(other.as_str(), "Eve"));
    let (one, two) = tokio::join!(ada.post("/setup", &of_ada), eve.post("/setup", &of_eve));
    // 403: the code was used up before it was looked at; 409: the other one was first.
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert!(matches!(both, [303, 403 | 409]), "{both:?}: {} {}", one.body, two.body);
    let (winner, mut first, mut late) = if one.status == 303 { ("Ada", ada, eve) } else { ("Eve", eve, ada) };
    assert!(first.get("/").await.has(winner));
    assert_eq!(late.get("/").await.to.as_deref(), Some("/sign-in?to=%2F"), "and has no session");
    let accounts = Store::open(house.folder.path().join("desk.db")).unwrap().accounts().unwrap();
    let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, [winner]);
    let told = first.get("/audit").await.body.matches("made the first administrator").count();
    assert_eq!(told, 1, "once");
}

#[tokio::test]
async fn acc_1_only_the_right_password_signs_in_and_names_tell_nothing() {
    let (house, _) = House::with_ada().await;
    let mut browser = house.browser();
    let to = browser.get("/plugins?x=1").await.to.unwrap();
    assert_eq!(to, "/sign-in?to=%2Fplugins%3Fx%3D1");
    let wrong = browser.sign_in("Ada", "wrong password").await;
    let nobody = browser.sign_in("Nobody", "wrong password").await;
    assert_eq!((wrong.status, nobody.status), (401, 401));
    assert_eq!(wrong.body.replace("Ada", ""), nobody.body.replace("Nobody", ""));
    let right = browser.sign_in(" ada", PASSWORD).await;
    assert_eq!((right.status, right.to.as_deref()), (303, Some("/")));
    assert!(browser.get("/").await.has("administrator"));
}

#[tokio::test]
async fn acc_1_wrong_passwords_at_speed_are_slowed_down() {
    let (house, mut ada) = House::with_ada().await;
    let mut browser = house.browser();
    let mut refused = 0;
    for _ in 0..12 {
        let answer = browser.sign_in("Ada", "wrong password").await;
        assert!([401, 429].contains(&answer.status));
        if answer.status == 429 {
            refused += 1;
            assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        }
    }
    assert!(refused >= 6, "{refused}");
    assert_eq!(browser.sign_in("Ada", PASSWORD).await.status, 429, "not even the right one");
    assert!(ada.get("/audit").await.has("tried to sign in with a wrong password"));
}

#[tokio::test]
async fn app_2_a_stolen_cookie_ends_with_the_session() {
    let (house, mut ada) = House::with_ada().await;
    let mut thief = ada.thief();
    assert_eq!(thief.get("/").await.status, 200);
    let before = ada.cookies["__Host-session"].clone();
    assert_eq!(ada.submit("/", "/sign-out", &[]).await.to.as_deref(), Some("/sign-in"));
    assert!(!ada.cookies.contains_key("__Host-session"));
    assert_eq!(thief.get("/").await.status, 303);
    ada.sign_in("Ada", PASSWORD).await;
    assert_ne!(ada.cookies["__Host-session"], before, "a new token at each sign-in");
    let mut phone = house.browser();
    phone.sign_in("Ada", PASSWORD).await;
    assert_eq!(phone.submit("/account", "/account/sign-out-everywhere", &[]).await.status, 303);
    assert_eq!(ada.get("/").await.status, 303);
}

#[tokio::test]
async fn app_2_a_token_planted_before_the_sign_in_is_worth_nothing() {
    let (house, _) = House::with_ada().await;
    let mut victim = house.browser();
    victim.cookies.insert("__Host-session".into(), "planted".into());
    victim.sign_in("Ada", PASSWORD).await;
    assert_ne!(victim.cookies["__Host-session"], "planted");
    let mut thief = house.browser();
    thief.cookies.insert("__Host-session".into(), "planted".into());
    assert_eq!(thief.get("/").await.status, 303);
}

#[tokio::test]
async fn app_2_forms_of_other_sites_change_nothing() {
    let (house, mut ada) = House::with_ada().await;
    let token = ada.token("/account").await;
    let fields = [("form", token.as_str())];
    ada.site = Some("cross-site");
    assert_eq!(ada.post("/account/sign-out-everywhere", &fields).await.status, 403);
    ada.site = None;
    assert_eq!(ada.post("/account/sign-out-everywhere", &fields).await.status, 403, "who says nothing");
    ada.origin = Some("https://evil.example".into());
    assert_eq!(ada.post("/account/sign-out-everywhere", &fields).await.status, 403);
    ada.origin = Some(format!("https://{}", house.admin.address));
    assert_eq!(ada.post("/account/sign-out-everywhere", &[("form", "guessed")]).await.status, 403);
    assert_eq!(ada.post("/account/sign-out-everywhere", &[]).await.status, 403);
    assert_eq!(ada.get("/account").await.status, 200, "still signed in");
    assert_eq!(ada.post("/account/sign-out-everywhere", &fields).await.status, 303);
    let mut stranger = house.browser();
    let login = [("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(
        stranger.post("/sign-in", &login).await.status,
        403,
        "a form before any session needs its token too"
    );
}

#[tokio::test]
async fn acc_1_a_supervisor_reads_and_writes_nothing() {
    let (house, mut ada) = House::with_ada().await;
    let host = house::Host::start(&house.socket(), true);
    let fields =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    ada.submit("/accounts", "/accounts", &fields).await;
    assert!(ada.get("/accounts").await.has("The account Sue was added"));
    let mut sue = house.browser();
    assert_eq!(sue.sign_in("Sue", "another horse").await.to.as_deref(), Some("/"));
    house::until("the host is seen", async || ada.look("/plugins").await.has("9.9.9")).await;
    let plugin = sue.get("/plugins/org.example.ldap").await;
    assert!(plugin.has("You are signed in as a supervisor") && !plugin.has("id=\"save-settings\""));
    let before = host.asked().len();
    for path in [
        "/accounts",
        "/accounts/1",
        "/accounts/1/remove",
        "/tokens",
        "/tokens/1/revoke",
        "/sessions/1/end",
        "/certificate/own",
        "/plugins/org.example.ldap/settings",
        "/plugins/org.example.ldap/grants",
        "/plugins/org.example.ldap/remove",
        "/plugins/org.example.ldap/disable",
        "/plugins/org.example.ldap/test",
        "/plugins/org.example.ldap/sign-in/person",
        "/plugins/org.example.ldap/sign-out/person",
        "/plugins/uploads/x",
    ] {
        let answer = sue.submit("/account", path, &[("password", "another horse")]).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.has("Only an administrator"), "{path}");
    }
    for path in ["/plugins/upload", "/certificate"] {
        assert_eq!(sue.upload("/account", path, &[("file", b"\0asm")]).await.status, 403, "{path}");
    }
    assert_eq!(host.asked().len(), before, "the plugin host heard of none of it");
    assert_eq!(sue.submit("/account", "/sign-out", &[]).await.status, 303, "signing out is no writing");
}

#[tokio::test]
async fn acc_1_who_loses_a_role_loses_the_sessions() {
    let (house, mut ada) = House::with_ada().await;
    let fields = [
        ("name", "Bob"),
        ("role", "administrator"),
        ("password", "another horse"),
        ("your-password", PASSWORD),
    ];
    ada.submit("/accounts", "/accounts", &fields).await;
    let mut bob = house.browser();
    bob.sign_in("Bob", "another horse").await;
    let no =
        ada.submit("/accounts/2", "/accounts/2", &[("role", "supervisor"), ("your-password", "wrong")]).await;
    assert_eq!(no.to.as_deref(), Some("/accounts/2"));
    assert!(ada.get("/accounts/2").await.has("Your password was wrong"));
    ada.submit("/accounts/2", "/accounts/2", &[("role", "supervisor"), ("your-password", PASSWORD)]).await;
    assert_eq!(bob.get("/").await.status, 303);
    // Nobody is removed by whoever finds the page open.
    let nothing: &[(&str, &str)] = &[];
    for typed in [nothing, &[("remove-your-password", "wrong")]] {
        let no = ada.submit("/accounts/2", "/accounts/2/remove", typed).await;
        assert_eq!(no.to.as_deref(), Some("/accounts/2"), "{typed:?}");
        assert!(ada.get("/accounts/2").await.has("Your password was wrong"), "{typed:?}");
    }
    let sure = [("remove-your-password", PASSWORD)];
    ada.submit("/accounts/1", "/accounts/1/remove", &sure).await;
    assert!(ada.get("/accounts").await.has("This is the last administrator"));
    ada.submit("/accounts/2", "/accounts/2/remove", &sure).await;
    assert!(ada.get("/accounts").await.has("The account Bob was removed"));
    assert_eq!(ada.get("/accounts/2").await.status, 404);
}

#[tokio::test]
async fn app_2_one_s_own_password_is_changed_with_the_old_one() {
    let (house, mut ada) = House::with_ada().await;
    let mut other = house.browser();
    other.sign_in("Ada", PASSWORD).await;
    let new = [("password-now", "wrong"), ("password", "new horse 77"), ("password-again", "new horse 77")];
    ada.submit("/account", "/account/password", &new).await;
    assert!(ada.get("/account").await.has("Your password was wrong"));
    let new = [("password-now", PASSWORD), ("password", "new horse 77"), ("password-again", "new horse 77")];
    ada.submit("/account", "/account/password", &new).await;
    assert!(ada.get("/account").await.has("The password was changed"));
    assert_eq!(other.get("/").await.status, 303, "signed out everywhere else");
    assert_eq!(house.browser().sign_in("Ada", PASSWORD).await.status, 401);
    assert_eq!(house.browser().sign_in("Ada", "new horse 77").await.status, 303);
}

#[tokio::test]
async fn app_2_everything_is_in_the_audit_log_and_no_secret_is() {
    let (house, mut ada) = House::with_ada().await;
    let fields = [("token-name", "backup"), ("scope", "read"), ("token-your-password", PASSWORD)];
    let shown = ada.submit("/accounts", "/tokens", &fields).await;
    let token = shown.between("<code id=\"token\">", "</code>").unwrap();
    assert!(token.starts_with("fdk_"));
    assert!(!ada.get("/accounts").await.has(&token), "shown once");
    let log = ada.get("/audit").await;
    for words in ["made the first administrator", "made a token", "backup, read", "127.0.0.1"] {
        assert!(log.has(words), "{words}");
    }
    drop(house.admin);
    let bytes = std::fs::read(house.folder.path().join("desk.db")).unwrap();
    let wal = std::fs::read(house.folder.path().join("desk.db-wal")).unwrap_or_default();
    let both = [bytes, wal].concat();
    for secret in [token.as_str(), PASSWORD, ada.cookies["__Host-session"].as_str()] {
        assert!(
            !both.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "{secret} is on the disk"
        );
    }
    let store = Store::open(house.folder.path().join("desk.db")).unwrap();
    assert_eq!(store.accounts().unwrap()[0].role, Role::Administrator);
}

#[tokio::test]
async fn acc_1_app_2_the_tokens_of_an_administrator_go_with_the_account() {
    let (house, mut ada) = House::with_ada().await;
    let fields = [
        ("name", "Bob"),
        ("role", "administrator"),
        ("password", "another horse"),
        ("your-password", PASSWORD),
    ];
    ada.submit("/accounts", "/accounts", &fields).await;
    let mut bob = house.browser();
    bob.sign_in("Bob", "another horse").await;
    let fields = [("token-name", "backup"), ("scope", "write"), ("token-your-password", "another horse")];
    let shown = bob.submit("/accounts", "/tokens", &fields).await;
    let bearer = shown.between("<code id=\"token\">", "</code>");
    let mut program = house::Browser { bearer, site: None, ..house.browser() };
    // A program makes itself another one.
    let more = serde_json::json!({"name": "spare", "scope": "write"});
    let made = program.api(Method::POST, "/api/v1/tokens", Some(more)).await;
    program.bearer = Some(made.json()["token"].as_str().unwrap().to_owned());
    assert_eq!(program.get("/api/v1/accounts").await.status, 200);

    assert!(!ada.get("/accounts/1").await.has("id=\"account-tokens\""), "Ada has made none");
    assert!(ada.get("/accounts/2").await.has("Tokens that this account made: backup, spare."));
    ada.language = "fr";
    assert!(ada.get("/accounts/2").await.has("Jetons créés par ce compte : backup, spare."));
    ada.language = "en";
    let fields = [("remove-your-password", PASSWORD)];
    ada.submit("/accounts/2", "/accounts/2/remove", &fields).await;
    assert_eq!(program.get("/api/v1/accounts").await.status, 401);
    let page = ada.get("/accounts").await;
    assert!(
        page.has("Tokens revoked with it: backup, spare.") && page.has("There are no tokens."),
        "{}",
        page.body
    );
    assert!(ada.get("/audit").await.has("Bob; tokens revoked: backup, spare"));
}

#[tokio::test]
async fn acc_1_app_2_what_a_token_made_goes_with_it_and_a_name_is_taken_once() {
    let (house, mut ada) = House::with_ada().await;
    let fields = [("token-name", "leaked"), ("scope", "write"), ("token-your-password", PASSWORD)];
    let shown = ada.submit("/accounts", "/tokens", &fields).await;
    let bearer = shown.between("<code id=\"token\">", "</code>");
    ada.submit("/accounts", "/tokens", &fields).await;
    let again = "There is a token leaked already. Choose another name, or revoke that one first.";
    assert!(ada.get("/accounts").await.has(again));
    let mut leaked = house::Browser { bearer, site: None, ..house.browser() };
    let mut make = async |name: &str| {
        let body = serde_json::json!({"name": name, "scope": "write"});
        leaked.api(Method::POST, "/api/v1/tokens", Some(body)).await
    };
    assert_eq!(make("Leaked").await.status, 409);
    let bearer = Some(make("spare").await.json()["token"].as_str().unwrap().to_owned());
    let mut spare = house::Browser { bearer, site: None, ..house.browser() };
    assert_eq!(spare.get("/api/v1/accounts").await.status, 200);
    ada.submit("/accounts", "/tokens/1/revoke", &[]).await;
    assert_eq!(spare.get("/api/v1/accounts").await.status, 401);
    let page = ada.get("/accounts").await;
    let words = "The token leaked was revoked. Tokens revoked with it: spare.";
    assert!(page.has(words) && page.has("There are no tokens."), "{}", page.body);
    assert!(ada.get("/audit").await.has("leaked; tokens revoked: spare"));
}

#[tokio::test]
async fn app_2_what_was_begun_is_done_to_its_end_though_whoever_asked_has_left() {
    use tokio::io::AsyncWriteExt;
    let (house, mut ada) = House::with_ada().await;
    let fields = [("token-name", "script"), ("scope", "write"), ("token-your-password", PASSWORD)];
    let shown = ada.submit("/accounts", "/tokens", &fields).await;
    let token = shown.between("<code id=\"token\">", "</code>").unwrap();
    let fields = [
        ("name", "Bob"),
        ("role", "administrator"),
        ("password", "another horse"),
        ("your-password", PASSWORD),
    ];
    ada.submit("/accounts", "/accounts", &fields).await;
    let mut bob = house.browser();
    bob.sign_in("Bob", "another horse").await;
    assert_eq!(bob.get("/").await.status, 200);
    let mut script = house.browser().connect().await;
    let head =
        format!("DELETE /api/v1/accounts/2 HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {token}\r\n\r\n");
    script.write_all(head.as_bytes()).await.unwrap();
    // The end of the connection is there before the database has answered.
    script.shutdown().await.unwrap();
    house::until("it is written down", async || ada.look("/audit").await.has("removed an account")).await;
    assert_eq!(bob.get("/").await.status, 303, "his session is over");
    assert_eq!(ada.get("/accounts/2").await.status, 404);
}

#[tokio::test]
async fn app_2_the_box_speaks_only_tls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::new().await;
    let mut plain = tokio::net::TcpStream::connect(house.admin.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut browser = house.browser();
    let answer = browser.send(Method::DELETE, "/setup", None, Vec::new()).await;
    assert_eq!(answer.status, 405);
}
