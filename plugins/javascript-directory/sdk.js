// What a connector in JavaScript is written with: settings, GET, the log, and errors whose case decides what the host
// does. An exception that is none of those errors would end the call as a crash without a word; `exported` turns it
// into `internal` with its words. QuickJS has no TextDecoder, no fetch, no timers: only the language and the host.
import settingsOfHost from "frontdesk:connector/settings@0.1.0";
import http from "frontdesk:connector/http@0.1.0";
import logOfHost from "frontdesk:connector/log@0.1.0";

// The cases of `error` in plugins/wit/v0.1.0/types.wit.
const CASES = [
  "misconfigured", "auth-failed", "forbidden", "gone", "retry-later", "unavailable", "resync-required", "protocol",
  "unsupported", "internal",
];

/** An error of the interface, to be thrown: `throw failure("gone", "no such list")`. */
export function failure(tag, val) {
  return val === undefined ? { tag } : { tag, val };
}

/** A setting that is missing or wrong. */
export function misconfigured(field, message) {
  return failure("misconfigured", { field, message });
}

/** Functions to be exported: what they throw arrives at the host as an error of the interface. */
export function exported(functions) {
  const guarded = {};
  for (const [name, body] of Object.entries(functions)) {
    guarded[name] = (...given) => {
      try {
        return body(...given);
      } catch (thrown) {
        throw asFailure(thrown);
      }
    };
  }
  return guarded;
}

function asFailure(thrown) {
  const said = thrown?.payload ?? thrown;
  if (CASES.includes(said?.tag)) return said;
  const words = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : JSON.stringify(said);
  return failure("internal", words ?? "nothing was said");
}

/** The settings, an object; secrets are not in it. */
export function settings() {
  return JSON.parse(settingsOfHost.json());
}

/** A line in the log; `level` is debug, info, warn or error. */
export function log(level, message) {
  logOfHost.write(level, message);
}

/**
 * GET, with the credential of the `[[auth]]` entry named. Statuses of 400 and above are thrown, 304 is given back.
 * Gives `status`, `headers` (an object, names in lower case), `text` and the `url` after redirects.
 */
export function get(url, headers = {}, auth = null) {
  let response;
  try {
    response = http.send({ method: "GET", url, headers: Object.entries(headers), body: null, auth });
  } catch (thrown) {
    throw ofHttp(thrown?.payload ?? thrown);
  }
  const found = Object.fromEntries(response.headers);
  checkStatus(response.status, found["retry-after"]);
  return { status: response.status, headers: found, text: utf8(response.body), url: response.url };
}

/** Reads JSON, also behind a byte order mark; what is none is `protocol`. */
export function parse(text) {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (thrown) {
    throw failure("protocol", `no JSON: ${thrown.message}`);
  }
}

function ofHttp(error) {
  switch (error?.tag) {
    case "denied": return failure("forbidden", error.val);
    case "bad-request": return misconfigured(null, error.val);
    case "unreachable":
    case "tls": return failure("unavailable", error.val);
    case "timed-out": return failure("unavailable", "no answer in time");
    case "too-large": return failure("protocol", `the answer is larger than ${error.val} bytes`);
    case "too-many": return failure("retry-later", error.val);
    case "auth": return failure("auth-failed", error.val);
    default: return error;
  }
}

// RFC 9110 section 15, RFC 6585 section 4.
function checkStatus(status, retryAfter) {
  const words = `HTTP status ${status}`;
  if (status < 400) return;
  if (status === 401) throw failure("auth-failed", words);
  if (status === 403) throw failure("forbidden", words);
  if (status === 404 || status === 410) throw failure("gone", words);
  if (status === 429 || status === 503) {
    throw failure("retry-later", /^\d{1,9}$/.test(retryAfter ?? "") ? Number(retryAfter) : null);
  }
  throw failure(status >= 500 ? "unavailable" : "protocol", words);
}

function utf8(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.slice(at, at + 8192));
  }
  try {
    return decodeURIComponent(escape(text));
  } catch {
    throw failure("protocol", "the answer is not in UTF-8");
  }
}
