// Pages that follow by themselves. An event replaces the element of that id; forms are sent without leaving the page.
"use strict";
(() => {
  const LOST_AFTER_MS = 11000; // twice the server's beat, and a little
  const body = document.body;
  const lost = document.getElementById("lost");
  const said = document.getElementById("said");
  let beat = Date.now(), version = null, isLost = false, saidUntil = 0;

  function say(text, ok) {
    // An open dialog covers the rest of the page, and a screen reader is kept inside it.
    const alert = ok ? null : document.querySelector("dialog[open] [data-alert]");
    if (alert) { alert.textContent = text; return; }
    said.textContent = text;
    said.classList.toggle("bad", !ok);
    saidUntil = Date.now() + (ok ? 5000 : 12000);
  }

  function setLost(now) {
    if (now === isLost || !lost) return;
    isLost = now;
    lost.hidden = !now;
    lost.textContent = now ? body.dataset.lost : "";
    body.classList.toggle("is-lost", now);
    if (!now) say(body.dataset.back, true);
  }

  // --- fragments ---

  function put(id, html) {
    const place = document.getElementById(id);
    if (!place) return;
    const held = place.contains(document.activeElement) ? document.activeElement : null;
    const mark = held && (held.id ? "#" + CSS.escape(held.id) : held.dataset.key ? `[data-key="${held.dataset.key}"]` : null);
    place.innerHTML = html;
    if (held) (mark && place.querySelector(mark) || place.querySelector("button") || document.getElementById("main")).focus();
    place.dispatchEvent(new CustomEvent("fragment", { bubbles: true }));
  }

  function listen(address) {
    const source = new EventSource(address);
    const alive = () => { beat = Date.now(); setLost(false); };
    source.addEventListener("version", (event) => {
      if (version !== null && version !== event.data) location.reload();
      version = event.data;
      alive();
    });
    source.addEventListener("beat", alive);
    source.addEventListener("fragment", (event) => {
      const cut = event.data.indexOf("\n");
      put(event.data.slice(0, cut), event.data.slice(cut + 1));
      alive();
    });
    source.addEventListener("go", (event) => { source.close(); location.assign(event.data); });
    source.onerror = () => {
      setLost(true);
      // A browser that was refused does not try again by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { source.close(); listen(address); }, 2000);
    };
    return source;
  }

  if (body.dataset.live) {
    listen(body.dataset.live);
    setInterval(() => { if (Date.now() - beat > LOST_AFTER_MS) setLost(true); }, 1000);
  }
  setInterval(() => { if (saidUntil && Date.now() > saidUntil) { saidUntil = 0; said.textContent = ""; } }, 500);

  // --- actions ---

  async function send(form, button) {
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const alert = form.querySelector("[data-alert]");
    if (alert) alert.textContent = "";
    const data = new FormData(form, button && button.name ? button : undefined);
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
      const result = await answer.json();
      say(result.say, result.ok);
      if (result.go) location.assign(result.go);
      const dialog = form.closest("dialog");
      if (dialog && result.ok) dialog.close();
      if (result.ok && form.hasAttribute("data-clear")) form.reset();
    } catch (error) {
      say(body.dataset.failed, false);
    } finally {
      delete form.dataset.busy;
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.hasAttribute("data-post")) return;
    event.preventDefault();
    const sure = event.target.dataset.sure;
    if (!sure || confirm(sure)) send(event.target, event.submitter);
  });

  function open(button) {
    const dialog = document.getElementById(button.dataset.open);
    const ticket = dialog.querySelector("[data-open-ticket]");
    const title = dialog.querySelector("[data-open-title]");
    const alert = dialog.querySelector("[data-alert]");
    dialog.querySelector("form").reset(); // hidden fields keep their values
    if (ticket) ticket.value = button.dataset.ticket || "";
    if (title) title.textContent = title.dataset.openTitle.replace("{so}", button.dataset.number);
    if (alert) alert.textContent = "";
    dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-open], [data-close], [data-window], [data-print]");
    if (!target) return;
    if (target.dataset.open) open(target);
    else if (target.hasAttribute("data-close")) target.closest("dialog").close();
    else if (target.hasAttribute("data-print")) window.print();
    else {
      const [width, height] = target.dataset.window.split("x");
      if (window.open(target.href, target.target, `popup,width=${width},height=${height}`)) event.preventDefault();
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.hasAttribute("data-send")) event.target.form.requestSubmit();
    if (event.target.dataset.reveal) {
      const type = event.target.checked ? "text" : "password";
      for (const field of document.querySelectorAll(event.target.dataset.reveal)) field.type = type;
    }
  });

  for (const node of document.querySelectorAll("[data-scripted]")) node.hidden = false;

  // Function keys, since letters meet the Vietnamese keyboard driver.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || document.querySelector("dialog[open]")) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)
      || (event.code === "NumpadEnter" || event.code === "NumpadAdd" ? document.querySelector("[data-numpad]") : null);
    if (!button || (event.key === "Escape" && event.target.matches("input, select, textarea"))) return;
    event.preventDefault();
    button.click();
  });

  // What can be taken back for some seconds goes by itself.
  document.addEventListener("fragment", (event) => {
    const undo = event.target.querySelector("[data-for-s]");
    if (undo && Number(undo.dataset.forS) > 0) setTimeout(() => { undo.replaceChildren(); }, Number(undo.dataset.forS) * 1000);
  });
})();
