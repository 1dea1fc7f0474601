// A connector with mistakes in it: what it throws has to arrive at the host as an error, not as a crash without a word.
import { exported, misconfigured } from "../sdk.js";

export const lifecycle = exported({
  check() {
    return undefined.length;
  },
});

export const directorySync = exported({
  fetch(start) {
    if (start.tag === "full") throw "a word";
    if (start.tag === "delta") throw misconfigured("url", "not this one");
    return null;
  },
});
