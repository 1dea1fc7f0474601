// A list of people in JSON on a web server: `[{ "name": "Ann Lee", "phone": "555 0100" }]`, or an object with such a
// list and, where there are more pages, the address of the next one: `{ "people": [...], "next": "?page=2" }`. A list
// in one document is read again only when its ETag has changed (RFC 9110 section 8.8.3).
import { exported, failure, get, log, parse, settings } from "./sdk.js";

const KINDS = ["work", "mobile", "home", "extension", "sip", "fax"];

export const lifecycle = exported({
  check() {
    const { people, next } = read(settings().url);
    return next ? `more than ${people.length} people` : `${people.length} people`;
  },
});

export const directorySync = exported({
  fetch(start, limit) {
    const { url } = settings();
    if (start.tag === "full") return page({ url, offset: 0, pages: 1, etag: null }, limit);
    if (start.tag === "resume") return page(readCursor(start.val), limit);
    // A file does not say what has changed in it: nothing, or all of it is read again.
    if (!/^(W\/)?"[\x21-\x7e]*"$/.test(start.val) || read(url, start.val) !== null) throw failure("resync-required");
    return { changes: [], next: { tag: "done", val: start.val }, total: 0 };
  },
});

function page({ url, offset, pages, etag }, limit) {
  const document = read(url);
  // Halves of two versions of a list would be a directory that never was.
  if (offset > 0 && document.etag !== etag) throw failure("resync-required");
  const end = offset + limit;
  const changes = document.people.slice(offset, end).map((val) => ({ tag: "upsert", val }));
  const total = document.next || pages > 1 ? null : document.people.length;
  if (end < document.people.length) return more(changes, { url, offset: end, pages, etag: document.etag }, total);
  if (document.next) return more(changes, { url: document.next, offset: 0, pages: pages + 1, etag: null }, total);
  // The ETag of one page says nothing about the others.
  return { changes, next: { tag: "done", val: pages === 1 ? document.etag : null }, total };
}

function more(changes, cursor, total) {
  return { changes, next: { tag: "more", val: JSON.stringify(cursor) }, total };
}

function readCursor(text) {
  try {
    const { url, offset, pages, etag } = JSON.parse(text);
    if (typeof url === "string" && Number.isInteger(offset) && offset >= 0) return { url, offset, pages, etag };
  } catch {
    // Not one of ours, then.
  }
  throw failure("resync-required");
}

// People, next page and ETag; null where the document still is the one of this ETag.
function read(url, known) {
  const headers = { accept: "application/json" };
  if (known) headers["if-none-match"] = known;
  const answer = get(url, headers, settings().user ? "server" : null);
  if (answer.status === 304) return null;
  const body = parse(answer.text);
  const rows = Array.isArray(body) ? body : body?.people;
  if (!Array.isArray(rows)) throw failure("protocol", "neither a list nor an object with people");
  const people = rows.map(contact).filter((person) => person !== null);
  if (people.length < rows.length) {
    log("warn", `${rows.length - people.length} without a name or a number are left out`);
  }
  const next = typeof body.next === "string" ? resolve(answer.url, body.next) : null;
  return { people, next, etag: answer.headers.etag ?? null };
}

function contact(row) {
  if (row === null || typeof row !== "object") return null;
  const text = (key) => (typeof row[key] === "string" && row[key].trim()) || null;
  const number = (kind, value) => ({ kind, number: String(value ?? "").trim() });
  const phones = [number("work", row.phone), ...KINDS.map((kind) => number(kind, row[kind]))];
  const dialled = phones.filter((phone) => /\d/.test(phone.number));
  const displayName = text("name");
  if (!displayName || dialled.length === 0) return null;
  return {
    id: String(row.id ?? `${displayName} ${dialled[0].number}`),
    displayName,
    organization: text("company"),
    department: text("department"),
    title: text("title"),
    phones: dialled,
    emails: text("email") ? [text("email")] : [],
    note: text("note"),
    url: text("url"),
    extra: [],
  };
}

// QuickJS has no URL: an absolute address, a path, a query, or a name in the same folder.
function resolve(base, reference) {
  if (/^https?:\/\//.test(reference)) return reference;
  const [, origin, path] = /^(https?:\/\/[^/?#]+)([^?#]*)/.exec(base) ?? [];
  if (!origin) throw failure("protocol", "an address that cannot be read");
  if (reference.startsWith("/")) return origin + reference;
  if (reference.startsWith("?")) return origin + path + reference;
  return origin + path.replace(/[^/]*$/, "") + reference;
}
