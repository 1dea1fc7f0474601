// Shows progress: of an upload, and of what a plugin does; and what time it is elsewhere. Every page does its work without this file.
"use strict";

// An upload: the same form, with a bar that says how far it is.
for (const form of document.querySelectorAll("form[data-progress]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.setAttribute("aria-label", form.querySelector("label").textContent);
    const button = form.querySelector("button");
    button.disabled = true;
    button.after(bar);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    // The page that the box sends the browser on to is opened below: what it says once is said there.
    request.setRequestHeader("x-frontdesk-look", "1");
    request.upload.addEventListener("progress", (step) => {
      if (step.lengthComputable && step.loaded < step.total) {
        bar.value = step.loaded / step.total;
      } else {
        bar.removeAttribute("value"); // All is sent; the box looks at it.
      }
    });
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      // What was said in place of a page, and the form again.
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      const words = document.createElement("p");
      words.className = "alert bad";
      words.setAttribute("role", "alert");
      words.textContent = answer.querySelector(".alert")?.textContent ?? request.statusText;
      form.querySelector("[role=alert]")?.remove();
      bar.replaceWith(words);
      button.disabled = false;
    });
    request.addEventListener("error", () => location.reload());
    request.send(new FormData(form));
  });
}

// What a plugin does: the state and the bar are looked at again while the page is seen.
const living = ["standing", "connected"].filter((id) => document.getElementById(id));
if (living.length > 0) {
  setInterval(async () => {
    if (document.hidden || living.some((id) => document.getElementById(id).contains(document.activeElement))) {
      return;
    }
    try {
      const answer = await fetch(location.href, { headers: { "x-frontdesk-look": "1" } });
      if (!answer.ok || answer.redirected) {
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of living) {
        const fresh = page.getElementById(id);
        if (fresh) {
          document.getElementById(id).replaceWith(fresh);
        }
      }
    } catch {
      // The box is away for a moment; the next look tells.
    }
  }, 3000);
}

// The touchscreen: a new picture each second while the page is seen, and the words when they change.
if (document.getElementById("live")) {
  setInterval(async () => {
    const live = document.getElementById("live");
    if (document.hidden) {
      return;
    }
    try {
      const answer = await fetch("/screen", { headers: { "x-frontdesk-look": "1" } });
      if (!answer.ok || answer.redirected) {
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (fresh && fresh.dataset.state !== live.dataset.state) {
        live.replaceWith(fresh);
        return;
      }
      const shown = document.getElementById("picture");
      if (shown) {
        // The old one stays until the new one is whole.
        const next = new Image();
        next.id = shown.id;
        next.alt = shown.alt;
        next.addEventListener("load", () => shown.replaceWith(next));
        next.src = "/screen/picture?" + Date.now();
      }
    } catch {
      // The box is away for a moment; the next look tells.
    }
  }, 1000);
}

// A time zone: what time it is in the one that is typed.
for (const place of document.querySelectorAll("[data-of]")) {
  const field = document.getElementById(place.dataset.of);
  const show = () => {
    let words = "";
    try {
      if (field.value.trim() !== "") {
        const style = { timeZone: field.value.trim(), weekday: "long", hour: "2-digit", minute: "2-digit" };
        const time = new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date());
        words = place.dataset.words.replace("{time}", time);
      }
    } catch {
      // No zone, or not yet.
    }
    if (place.textContent !== words) {
      place.textContent = words;
    }
  };
  field.addEventListener("input", show);
  setInterval(show, 5000);
  show();
}
