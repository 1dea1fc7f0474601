//! The API's description (OpenAPI 3.1), put together from one table; a test holds it against the routes.

use axum::{http::StatusCode, response::Response};
use serde_json::{Map, Value, json};

use crate::{
    api::{
        schemas::{reference, schemas, text, whole},
        shapes,
    },
    logs::Level,
};

/// `GET /api/v1/openapi.json`
pub(crate) async fn show() -> Response {
    shapes::json(StatusCode::OK, &document())
}

/// What a request needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Read,
    Write,
}

/// One operation.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    needs: Needs,
    /// The schema of a JSON body.
    body: Option<&'static str>,
    /// Status and schema of the answer; a name that ends in `[]` is a list.
    answer: (u16, Option<&'static str>),
    /// What else may be answered, besides 400 and 401.
    problems: &'static [u16],
}

const fn read(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    answer: &'static str,
) -> Operation {
    let (method, needs) = ("get", Needs::Read);
    Operation {
        method,
        path,
        id,
        summary,
        needs,
        body: None,
        answer: (200, Some(answer)),
        problems: &[404, 422, 503],
    }
}

const fn write(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    answer: (u16, Option<&'static str>),
) -> Operation {
    let problems = &[403, 404, 409, 413, 415, 422, 429, 503, 507];
    Operation { method, path, id, summary, needs: Needs::Write, body, answer, problems }
}

const DONE: (u16, Option<&str>) = (204, None);

const OPERATIONS: &[Operation] = &[
    Operation {
        method: "get",
        path: "/api/v1/openapi.json",
        id: "description",
        summary: "This description",
        needs: Needs::Nothing,
        body: None,
        answer: (200, Some("Anything")),
        problems: &[],
    },
    read("/api/v1/overview", "overview", "How the box and the desk do", "Overview"),
    read("/api/v1/directories", "directories", "The directories of the desk", "Directory[]"),
    write(
        "post",
        "/api/v1/contacts",
        "addContacts",
        "Add the contacts of a CSV file to a directory, which is made where there is none of that name; whoever is there \
         already, equal in every field, is not added again, and wrong rows are left out and listed",
        Some("ContactsFile"),
        (200, Some("ContactsReport")),
    ),
    read("/api/v1/audit", "audit", "Who did what, newest first", "AuditEntry[]"),
    read("/api/v1/statistics", "statistics", "The calls of a day or a week, counted", "Statistics"),
    read("/api/v1/diagnostics", "diagnostics", "How the program does, for support", "Diagnostics"),
    read("/api/v1/log", "log", "The newest lines of the program's log, oldest first", "ProgramLine[]"),
    write(
        "post",
        "/api/v1/backup",
        "backup",
        "Make a backup: everything the box keeps, sealed with a passphrase",
        Some("NewBackup"),
        (200, Some("BackupFile")),
    ),
    read("/api/v1/certificate", "certificate", "The certificate in use", "Certificate"),
    write(
        "put",
        "/api/v1/certificate",
        "replaceCertificate",
        "Use another certificate",
        Some("NewCertificate"),
        (200, Some("Certificate")),
    ),
    write(
        "delete",
        "/api/v1/certificate",
        "ownCertificate",
        "Go back to the box's own certificate",
        None,
        (200, Some("Certificate")),
    ),
    read("/api/v1/plugins", "plugins", "Installed plugins", "Plugin[]"),
    read("/api/v1/plugins/{id}", "plugin", "One plugin", "Plugin"),
    write(
        "delete",
        "/api/v1/plugins/{id}",
        "removePlugin",
        "Remove a plugin with its settings, secrets and directory",
        None,
        DONE,
    ),
    read(
        "/api/v1/plugins/{id}/settings",
        "pluginSettings",
        "A plugin's settings, without secrets",
        "PluginSettings",
    ),
    write(
        "put",
        "/api/v1/plugins/{id}/settings",
        "configurePlugin",
        "Set a plugin up; a secret that is not named stays, null forgets it",
        Some("NewSettings"),
        DONE,
    ),
    write(
        "put",
        "/api/v1/plugins/{id}/grants",
        "grantPlugin",
        "What a plugin may reach from now on",
        Some("Grants"),
        DONE,
    ),
    read("/api/v1/plugins/{id}/log", "pluginLog", "What a plugin has logged, oldest first", "LogLine[]"),
    write(
        "post",
        "/api/v1/plugins/{id}/test",
        "testPlugin",
        "Ask a plugin whether it can work",
        None,
        (200, Some("Words")),
    ),
    write(
        "post",
        "/api/v1/plugins/{id}/actions",
        "actOnPlugin",
        "Enable, disable, run, allow to shrink, roll back",
        Some("Action"),
        DONE,
    ),
    write(
        "post",
        "/api/v1/plugins/{id}/sign-in",
        "signInForPlugin",
        "Ask for a code that a person types in elsewhere; the settings tell when somebody has",
        Some("Credential"),
        (200, Some("SignInCode")),
    ),
    write(
        "post",
        "/api/v1/plugins/{id}/sign-out",
        "signOutOfPlugin",
        "Forget who has signed in, or give up a code",
        Some("Credential"),
        DONE,
    ),
    write(
        "post",
        "/api/v1/uploads",
        "upload",
        "Upload a plugin; it is looked at, not installed",
        Some("Package"),
        (201, Some("Inspection")),
    ),
    read("/api/v1/uploads/{key}", "uploaded", "What an uploaded file is and asks for", "Inspection"),
    write("delete", "/api/v1/uploads/{key}", "forgetUpload", "Forget an uploaded file", None, DONE),
    write(
        "post",
        "/api/v1/uploads/{key}/install",
        "install",
        "Install an uploaded file",
        Some("Install"),
        (201, Some("Plugin")),
    ),
    read("/api/v1/accounts", "accounts", "Administrators and supervisors", "Account[]"),
    write(
        "post",
        "/api/v1/accounts",
        "addAccount",
        "Add an account",
        Some("NewAccount"),
        (201, Some("Account")),
    ),
    read("/api/v1/accounts/{id}", "account", "One account", "Account"),
    write(
        "patch",
        "/api/v1/accounts/{id}",
        "changeAccount",
        "Change an account's role or password; its sessions end. The tokens that a supervisor made as an administrator are revoked",
        Some("AccountChange"),
        DONE,
    ),
    write(
        "delete",
        "/api/v1/accounts/{id}",
        "removeAccount",
        "Remove an account, with the tokens that it made; the last administrator stays",
        None,
        DONE,
    ),
    read("/api/v1/tokens", "tokens", "Tokens, without the tokens themselves", "Token[]"),
    write(
        "post",
        "/api/v1/tokens",
        "addToken",
        "Make a token, of a name that no other has; it is told this once, and ends with the token that made it",
        Some("NewToken"),
        (201, Some("MadeToken")),
    ),
    write(
        "delete",
        "/api/v1/tokens/{id}",
        "revokeToken",
        "Revoke a token, and those that were made with it",
        None,
        DONE,
    ),
    read("/api/v1/settings", "settings", "The settings of the desk, without passwords", "Settings"),
    write(
        "put",
        "/api/v1/settings",
        "replaceSettings",
        "Replace the settings of the desk, all of them; it works with them at once. Whoever leaves out a table in which something is set is refused. An account without password keeps its own at the same servers",
        Some("Settings"),
        (200, Some("Settings")),
    ),
    read("/api/v1/operators", "operators", "Who sits at the desk", "Operator[]"),
    write(
        "post",
        "/api/v1/operators",
        "addOperator",
        "Add an operator",
        Some("NewOperator"),
        (201, Some("Operator")),
    ),
    write(
        "patch",
        "/api/v1/operators/{id}",
        "changeOperator",
        "Change an operator's name, language or PIN, lock or unlock them",
        Some("OperatorChange"),
        DONE,
    ),
    write("delete", "/api/v1/operators/{id}", "removeOperator", "Remove an operator", None, DONE),
    read("/api/v1/update", "update", "Versions, slots, and what came of updates so far", "UpdateStanding"),
    write(
        "post",
        "/api/v1/update/bundle",
        "uploadUpdate",
        "Upload an update; it is looked at, not installed",
        Some("UpdateFile"),
        (201, Some("UpdateBundle")),
    ),
    write(
        "delete",
        "/api/v1/update/bundle",
        "discardUpdate",
        "Remove an update that was uploaded",
        None,
        DONE,
    ),
    write(
        "put",
        "/api/v1/update/order",
        "orderUpdate",
        "Have the update installed: now, when no call is up, or between two times of the day; the restart waits until no \
         call is up. One that is older than what runs is refused unless `older` is true",
        Some("UpdateOrder"),
        DONE,
    ),
    write("delete", "/api/v1/update/order", "cancelUpdate", "Do not install it", None, DONE),
    read("/api/v1/sounds", "sounds", "What callers hear who wait", "Sound[]"),
    write(
        "post",
        "/api/v1/sounds/{key}",
        "uploadSound",
        "Upload a WAV or Opus file that callers hear who wait, from the next hold on: `music`, `announcement`, or `line ` and \
         the number of a line that is to have its own",
        Some("SoundFile"),
        (201, Some("Sound")),
    ),
    write(
        "delete",
        "/api/v1/sounds/{key}",
        "removeSound",
        "Remove it; what is heard is as before",
        None,
        DONE,
    ),
    read("/api/v1/sessions", "sessions", "Who is signed in", "Session[]"),
    write("delete", "/api/v1/sessions/{id}", "endSession", "End a session", None, DONE),
];

/// The whole document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Frontdesk administration",
            "version": "1",
            "description": "What the administrator's page shows and does, for programs. A token is made on the page \
                            of the accounts. Times are Unix milliseconds.",
            "license": { "name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "What went wrong (RFC 9457)",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "schemas": schemas(),
        },
    })
}

fn described(operation: &Operation) -> Value {
    let (status, schema) = operation.answer;
    let mut answer = json!({ "description": operation.summary });
    if let Some(name) = schema {
        let kind = if name == "BackupFile" { "application/octet-stream" } else { "application/json" };
        answer["content"] = json!({ kind: { "schema": reference(name) } });
    }
    let mut answers = json!({ status.to_string(): answer });
    if operation.needs != Needs::Nothing {
        for status in [400, 401].iter().chain(operation.problems) {
            answers[status.to_string()] = json!({ "$ref": "#/components/responses/Problem" });
        }
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": answers,
    });
    match operation.needs {
        Needs::Nothing => described["security"] = json!([]),
        Needs::Read => described["description"] = json!("Any token."),
        Needs::Write => described["description"] = json!("A token with the scope `write`."),
    }
    if let Some(name) = operation.body {
        let kind = if matches!(name, "Package" | "UpdateFile" | "SoundFile") {
            "application/octet-stream"
        } else if name == "ContactsFile" {
            "text/csv"
        } else {
            "application/json"
        };
        described["requestBody"] =
            json!({ "required": true, "content": { kind: { "schema": reference(name) } } });
    }
    described
}

fn parameters(operation: &Operation) -> Value {
    let mut parameters = Vec::new();
    if let Some((_, rest)) = operation.path.split_once('{') {
        let name = rest.split('}').next().unwrap_or_default();
        let is_row = ["/accounts/", "/tokens/", "/sessions/", "/operators/"]
            .iter()
            .any(|part| operation.path.contains(part));
        let schema = if is_row { json!({ "type": "integer", "minimum": 1 }) } else { text() };
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    if operation.id == "audit" {
        let number = json!({ "type": "integer", "minimum": 1, "maximum": 500 });
        parameters.push(
            json!({ "name": "limit", "in": "query", "schema": number, "description": "At most so many." }),
        );
        parameters.push(json!({ "name": "before", "in": "query", "schema": whole(),
            "description": "Only those before the one with this id." }));
    }
    let words = |name: &str, words: Value, what: &str| json!({ "name": name, "in": "query", "schema": words, "description": what });
    if operation.id == "uploadSound" {
        parameters.push(words("name", text(), "What the file is called, to be told again."));
    }
    if operation.id == "addContacts" {
        parameters.push(json!({ "name": "directory", "in": "query", "required": true, "schema": text(),
            "description": "The name of the directory." }));
        parameters.push(words("local", json!({ "type": "boolean" }), "Staff, where the directory is made."));
        parameters.push(words("name", text(), "What the file is called, for the audit log."));
    }
    if operation.id == "statistics" {
        parameters.push(words(
            "span",
            json!({ "type": "string", "enum": ["day", "week"] }),
            "A day unless said otherwise.",
        ));
        parameters.push(words(
            "day",
            json!({ "type": "string", "format": "date" }),
            "A date in it; today when there is none.",
        ));
    }
    if operation.id == "log" {
        let levels: Vec<&str> = Level::ALL.iter().map(|level| level.word()).collect();
        parameters.push(words(
            "level",
            json!({ "type": "string", "enum": levels }),
            "At least this grave; info unless said otherwise.",
        ));
    }
    parameters.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `.route("path", get(…).post(…))` of the API.
    fn routed() -> BTreeSet<(String, String)> {
        let text = include_str!("../api.rs");
        let mut found = BTreeSet::new();
        for rest in text.split(".route(").skip(1) {
            let rest = rest.trim_start().trim_start_matches('"');
            let (path, handlers) = rest.split_once('"').unwrap();
            // Up to the parenthesis that closes `.route(`.
            let mut open = 1;
            let end = handlers.find(|c| {
                open += i32::from(c == '(') - i32::from(c == ')');
                open == 0
            });
            let handlers = &handlers[..end.unwrap()];
            for method in ["get", "post", "put", "patch", "delete"] {
                if handlers.contains(&format!("{method}(")) {
                    found.insert((path.to_owned(), method.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn app_2_the_description_has_every_route_and_no_other() {
        let described: BTreeSet<(String, String)> =
            OPERATIONS.iter().map(|operation| (operation.path.into(), operation.method.into())).collect();
        assert_eq!(described, routed());
        let ids: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), OPERATIONS.len(), "each has its own id");
    }

    #[test]
    fn app_2_every_schema_that_is_named_is_there() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        let mut named = BTreeSet::new();
        for rest in text.split("#/components/schemas/").skip(1) {
            named.insert(rest.split('"').next().unwrap().to_owned());
        }
        assert_eq!(named, schemas.keys().cloned().collect());
    }
}
